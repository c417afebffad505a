"""Reads of the Web API: functions, queries, pages, annotations, refusals."""

from __future__ import annotations

import urllib.parse
import uuid
from typing import Any

import pytest

from tests.simulator.clients import SALES, SERVICE, Clients

FORMATTED = "@OData.Community.Display.V1.FormattedValue"


def test_who_am_i_and_the_version(clients: Clients) -> None:
    crm = clients.crm()
    me = crm.get("WhoAmI").json()

    assert set(me) == {"@odata.context", "BusinessUnitId", "UserId", "OrganizationId"}
    assert crm.get("RetrieveVersion()").json()["Version"] == "9.1.31.21"
    user = crm.get(f"systemusers({me['UserId']})?$select=domainname").json()
    assert user["domainname"] == clients.at["crm_user"]["username"]


def test_each_organization_knows_itself(clients: Clients) -> None:
    call = (
        "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
    )

    names = [
        clients.crm(name).get(call).json()["Detail"]["UniqueName"] for name in (SALES, SERVICE)
    ]

    assert names == [SALES, SERVICE]


def test_privileges_of_a_user(clients: Clients) -> None:
    crm = clients.crm()
    me = crm.get("WhoAmI").json()["UserId"]

    held = crm.get(f"systemusers({me})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()").json()
    names = {row["privilegeid"]: row["name"] for row in crm.rows("privileges?$select=name")}

    found = {names[row["PrivilegeId"]] for row in held["RolePrivileges"]}
    assert "prvWriteMailbox" in found
    roles = crm.rows(f"systemusers({me})/systemuserroles_association?$select=name")
    assert [role["name"] for role in roles] == ["SSS Portal"]


def test_the_metadata_names_what_is_there(clients: Clients) -> None:
    answer = clients.crm().get("$metadata", Accept="application/xml")

    assert answer.headers["Content-Type"].startswith("application/xml")
    assert b'EntityType Name="emailserverprofile"' in answer.content


def test_250_mailboxes_users_and_queues(clients: Clients) -> None:
    rows = clients.crm().rows("mailboxes?$select=name,mailboxstatus,_regardingobjectid_value")

    assert len(rows) == 250
    assert len({row["_regardingobjectid_value"] for row in rows}) == 250
    assert sum(row["mailboxstatus"] == 2 for row in rows) > 5
    assert sum(row["name"] == "SSS Pilot" for row in rows) == 1
    assert len(clients.crm().rows("queues?$select=name")) == 10


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("name eq 'SSS Pilot'", 1),
        ("name eq 'sss pilot'", 1),
        ("contains(emailaddress,'sss.')", 1),
        ("startswith(name,'SSS') and statecode eq 0", 1),
        ("not startswith(name,'SSS')", 249),
        ("statecode eq 1", 0),
        ("(name eq 'SSS Pilot' or name eq 'Orders') and isforwardmailbox eq false", 2),
        ("_emailserverprofile_value eq null and name eq 'SSS Pilot'", 1),
        ("createdon gt 2100-01-01T00:00:00Z", 0),
        ("createdon le 2100-01-01T00:00:00Z and name eq 'Orders'", 1),
        ("name eq 'O''Nobody'", 0),
    ],
)
def test_filters(clients: Clients, text: str, count: int) -> None:
    query = urllib.parse.quote(text)

    assert len(clients.crm().rows(f"mailboxes?$select=name&$filter={query}")) == count


