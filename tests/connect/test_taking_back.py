"""Single steps taken back: what is ours goes, what others have come to use stays."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from portal.access.models import Person
from portal.jobs import actions
from portal.jobs.models import Job
from portal.jobs.states import JobState
from portal.jobs.step import Done, Look, Order, Step
from portal.jobs.undo import SLUG, STAYS, TakeBack
from sync_setup.context import SetupContext
from sync_setup.server_profiles import INACTIVE
from sync_setup.steps.install_token_certificate import InstallTokenCertificate
from sync_setup.steps.register_token_certificate import RegisterTokenCertificate
from tests.connect.at_hand import AtHand, gaps_of, order_of
from tests.connect.company import Company
from tests.engine.toy_world import wait_for
from tests.stack import Stack

SERVER = "CRM-APP02"
STANDING, READERS = f"{SERVER}: certificate", f"{SERVER}: key readers"


def _certificates(at_hand: AtHand) -> list[dict[str, Any]]:
    return list(at_hand.simulator.world("deployment", "servers", SERVER, "certificates"))


def _put_readers(at_hand: AtHand, readers: list[dict[str, Any]]) -> None:
    stored = _certificates(at_hand)
    place = next(
        n for n, row in enumerate(stored) if row["thumbprint"] == at_hand.good.thumbprint_sha1
    )
    at_hand.arrange(f"deployment/servers/{SERVER}/certificates/{place}/key_readers", readers)


def _readers(at_hand: AtHand) -> list[dict[str, Any]]:
    mine = [
        row for row in _certificates(at_hand) if row["thumbprint"] == at_hand.good.thumbprint_sha1
    ]
    return list(mine[0]["key_readers"])


def _done(at_hand: AtHand, step: Step[SetupContext]) -> Done:
    """Carry a step out by itself, as a job would have."""
    with at_hand.context() as context:
        before = step.look(context, None)
        order = order_of(step)
        step.change(context, before, gaps_of(before, step.wanted(context, before, [])), order)
    with at_hand.context() as context:
        after = step.look(context, None)
    return _kept(order, before, after)


def _kept(order: Order, before: Look, after: Look) -> Done:
    return Done(
        portal_id=order.portal_id,
        job=order.job,
        digest=order.digest,
        step=order.step,
        before=before.fields,
        after=after.fields,
        shown=before.shown,
        made=after.made,
    )


@contextmanager
def _undoing(at_hand: AtHand) -> Iterator[SetupContext]:
    with at_hand.context() as context:
        yield replace(context, is_undo=True)


def _taken_back(
    at_hand: AtHand, step: Step[SetupContext], done: Done
) -> tuple[Look, Mapping[str, Any]]:
    """Plan and carry out the step's way back; gives the look the plan was made of, and the fields after it."""
    undo = TakeBack(step, done)
    with _undoing(at_hand) as context:
        look = undo.look(context, None)
        wanted = undo.wanted(context, look, [])
        if gaps := gaps_of(look, wanted):
            undo.change(context, look, gaps, order_of(undo))
        after = undo.look(context, None).fields
        assert after == wanted
        return look, after


def test_readers_that_were_added_go_and_the_certificate_that_was_there_stays(
    at_hand: AtHand,
) -> None:
    for server in (SERVER, "CRM-APP01"):
        at_hand.install(server, at_hand.good)
    step = InstallTokenCertificate()
    done = _done(at_hand, step)
    assert done.after[READERS]
    _put_readers(at_hand, [*_readers(at_hand), _adfs()])

    look, after = _taken_back(at_hand, step, done)

    assert after[STANDING] == done.before[STANDING]
    assert [row["account"] for row in _readers(at_hand)] == ["CONTOSO\\adfs"]
    assert look.shown[STAYS] == [READERS]


def test_a_reader_that_somebody_entered_anew_is_not_ours_and_stays(at_hand: AtHand) -> None:
    for server in (SERVER, "CRM-APP01"):
        at_hand.install(server, at_hand.good)
    step = InstallTokenCertificate()
    done = _done(at_hand, step)
    entered = [row | {"added_by_portal": False} for row in _readers(at_hand)]
    _put_readers(at_hand, entered)

    look, after = _taken_back(at_hand, step, done)

    assert look.shown[STAYS] == [READERS]
    assert after[READERS] == done.after[READERS]
    assert _readers(at_hand) == entered


def test_a_certificate_that_somebody_else_uses_by_now_stays(at_hand: AtHand) -> None:
    step = InstallTokenCertificate()
    with at_hand.context() as context:
        before = step.look(context, None)
    for server in (SERVER, "CRM-APP01"):
        at_hand.install(server, at_hand.good)
    with at_hand.context() as context:
        done = _kept(order_of(step), before, step.look(context, None))
    _put_readers(at_hand, [_adfs()])

    with _undoing(at_hand) as context:
        undo = TakeBack(step, done)
        look = undo.look(context, None)
        wanted = undo.wanted(context, look, [])

    assert STANDING in look.shown[STAYS]
    assert wanted[STANDING] == done.after[STANDING]
    assert wanted["CRM-APP01: certificate"] is None


def test_a_key_that_somebody_else_added_for_the_same_certificate_stays(at_hand: AtHand) -> None:
    step = RegisterTokenCertificate()
    done = _done(at_hand, step)
    field = f"keyCredentials, {at_hand.good.thumbprint_sha1}"
    another = replace(done, made={"key_id": str(uuid.uuid4())})

    look, after = _taken_back(at_hand, step, another)
    assert look.shown[STAYS] == [field]
    assert after[field] == "present"

    look, after = _taken_back(at_hand, step, done)
    assert STAYS not in look.shown
    assert after[field] is None


def test_a_profile_goes_back_to_its_fields_and_a_new_one_is_switched_off(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    made = _carried(company, mira, jonas, "change-server-profile", values={"name": "Second"})
    profile = made.steps.get().made["profile_id"]
    changed = _carried(
        company,
        mira,
        jonas,
        "change-server-profile",
        profile_id=profile,
        values={"incomingportnumber": 444, "statecode": INACTIVE},
    )

    undo = _carried(company, mira, jonas, SLUG, of=changed.number)
    assert undo.steps.get().after == changed.steps.get().planned.before

    undo = _carried(company, mira, jonas, SLUG, of=made.number)
    assert undo.steps.get().after == made.steps.get().after | {"statecode": INACTIVE}


def _carried(
    company: Company, requester: Person, approver: Person, kind: str, **inputs: object
) -> Job:
    scope = company.organization.scope
    job = actions.draft_job(kind, scope, by=requester, inputs=inputs)
    actions.ask_for_checks(job, by=requester)
    job = wait_for(job, JobState.DRAFT)
    assert job.plan is not None, job.failure
    company.approved(job, requester, approver)
    return wait_for(job, JobState.SUCCEEDED)


def _adfs() -> dict[str, Any]:
    return {
        "account": "CONTOSO\\adfs",
        "sid": "S-1-5-21-9-1140",
        "rights": "Read",
        "added_by_portal": False,
    }
