from __future__ import annotations

import time
from dataclasses import replace

import pytest

from portal.errors import Garbled, GatewayError, Refused, Rejected, Unreachable
from sync_setup.gateways.failures import Origin
from sync_setup.gateways.http import HttpSession, json_object
from sync_setup.gateways.route import Route
from tests.gateways.simulated import Simulator

ORIGIN = Origin("Microsoft Graph", "GRAPH")


def ask(simulator: Simulator, route: Route, url: str = "") -> object:
    session = HttpSession(ORIGIN, route)
    try:
        url = (
            url
            or f"{simulator.addresses['entra']}/contoso.example/v2.0/.well-known/openid-configuration"
        )
        return json_object(ORIGIN, session.request("GET", url))
    finally:
        session.close()


def failing(simulator: Simulator, route: Route, url: str = "") -> GatewayError:
    with pytest.raises(GatewayError) as failed:
        ask(simulator, route, url)
    return failed.value


def test_a_host_whose_certificate_nobody_vouches_for_is_not_asked(simulator: Simulator) -> None:
    error = failing(simulator, replace(simulator.route(), ca_file=None))

    assert isinstance(error, Unreachable)
    assert (error.code, error.sent) == ("SSS-GRAPH-TLS", False)
    assert "CA file" in error.remedy


def test_the_environment_chooses_neither_trust_nor_proxy(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = str(simulator.addresses["ca"])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
    monkeypatch.setenv("CURL_CA_BUNDLE", ca)
    assert failing(simulator, replace(simulator.route(), ca_file=None)).code == "SSS-GRAPH-TLS"

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert ask(simulator, simulator.route())


def test_a_proxy_that_is_set_is_used(simulator: Simulator) -> None:
    error = failing(simulator, replace(simulator.route(), proxy="http://127.0.0.1:9"))

    assert isinstance(error, Unreachable)
    assert (error.code, error.sent) == ("SSS-GRAPH-PROXY", False)


def test_an_address_of_this_machine_is_refused_where_it_is_reached(simulator: Simulator) -> None:
    error = failing(simulator, replace(simulator.route(), simulated=False))

    assert isinstance(error, Refused)
    assert error.code == "SSS-GRAPH-ADDRESS"
    assert "portal's own machine" in str(error)


def test_a_name_that_nobody_knows_is_told(simulator: Simulator) -> None:
    error = failing(simulator, simulator.route(), "https://nothing.invalid/")

    assert isinstance(error, Unreachable)
    assert (error.code, error.sent) == ("SSS-GRAPH-DNS", False)


def test_only_https_is_spoken(simulator: Simulator) -> None:
    error = failing(simulator, simulator.route(), str(simulator.addresses["control"]))

    assert isinstance(error, Unreachable)
    assert not error.sent


def test_a_redirect_is_not_followed(simulator: Simulator) -> None:
    simulator.dial(
        "entra",
        "status",
        status=302,
        body="",
        headers={"Location": f"{simulator.addresses['graph']}/v1.0/organization"},
    )

    error = failing(simulator, simulator.route())

    assert isinstance(error, Rejected)
    assert error.code == "SSS-GRAPH-302"
    calls = simulator.control("GET", "/calls")
    assert [call["system"] for call in calls if call["system"] != "control"] == ["entra"]


def test_an_answer_that_is_too_long_is_not_read_to_its_end(simulator: Simulator) -> None:
    error = failing(simulator, replace(simulator.route(), max_bytes=100))

    assert isinstance(error, Garbled)
    assert "longer than 100 bytes" in str(error)


def test_an_answer_that_dribbles_ends_with_the_deadline(simulator: Simulator) -> None:
    simulator.dial("entra", "slow_body", seconds=30)
    began = time.monotonic()

    error = failing(simulator, simulator.route(deadline_s=0.5, read_timeout_s=10))

    assert isinstance(error, Unreachable)
    assert (error.code, error.sent) == ("SSS-GRAPH-TIMEOUT", True)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after"])
def test_silence_ends_with_the_read_timeout(simulator: Simulator, fault: str) -> None:
    simulator.dial("entra", fault, seconds=30)

    error = failing(simulator, simulator.route(read_timeout_s=0.3))

    assert isinstance(error, Unreachable)
    assert (error.code, error.sent) == ("SSS-GRAPH-TIMEOUT", True)


@pytest.mark.parametrize("body", ["", "[]", "1", '"text"', "{", "\ufeff[]", "[" * 50_000])
def test_what_is_no_json_object_is_garbled(simulator: Simulator, body: str) -> None:
    simulator.dial("entra", "status", status=200, body=body)

    assert isinstance(failing(simulator, simulator.route()), Garbled)


def test_a_web_page_with_status_200_is_garbled(simulator: Simulator) -> None:
    simulator.dial("entra", "html", status=200)

    error = failing(simulator, simulator.route())

    assert isinstance(error, Garbled)
    assert "web page" in str(error)


def test_no_cookie_is_kept(simulator: Simulator) -> None:
    session = HttpSession(ORIGIN, simulator.route())
    url = f"{simulator.addresses['graph']}/v1.0/organization"
    simulator.dial("graph", "status", status=401, headers={"Set-Cookie": "a=b; Path=/"}, times=2)

    for _ in range(2):
        answer = session.request("GET", url, accept=(401,))
        assert answer.status == 401
        assert answer.headers["set-cookie"]
        assert not session._session.cookies
    session.close()
