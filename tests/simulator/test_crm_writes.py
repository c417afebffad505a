"""Writes of the Web API: what is accepted, what is refused, what the ledger tells."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.simulator.clients import EWS_URL, Clients

PROFILE = {"name": "Exchange Online", "servertype": 3, "incomingserverlocation": EWS_URL}


def test_a_profile_is_created_with_the_defaults(clients: Clients) -> None:
    crm = clients.crm()
    answer = crm.request("POST", "emailserverprofiles", json=PROFILE)

    assert answer.status_code == 204
    record_id = answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")
    row = crm.get(f"emailserverprofiles({record_id})").json()
    assert (row["statecode"], row["usedefaulttenantid"], row["useautodiscover"]) == (0, True, False)
    assert row["_ownerid_value"] == crm.get("WhoAmI").json()["UserId"]
    assert "incomingpassword" not in row


def test_the_ledger_tells_a_create(clients: Clients) -> None:
    record_id = clients.crm().create_profile()

    (effect,) = clients.sim.ledger()
    assert effect["effect"] == "emailserverprofile.create"
    assert effect["target"] == f"ContosoSales/emailserverprofiles({record_id})"
    assert effect["caller"] == clients.at["crm_user"]["username"]
    assert effect["before"] is None
    assert effect["after"]["servertype"] == 3


def test_the_caller_may_choose_the_id(clients: Clients) -> None:
    crm, mine = clients.crm(), str(uuid.uuid4())
    body = PROFILE | {"emailserverprofileid": mine}

    first = crm.request("POST", "emailserverprofiles", json=body)
    second = crm.request("POST", "emailserverprofiles", json=body)

    assert mine in first.headers["OData-EntityId"]
    assert (second.status_code, second.json()["error"]["code"]) == (412, "0x80040237")
    assert len(clients.sim.ledger()) == 1


def test_the_new_record_may_be_returned(clients: Clients) -> None:
    answer = clients.crm().request(
        "POST", "emailserverprofiles", json=PROFILE, headers={"Prefer": "return=representation"}
    )

    assert answer.status_code == 201
    assert answer.json()["name"] == "Exchange Online"


def test_patch_creates_what_is_not_there(clients: Clients) -> None:
    crm, mine = clients.crm(), str(uuid.uuid4())

    answer = crm.patch(f"emailserverprofiles({mine})", PROFILE, etag="")

    assert answer.status_code == 204
    assert crm.get(f"emailserverprofiles({mine})").status_code == 200


@pytest.mark.parametrize("etag", ["*", 'W/"1"'])
def test_patch_with_if_match_creates_nothing(clients: Clients, etag: str) -> None:
    crm, mine = clients.crm(), str(uuid.uuid4())

    answer = crm.patch(f"emailserverprofiles({mine})", PROFILE, etag)

    assert answer.status_code == 404
    assert clients.sim.ledger() == []


def test_patch_with_the_etag_of_the_look(clients: Clients) -> None:
    crm = clients.crm()
    path = f"emailserverprofiles({crm.create_profile()})"
    etag = crm.get(path).headers["ETag"]

    assert crm.patch(path, {"description": "one"}, etag).status_code == 204
    late = crm.patch(path, {"description": "two"}, etag)

    assert late.status_code == 412
    assert late.json()["error"]["code"] == "0x80060882"
    assert crm.get(path).json()["description"] == "one"
    last = clients.sim.ledger()[-1]
    assert (last["before"], last["after"]) == ({"description": None}, {"description": "one"})


def test_a_patch_that_changes_nothing_is_no_effect(clients: Clients) -> None:
    crm = clients.crm()
    path = f"emailserverprofiles({crm.create_profile()})"
    before = len(clients.sim.ledger())

    assert crm.patch(path, {"name": "Exchange Online"}).status_code == 204
    assert len(clients.sim.ledger()) == before


def test_a_profile_is_deactivated_and_activated(clients: Clients) -> None:
    crm = clients.crm()
    path = f"emailserverprofiles({crm.create_profile()})"

    crm.patch(path, {"statecode": 1})

    row = crm.get(f"{path}?$select=statecode,statuscode").json()
    assert (row["statecode"], row["statuscode"]) == (1, 2)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"bogus": 1}, "Could not find a property named 'bogus'"),
        ({"name": 5}, "Cannot convert the literal '5' to the expected type 'Edm.String'"),
        ({"useautodiscover": 1}, "Edm.Boolean"),
        ({"servertype": True}, "Edm.Int32"),
        ({"servertype": 7}, "outside the valid range. Accepted Values: 0,1,2,3"),
        ({"incomingcredentialretrieval": 9}, "outside the valid range"),
        ({"minpollingintervalinminutes": 5000}, "Accepted Values: 0 - 1440"),
        ({"name": "x" * 101}, "exceeded the maximum allowed length of '100'"),
        ({"name": None}, "A value for 'name' must be provided"),
        ({"createdon": "2026-01-01T00:00:00Z"}, "cannot be modified"),
        ({"_ownerid_value": str(uuid.uuid4())}, "cannot be modified"),
        ({"processemailsreceivedafter": "yesterday"}, "Edm.DateTimeOffset"),
        ({"processemailsreceivedafter": "2026-01-01T00:00:00"}, "Edm.DateTimeOffset"),
        ({"bogus@odata.bind": "/systemusers(x)"}, "bogus@odata.bind"),
        ({"ownerid@odata.bind": "systemusers"}, "cannot be bound"),
        ({"ownerid@odata.bind": f"/systemusers({uuid.uuid4()})"}, "Does Not Exist"),
        ({"createdby@odata.bind": f"/systemusers({uuid.uuid4()})"}, "cannot be modified"),
    ],
)
def test_a_bad_payload_is_refused(clients: Clients, body: dict[str, Any], text: str) -> None:
    answer = clients.crm().request("POST", "emailserverprofiles", json=PROFILE | body)

    assert answer.status_code in (400, 404)
    assert text in answer.json()["error"]["message"]
    assert clients.sim.ledger() == []


def test_required_columns_are_required(clients: Clients) -> None:
    answer = clients.crm().request("POST", "emailserverprofiles", json={"name": "x"})

    assert "A value for 'servertype' must be provided" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"incomingemailstatus": 1},
        {"mailboxstatus": 1},
        {"mailboxid": str(uuid.uuid4())},
        {"isforwardmailbox": True},
        {"actdeliverymethod": 3},
        {"emailrouteraccessapproval": 4},
    ],
)
def test_a_mailbox_cannot_be_made_green_by_hand(clients: Clients, body: dict[str, Any]) -> None:
    crm = clients.crm()

    assert crm.patch(f"mailboxes({crm.pilot()})", body).status_code == 400


def test_a_body_that_is_no_json_is_refused(clients: Clients) -> None:
    answer = clients.crm().request("POST", "emailserverprofiles", data=b"{")

    assert answer.status_code == 400


def test_a_profile_is_bound_to_a_mailbox(clients: Clients) -> None:
    crm = clients.crm()
    profile, pilot = crm.create_profile(), crm.pilot()

    crm.configure(pilot, profile)

    row = crm.get(f"mailboxes({pilot})?$select=_emailserverprofile_value,actdeliverymethod").json()
    assert (row["_emailserverprofile_value"], row["actdeliverymethod"]) == (profile, 1)


def test_a_lookup_can_be_emptied(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()
    crm.configure(pilot, crm.create_profile())

    crm.patch(f"mailboxes({pilot})", {"emailserverprofile@odata.bind": None})

    path = f"mailboxes({pilot})?$select=_emailserverprofile_value"
    assert crm.get(path).json()["_emailserverprofile_value"] is None


def test_a_profile_in_use_cannot_be_deleted(clients: Clients) -> None:
    crm = clients.crm()
    used, unused = crm.create_profile(), crm.create_profile(name="Other")
    crm.configure(crm.pilot(), used)

    assert crm.request("DELETE", f"emailserverprofiles({used})").status_code == 400
    assert crm.request("DELETE", f"emailserverprofiles({unused})").status_code == 204
    assert clients.sim.ledger()[-1]["effect"] == "emailserverprofile.delete"
    assert crm.request("DELETE", f"emailserverprofiles({unused})").status_code == 404


def test_a_mailbox_cannot_be_deleted(clients: Clients) -> None:
    crm = clients.crm()

    assert crm.request("DELETE", f"mailboxes({crm.pilot()})").status_code == 400


def test_who_may_only_look_cannot_write(clients: Clients) -> None:
    reader = clients.crm(user="crm_reader")
    pilot = reader.pilot()

    answer = reader.patch(f"mailboxes({pilot})", {"incomingemaildeliverymethod": 2})

    assert answer.status_code == 403
    message = answer.json()["error"]["message"]
    assert message.startswith("Principal user (Id=")
    assert "is missing prvWriteMailbox privilege" in message


def test_approving_needs_its_own_privilege(clients: Clients) -> None:
    crm = clients.crm()
    roles = clients.sim.world("databases", "ContosoSales", "tables", "role")
    role = next(key for key, row in roles.items() if row["name"] == "SSS Portal")
    path = f"databases/ContosoSales/tables/role/{role}/~privileges"
    held = [name for name in roles[role]["~privileges"] if name != "prvApproveRejectEmailAddress"]
    clients.sim.set_world(path, held)
    pilot = crm.pilot()
    crm.patch(f"mailboxes({pilot})", {"emailrouteraccessapproval": 0})

    answer = crm.patch(f"mailboxes({pilot})", {"emailrouteraccessapproval": 1})

    assert answer.status_code == 403
    assert "prvApproveRejectEmailAddress" in answer.json()["error"]["message"]


def test_a_changed_address_has_to_be_approved_again(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()

    crm.patch(f"mailboxes({pilot})", {"emailaddress": "other@contoso.example"})

    path = f"mailboxes({pilot})?$select=emailrouteraccessapproval"
    assert crm.get(path).json()["emailrouteraccessapproval"] == 2


def test_organization_defaults(clients: Clients) -> None:
    crm = clients.crm()
    profile = crm.create_profile()
    organization = crm.rows("organizations?$select=name")[0]["organizationid"]
    body = {"defaultemailserverprofileid@odata.bind": f"/emailserverprofiles({profile})"}

    assert crm.patch(f"organizations({organization})", body).status_code == 204
    assert clients.sim.ledger()[-1]["after"] == {"_defaultemailserverprofileid_value": profile}


def test_a_silent_failure_says_done_and_does_nothing(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()
    clients.sim.add_dial(where="crm", match="^(PATCH|POST)", fault="silent", times=2)

    assert crm.patch(f"mailboxes({pilot})", {"actdeliverymethod": 1}).status_code == 204
    assert crm.request("POST", "emailserverprofiles", json=PROFILE).status_code == 204
    assert clients.sim.ledger() == []
