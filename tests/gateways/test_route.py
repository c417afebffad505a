from __future__ import annotations

import pytest

from portal.errors import BadInput
from sync_setup.gateways.route import Route, check_host, check_url, refused_address


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "168.63.129.16",
        "100.100.100.200",
        "0.0.0.0",  # noqa: S104
        "::",
        "224.0.0.1",
    ],
)
def test_metadata_and_nobodys_addresses_are_refused_for_everybody(address: str) -> None:
    assert refused_address(address, simulated=False)
    assert refused_address(address, simulated=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_allowed_for_simulators_only(address: str) -> None:
    assert refused_address(address, simulated=False)
    assert refused_address(address, simulated=True) is None


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.9", "fd12::1", "40.126.1.1"])
def test_private_and_public_addresses_are_allowed(address: str) -> None:
    assert refused_address(address, simulated=False) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.contoso.com",
        "crm.contoso.com",
        "https://",
        "https://crm.contoso.com/?a=b",
        "https://crm.contoso.com/#x",
        "https://me:secret@crm.contoso.com",
        "https://crm.contoso.com:99999",
        "https://[::1",
        "https://127.0.0.1",
        "https://localhost",
        "https://sub.localhost",
        "https://LOCALHOST.",
        "https://169.254.169.254",
        "https://crm contoso.com",
        "https://crm\\contoso.com",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_url(url, simulated=False)

    assert refused.value.code == "SSS-INPUT-ADDRESS"
    assert "secret" not in str(refused.value)


def test_an_address_is_given_without_its_last_slash() -> None:
    assert check_url(" https://crm.contoso.com/Sales/ ", simulated=False) == (
        "https://crm.contoso.com/Sales"
    )
    assert check_url("https://localhost:9443", simulated=True) == "https://localhost:9443"


@pytest.mark.parametrize("host", ["", "crm app", "crm/app", "crm;calc", "127.0.0.1"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(BadInput):
        check_host(host, simulated=False)


def test_a_route_does_not_show_the_password_of_its_proxy() -> None:
    assert "s3cret" not in repr(Route(proxy="http://user:s3cret@proxy:3128"))
