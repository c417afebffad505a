from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.errors import (
    BadInput,
    Conflict,
    Garbled,
    GatewayError,
    Missing,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from sync_setup.gateways.dynamics import MAILBOXES, PROFILES, QUEUES, USERS
from sync_setup.gateways.identifiers import MailboxId, ProfileId, RecordId
from sync_setup.gateways.odata import compare, same_id
from tests.gateways.simulated import Simulator

PROFILE: dict[str, object] = {
    "name": "Exchange Online (Hybrid)",
    "servertype": 3,
    "usedefaulttenantid": True,
    "useautodiscover": False,
    "incomingserverlocation": "https://outlook.office365.com/EWS/Exchange.asmx",
    "outgoingserverlocation": "https://outlook.office365.com/EWS/Exchange.asmx",
    "incomingcredentialretrieval": 2,
    "outgoingcredentialretrieval": 2,
}


def new_id() -> ProfileId:
    return ProfileId(RecordId(str(uuid.uuid4())))


def created(simulator: Simulator) -> ProfileId:
    profile_id = new_id()
    simulator.dynamics().create_server_profile(profile_id, PROFILE)
    return profile_id


def test_the_organization_tells_who_we_are_and_what_it_is(simulator: Simulator) -> None:
    dynamics = simulator.dynamics()

    caller, organization = dynamics.who_am_i(), dynamics.current_organization()

    assert dynamics.sign_in().kind == "negotiate"
    assert caller.organization_id == organization.id
    assert organization.unique_name == "ContosoSales"
    assert organization.version == dynamics.version()
    assert "prvWriteMailbox" in dynamics.privileges(caller.user_id)
    dynamics.close()
    assert dynamics.who_am_i() == caller


def test_the_names_of_the_organizations_own_metadata_are_read(simulator: Simulator) -> None:
    names = simulator.dynamics().metadata(["mailbox", "emailserverprofile", "nothing"])

    assert set(names) == {"mailbox", "emailserverprofile"}
    assert "testemailconfigurationscheduled" in names["mailbox"].properties
    assert "emailserverprofile" in names["mailbox"].navigations
    assert set(PROFILE) <= names["emailserverprofile"].properties


def test_a_profile_is_created_once_however_often_it_is_tried(simulator: Simulator) -> None:
    dynamics, profile_id = simulator.dynamics(), new_id()
    before = len(dynamics.server_profiles(["name"]))

    dynamics.create_server_profile(profile_id, PROFILE)
    with pytest.raises(Conflict) as again:
        dynamics.create_server_profile(profile_id, PROFILE)

    assert again.value.code == "SSS-CRM-DUPLICATE"
    assert len(dynamics.server_profiles(["name"])) == before + 1
    profile = dynamics.server_profile(profile_id)
    assert {name: profile.fields[name] for name in PROFILE} == PROFILE
    assert len(simulator.effects()) == 1


def test_a_profile_whose_creation_was_not_answered_is_found_by_its_id(
    simulator: Simulator,
) -> None:
    dynamics, profile_id = simulator.dynamics(), new_id()
    dynamics.who_am_i()
    simulator.dial("crm", "drop", match="^POST .*emailserverprofiles", after=True)

    with pytest.raises(Unreachable) as lost:
        dynamics.create_server_profile(profile_id, PROFILE)

    assert lost.value.sent
    assert dynamics.server_profile(profile_id, ["name"]).fields["name"] == PROFILE["name"]


def test_a_change_holds_only_for_the_version_that_was_read(simulator: Simulator) -> None:
    dynamics, profile_id = simulator.dynamics(), created(simulator)
    etag = dynamics.server_profile(profile_id, ["name"]).etag

    dynamics.update(PROFILES, profile_id, {"description": "O'Brien; $(x)"}, etag)
    with pytest.raises(Conflict) as changed:
        dynamics.update(PROFILES, profile_id, {"description": "late"}, etag)
    dynamics.update(PROFILES, profile_id, {"maxconcurrentconnections": 12}, "*")

    assert changed.value.code == "SSS-CRM-412"
    fields = dynamics.server_profile(profile_id).fields
    assert (fields["description"], fields["maxconcurrentconnections"]) == ("O'Brien; $(x)", 12)


def test_two_changes_in_a_row_hold_each_for_the_version_before(simulator: Simulator) -> None:
    dynamics, profile_id = simulator.dynamics(), created(simulator)
    etag = dynamics.server_profile(profile_id, ["name"]).etag

    second = dynamics.update_before_another(PROFILES, profile_id, {"description": "one"}, etag)
    simulator.dynamics().update(PROFILES, profile_id, {"description": "somebody else"}, "*")
    with pytest.raises(Conflict):
        dynamics.set_profile_active(profile_id, False, second)
    again = dynamics.server_profile(profile_id, ["name"]).etag
    second = dynamics.update_before_another(PROFILES, profile_id, {"description": "two"}, again)
    dynamics.set_profile_active(profile_id, False, second)

    assert second != again
    fields = dynamics.server_profile(profile_id).fields
    assert (fields["description"], fields["statecode"]) == ("two", 1)


def test_a_change_whose_answer_tells_no_version_cannot_be_followed_by_another(
    simulator: Simulator,
) -> None:
    dynamics, profile_id = simulator.dynamics(), created(simulator)
    etag = dynamics.server_profile(profile_id, ["name"]).etag
    simulator.dial("crm", "status", match="^PATCH ", status=204, body="")

    with pytest.raises(Garbled):
        dynamics.update_before_another(PROFILES, profile_id, {"description": "one"}, etag)


def test_the_clock_is_the_servers_own(simulator: Simulator) -> None:
    before = datetime.now(UTC)
    said = simulator.dynamics().clock()

    assert said.tzinfo is not None
    assert said.microsecond == 0
    assert before - timedelta(seconds=2) < said < datetime.now(UTC) + timedelta(seconds=1)


def test_a_change_never_creates_what_is_not_there(simulator: Simulator) -> None:
    dynamics = simulator.dynamics()

    with pytest.raises(Missing) as missing:
        dynamics.update(PROFILES, new_id(), PROFILE, "*")
    with pytest.raises(BadInput):
        dynamics.update(PROFILES, new_id(), PROFILE, "")

    assert missing.value.code == "SSS-CRM-404"
    assert simulator.effects() == []


def test_a_profile_is_deactivated_and_activated(simulator: Simulator) -> None:
    dynamics, profile_id = simulator.dynamics(), created(simulator)

    for active, state in ((False, 1), (True, 0)):
        etag = dynamics.server_profile(profile_id, ["name"]).etag
        dynamics.set_profile_active(profile_id, active, etag)
        assert dynamics.server_profile(profile_id, ["statecode"]).fields["statecode"] == state


def test_mailboxes_come_in_pages_and_by_filter(simulator: Simulator) -> None:
    dynamics = simulator.dynamics()

    pages = list(dynamics.mailbox_pages(None, ["name", "emailaddress"], 100))
    active = compare("statecode", "eq", 0)
    whole = [record for page in dynamics.mailbox_pages(active, ["name"]) for record in page]

    assert [len(page) for page in pages] == [100, 100, 50]
    ids = {record.id for page in pages for record in page}
    assert len(ids) == 250
    assert {record.id for record in whole} <= ids


def test_one_mailbox_its_user_and_its_queue_are_read(simulator: Simulator) -> None:
    dynamics = simulator.dynamics()
    address = "sss.pilot@contoso.example"
    where = compare("emailaddress", "eq", address)
    ((pilot,),) = dynamics.mailbox_pages(where, ["name"])

    mailbox = dynamics.mailbox(MailboxId(pilot.id), ["emailaddress", "_regardingobjectid_value"])

    owner = RecordId(str(mailbox.fields["_regardingobjectid_value"]))
    (user,) = dynamics.records(USERS, ["fullname"], same_id("systemuserid", owner))
    assert mailbox.fields["emailaddress"] == address
    assert user.id == owner
    assert list(dynamics.records(QUEUES, ["name"]))
    with pytest.raises(Missing, match="has no record"):
        dynamics.record(MAILBOXES, RecordId(str(uuid.uuid4())))
    with pytest.raises(BadInput):
        list(dynamics.records("accounts"))


def test_a_mailbox_test_leaves_alerts_that_are_read_since_a_moment(simulator: Simulator) -> None:
    simulator.set("crm/test_seconds", 0.0)
    dynamics = simulator.dynamics()
    where = compare("emailaddress", "eq", "sss.pilot@contoso.example")
    ((pilot,),) = dynamics.mailbox_pages(where, ["name"])
    mailbox_id, since = MailboxId(pilot.id), datetime.now(UTC) - timedelta(minutes=1)

    dynamics.update(MAILBOXES, mailbox_id, {"testemailconfigurationscheduled": True}, pilot.etag)

    for _ in range(500):
        mailbox = dynamics.mailbox(mailbox_id, ["testemailconfigurationscheduled"])
        if not mailbox.fields["testemailconfigurationscheduled"]:
            break
    alerts = dynamics.alerts(mailbox_id, since)
    assert alerts
    assert alerts[0].fields["text"]
    assert dynamics.alerts(mailbox_id, datetime.now(UTC) + timedelta(hours=1)) == ()


def test_a_user_without_a_privilege_is_told_which(simulator: Simulator) -> None:
    with pytest.raises(Refused) as refused:
        simulator.dynamics("crm_reader", organization="ContosoService").create_server_profile(
            new_id(), PROFILE
        )

    assert refused.value.code == "SSS-CRM-403"
    assert refused.value.remedy
    assert refused.value.detail["error_code"].startswith("0x")


def test_who_cannot_sign_in_is_told_so(simulator: Simulator) -> None:
    with pytest.raises(Refused) as wrong:
        simulator.dynamics(password="wrong-password").who_am_i()
    with pytest.raises(Missing):
        simulator.dynamics(organization="Nothing").who_am_i()

    assert wrong.value.code == "SSS-CRM-401"
    assert "wrong-password" not in f"{wrong.value} {wrong.value.detail}"


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"fault": "status", "status": 400}, Rejected, "400"),
        ({"fault": "status", "status": 404}, Missing, "404"),
        ({"fault": "status", "status": 429, "retry_after": 2}, Throttled, "429"),
        ({"fault": "status", "status": 500}, Rejected, "500"),
        ({"fault": "status", "status": 500, "code": "0x80044151"}, Unreachable, "500"),
        ({"fault": "status", "status": 503, "code": "x"}, Throttled, "503"),
        ({"fault": "status", "status": 504}, Unreachable, "504"),
        ({"fault": "html"}, Garbled, "GARBLED"),
        ({"fault": "garbled"}, Garbled, "GARBLED"),
        ({"fault": "truncated"}, Garbled, "GARBLED"),
        ({"fault": "drop"}, Unreachable, "DROPPED"),
        ({"fault": "timeout_before"}, Unreachable, "TIMEOUT"),
    ],
)
def test_trouble_has_its_class(
    simulator: Simulator, fault: dict[str, Any], kind: type[GatewayError], code: str
) -> None:
    dynamics = simulator.dynamics(times={"read_timeout_s": 0.7})
    dynamics.who_am_i()
    simulator.dial("crm", match="RetrieveVersion", **fault)

    with pytest.raises(kind) as failed:
        dynamics.version()

    assert failed.value.code == f"SSS-CRM-{code}"
    assert failed.value.retry_after_s == fault.get("retry_after")
    assert dynamics.version()


def test_an_organization_that_nothing_listens_for_was_never_asked(simulator: Simulator) -> None:
    simulator.dial("crm", "refused")

    with pytest.raises(Unreachable) as unreachable:
        simulator.dynamics().create_server_profile(new_id(), PROFILE)

    assert not unreachable.value.sent
