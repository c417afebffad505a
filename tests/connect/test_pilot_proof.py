from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.jobs.compare import compare
from portal.jobs.step import Failed, NotYet
from sync_setup.steps.prove_pilot_mailbox import (
    CYCLE,
    MAILBOX,
    METHODS,
    PASSED,
    RESULTS,
    ProvePilotMailbox,
)
from tests.checks.company import PILOT
from tests.connect.at_hand import AtHand

STEP = ProvePilotMailbox()
NOW = datetime.now(UTC).replace(microsecond=0)
GOOD = {"incomingemailstatus": 1, "outgoingemailstatus": 1, "actstatus": 1}
BAD = {"incomingemailstatus": 2, "outgoingemailstatus": 2, "actstatus": 2}


def _ago(seconds: float) -> str:
    return f"{NOW - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _look(at_hand: AtHand, *, intended_s_ago: float = 60, **fields: Any) -> dict[str, Any]:
    at_hand.arrange_mailbox(at_hand.pilot_id, **fields)
    mark = {"completed": None, "intended_at": _ago(intended_s_ago)}
    with at_hand.at_work() as context:
        return dict(STEP.look(context, mark).fields)


def _alert(at_hand: AtHand, text: str, *, seconds_ago: float) -> None:
    table = at_hand.table("tracelog")
    key = f"00000000-0000-4000-8000-{len(table):012d}"
    row = {
        "tracelogid": key,
        "level": 3,
        "text": text,
        "createdon": _ago(seconds_ago),
        "_regardingobjectid_value": at_hand.pilot_id,
        "versionnumber": 1,
    }
    at_hand.arrange(at_hand._path("tracelog", key), row)


def test_a_failing_test_is_explained_by_its_alerts_from_before_its_completion(
    at_hand: AtHand,
) -> None:
    _alert(at_hand, "Keyset does not exist", seconds_ago=45)
    _alert(at_hand, "long before", seconds_ago=600)

    with pytest.raises(Failed) as failed:
        _look(at_hand, testmailboxaccesscompletedon=_ago(30), **BAD)

    assert "Keyset does not exist" in failed.value.message
    assert failed.value.code != "SSS-MBX-TEST"


def test_a_failed_test_still_tells_what_stands_in_the_mailbox(at_hand: AtHand) -> None:
    written = dict(METHODS) | {"emailrouteraccessapproval": 1}

    with pytest.raises(Failed) as failed:
        _look(
            at_hand,
            testmailboxaccesscompletedon=_ago(30),
            **(GOOD | {"outgoingemailstatus": 2} | written),
        )

    fields = failed.value.look.fields
    assert {name: fields[name] for name in written} == written
    assert fields[MAILBOX] == at_hand.pilot_id
    assert [fields[f"test result, {name}"] for name in RESULTS] == ["Success", None, "Success"]
    assert fields[CYCLE] is None


def test_good_results_and_a_cycle_without_an_alert_are_the_proof(at_hand: AtHand) -> None:
    # An alert of what was there before the test is none of the cycle's.
    _alert(at_hand, "of the profile before", seconds_ago=45)

    fields = _look(
        at_hand,
        testmailboxaccesscompletedon=_ago(30),
        lastsuccessfulsynccompletedon=_ago(10),
        **GOOD,
    )

    assert fields[CYCLE] == PASSED


def test_an_alert_of_the_cycle_is_a_failure(at_hand: AtHand) -> None:
    _alert(at_hand, "The cycle failed", seconds_ago=20)

    with pytest.raises(Failed, match="The cycle failed") as failed:
        _look(at_hand, testmailboxaccesscompletedon=_ago(30), **GOOD)

    fields = failed.value.look.fields
    assert {fields[f"test result, {name}"] for name in RESULTS} == {"Success"}
    assert fields[CYCLE] is None


def test_a_cycle_that_never_comes_is_a_verdict(at_hand: AtHand) -> None:
    at_hand.simulator.set_dial("crm/clock_ahead_seconds", 6 * 3600)

    with pytest.raises(Failed) as late:
        _look(at_hand, testmailboxaccesscompletedon=_ago(30), **GOOD)

    assert late.value.code == "SSS-MBX-NO-CYCLE"
    assert late.value.look.fields[CYCLE] is None


def test_a_test_that_was_asked_for_again_has_all_its_time(at_hand: AtHand) -> None:
    with pytest.raises(NotYet):
        _look(at_hand, intended_s_ago=3 * 3600, testemailconfigurationscheduled=True)


def test_a_test_that_never_ends_is_a_verdict(at_hand: AtHand) -> None:
    at_hand.simulator.set_dial("crm/clock_ahead_seconds", 31 * 60)

    with pytest.raises(Failed) as stuck:
        _look(at_hand, testemailconfigurationscheduled=True)

    assert stuck.value.code == "SSS-MBX-STUCK-SCHEDULED"
    fields = stuck.value.look.fields
    assert {fields[f"test result, {name}"] for name in RESULTS} == {None}


def test_an_address_that_another_mailbox_has_by_now_is_drift(at_hand: AtHand) -> None:
    with at_hand.context() as context:
        planned = STEP.look(context, None)
        wanted = STEP.wanted(context, planned, [])
    approved = at_hand.pilot_id
    other = next(key for key in at_hand.table("mailbox") if key != approved)
    for name in (*METHODS, "_emailserverprofile_value", "emailrouteraccessapproval"):
        at_hand.arrange_mailbox(other, **{name: planned.fields[name]})
    at_hand.arrange_mailbox(approved, emailaddress="moved@contoso.example")
    at_hand.arrange_mailbox(other, emailaddress=PILOT)

    with at_hand.at_work() as context:
        look = STEP.look(context, None)

    drift = compare(planned.fields, wanted, look.fields).foreign
    assert [(item.field, item.wanted, item.now) for item in drift] == [(MAILBOX, approved, other)]


def test_the_mark_is_by_the_clock_of_dynamics(at_hand: AtHand) -> None:
    at_hand.simulator.set_dial("crm/clock_ahead_seconds", 3600)

    with at_hand.at_work() as context:
        mark = STEP.mark(context, STEP.look(context, None))

    ahead = datetime.fromisoformat(mark["intended_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)


def test_what_the_test_leaves_in_exchange_is_named_before_approval() -> None:
    assert not STEP.is_reversible
    assert "Exchange Online keep this organization" in STEP.undo
    assert "appointments, contacts and tasks" in STEP.notice
