"""$batch of the Web API: order, change sets, errors, limits."""

from __future__ import annotations

import json
import uuid
from typing import Any

import requests

from tests.simulator.clients import Clients, Crm

PROFILE = {"name": "Exchange Online", "servertype": 3}


def part(
    crm: Crm, method: str, path: str, body: Any = None, content_id: str = "", **headers: str
) -> str:
    """One request as a part of a batch."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"{method} {crm.root}/{path} HTTP/1.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", json.dumps(body) if body is not None else "", ""])


def change_set(*parts: str) -> str:
    inner = "\r\n".join(f"--cs\r\n{text}" for text in parts)
    return f"Content-Type: multipart/mixed; boundary=cs\r\n\r\n{inner}\r\n--cs--\r\n"


def send(crm: Crm, *parts: str, **headers: str) -> requests.Response:
    body = "\r\n".join(f"--b\r\n{text}" for text in parts) + "\r\n--b--\r\n"
    headers["Content-Type"] = 'multipart/mixed; boundary="b"'
    return crm.request("POST", "$batch", data=body.encode(), headers=headers)


def statuses(answer: requests.Response) -> list[int]:
    lines = answer.text.splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("HTTP/1.1 ")]


def test_requests_are_answered_in_their_order(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()

    answer = send(
        crm,
        part(crm, "GET", "mailboxes?$select=name&$top=1"),
        part(crm, "PATCH", f"mailboxes({pilot})", {"actdeliverymethod": 1}, **{"If-Match": "*"}),
        part(crm, "POST", "emailserverprofiles", PROFILE),
    )

    assert answer.status_code == 200
    assert statuses(answer) == [200, 204, 204]
    assert [e["effect"] for e in clients.sim.ledger()] == [
        "mailbox.update",
        "emailserverprofile.create",
    ]


def test_the_first_error_stops_the_batch(clients: Clients) -> None:
    crm = clients.crm()
    missing = part(crm, "GET", f"mailboxes({uuid.uuid4()})")

    answer = send(crm, missing, part(crm, "POST", "emailserverprofiles", PROFILE))

    assert answer.status_code == 400
    assert statuses(answer) == [404]
    assert clients.sim.ledger() == []


def test_or_the_batch_goes_on_if_asked(clients: Clients) -> None:
    crm = clients.crm()
    missing = part(crm, "GET", f"mailboxes({uuid.uuid4()})")

    answer = send(
        crm,
        missing,
        part(crm, "POST", "emailserverprofiles", PROFILE),
        Prefer="odata.continue-on-error",
    )

    assert (answer.status_code, statuses(answer)) == (200, [404, 204])
    assert len(clients.sim.ledger()) == 1


def test_a_change_set_is_all_or_nothing(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()
    good = part(crm, "PATCH", f"mailboxes({pilot})", {"actdeliverymethod": 1}, content_id="1")
    bad = part(crm, "POST", "emailserverprofiles", {"name": "x"}, content_id="2")

    answer = send(crm, change_set(good, bad))

    assert statuses(answer) == [400]
    assert clients.sim.ledger() == []
    path = f"mailboxes({pilot})?$select=actdeliverymethod"
    assert crm.get(path).json()["actdeliverymethod"] == 2


def test_a_change_set_may_refer_to_what_it_made(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()
    made = part(crm, "POST", "emailserverprofiles", PROFILE, content_id="1")
    bound = part(
        crm,
        "PATCH",
        f"mailboxes({pilot})",
        {"emailserverprofile@odata.bind": "$1"},
        content_id="2",
    )

    answer = send(crm, change_set(made, bound))

    assert statuses(answer) == [204, 204]
    assert "Content-ID: 2" in answer.text
    create, update = clients.sim.ledger()
    profile = create["target"].rpartition("(")[2].rstrip(")")
    assert update["after"] == {"_emailserverprofile_value": profile}


def test_no_get_in_a_change_set_and_every_part_has_an_id(clients: Clients) -> None:
    crm = clients.crm()

    with_get = send(crm, change_set(part(crm, "GET", "WhoAmI", content_id="1")))
    without_id = send(crm, change_set(part(crm, "POST", "emailserverprofiles", PROFILE)))

    assert (with_get.status_code, without_id.status_code) == (400, 400)


def test_a_thousand_requests_are_the_limit(clients: Clients) -> None:
    crm = clients.crm()
    look = part(crm, "GET", "WhoAmI")

    assert send(crm, *[look] * 1000).status_code == 200
    answer = send(crm, *[look] * 1001)

    assert answer.status_code == 400
    assert "maximum number of '1000'" in answer.json()["error"]["message"]


def test_a_malformed_batch_is_refused(clients: Clients) -> None:
    crm = clients.crm()
    headers = {"Content-Type": "multipart/mixed; boundary=b"}

    cut = crm.request(
        "POST", "$batch", data=b"--b\r\nContent-Type: application/http", headers=headers
    )
    no_boundary = crm.request("POST", "$batch", data=b"x", headers={"Content-Type": "text/plain"})

    assert (cut.status_code, no_boundary.status_code) == (400, 400)


def test_one_operation_of_a_batch_is_struck_by_a_fault(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()
    clients.sim.add_dial(where="crm", match=f"PATCH .*{pilot}", fault="status", status=503)

    answer = send(
        crm,
        part(crm, "PATCH", f"mailboxes({pilot})", {"actdeliverymethod": 1}),
        part(crm, "GET", "WhoAmI"),
        Prefer="odata.continue-on-error",
    )

    assert statuses(answer) == [503, 200]


def test_another_organization_is_out_of_reach(clients: Clients) -> None:
    crm = clients.crm()
    other = clients.crm("ContosoService")

    answer = send(crm, part(other, "GET", "WhoAmI"))

    assert statuses(answer) == [400]