@pytest.mark.parametrize(
    "query",
    [
        "$filter=bogus eq 1",
        "$filter=name eq",
        "$filter=_emailserverprofile_value eq '6d1f3a5e-2b7c-4c8e-9a41-0f5b7d9e3c21'",
        "$filter=statecode eq '0'",
        "$filter=name like 'x'",
        "$filter=foo(name,'x')",
        "$filter=(name eq 'x'",
        "$filter=name eq 'x' name",
        "$select=bogus",
        "$select=password",
        "$orderby=bogus",
        "$orderby=name sideways",
        "$top=many",
        "$apply=groupby((name))",
        "$skiptoken=abc",
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(clients: Clients, query: str) -> None:
    answer = clients.crm().get(f"mailboxes?{query}")

    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message"}


def test_an_unknown_property_is_named(clients: Clients) -> None:
    message = clients.crm().get("mailboxes?$select=mailboxstatistics").json()["error"]["message"]

    assert message == (
        "Could not find a property named 'mailboxstatistics' on type 'Microsoft.Dynamics.CRM.mailbox'."
    )


def test_pages_follow_the_next_link(clients: Clients) -> None:
    crm = clients.crm()
    seen: list[str] = []
    path = "mailboxes?$select=name&$filter=statecode eq 0&$count=true"
    counts = []
    while path:
        page: dict[str, Any] = crm.get(path, Prefer="odata.maxpagesize=60").json()
        seen += [row["mailboxid"] for row in page["value"]]
        counts.append(page["@odata.count"])
        path = page.get("@odata.nextLink", "").removeprefix(f"{crm.root}/")

    assert len(seen) == len(set(seen)) == 250
    assert set(counts) == {250}
    assert len(counts) == 5


def test_order_and_top(clients: Clients) -> None:
    crm = clients.crm()
    rows = crm.rows("mailboxes?$select=name&$orderby=name desc&$top=5")

    names = [row["name"].casefold() for row in rows]
    assert names == sorted(names, reverse=True)
    assert len(names) == 5
    assert "@odata.nextLink" not in crm.get("mailboxes?$select=name&$top=5").json()


def test_labels_come_on_demand(clients: Clients) -> None:
    crm = clients.crm()
    path = "mailboxes?$select=mailboxstatus,_regardingobjectid_value&$filter=name eq 'SSS Pilot'"

    with_labels = crm.get(path, Prefer='odata.include-annotations="*"').json()["value"][0]
    plain = crm.rows(path)[0]

    assert with_labels[f"mailboxstatus{FORMATTED}"] == "Not Run"
    assert with_labels[f"_regardingobjectid_value{FORMATTED}"] == "SSS Pilot"
    assert (
        with_labels["_regardingobjectid_value@Microsoft.Dynamics.CRM.lookuplogicalname"]
        == "systemuser"
    )
    assert not any(FORMATTED in name for name in plain)


def test_etags_tell_versions(clients: Clients) -> None:
    crm = clients.crm()
    pilot = crm.pilot()
    answer = crm.get(f"mailboxes({pilot})?$select=name")

    assert answer.headers["ETag"] == answer.json()["@odata.etag"]
    again = crm.get(f"mailboxes({pilot})?$select=name", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_record_that_is_not_there(clients: Clients) -> None:
    missing = str(uuid.uuid4())

    answer = clients.crm().get(f"mailboxes({missing})")

    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "code": "0x80040217",
        "message": f"mailbox With Id = {missing} Does Not Exist",
    }


def test_sets_and_organizations_that_are_not_there(clients: Clients) -> None:
    assert clients.crm().get("mailboxstatistics").status_code == 404
    assert clients.crm("Nowhere").get("WhoAmI").status_code == 404


def test_a_disabled_organization_answers_nobody(clients: Clients) -> None:
    clients.sim.set_world(f"deployment/organizations/{SALES}/state", "Disabled")

    assert clients.crm().get("WhoAmI").status_code == 403


def test_alerts_of_a_mailbox(clients: Clients) -> None:
    crm = clients.crm()
    failing = crm.rows("mailboxes?$select=name&$filter=mailboxstatus eq 2&$top=1")[0]["mailboxid"]
    path = f"tracelogs?$filter=_regardingobjectid_value eq {failing}&$orderby=createdon desc"

    rows = crm.rows(f"{path}&$select=level,text,machinename,createdon,tracestatus")

    assert rows[0]["level"] == 3
    assert "401 Unauthorized" in rows[0]["text"]
    assert crm.rows(f"mailboxes({failing})/tracelog_Mailbox?$select=level")[0]["level"] == 3


def test_a_count_of_a_set(clients: Clients) -> None:
    assert clients.crm().get("mailboxes/$count").text == "250"


def test_nobody_acts_for_others(clients: Clients) -> None:
    crm = clients.crm()
    me = crm.get("WhoAmI").json()["UserId"]

    assert crm.get("WhoAmI", MSCRMCallerID=me).status_code == 403
