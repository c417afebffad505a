"""The key file of a job: named by its plan while it is there, let go of once, and never taken from another job."""

from __future__ import annotations

from dataclasses import replace

from portal.jobs import actions, plans
from portal.jobs.compare import compare
from portal.jobs.models import Job, Plan
from portal.jobs.step import Look
from portal.vault.actions import destroy_secrets
from portal.vault.models import Secret
from sync_setup.context import SetupContext
from sync_setup.steps.clean_up import HELD, KEY_FILE, CleanUp
from tests.connect.at_hand import AtHand, order_of

STEP = CleanUp()


def _draft(at_hand: AtHand) -> Job:
    assert at_hand.certificate is not None
    return actions.draft_job(
        "connect-organization",
        at_hand.organization.scope,
        by=at_hand.requester,
        inputs={"certificate": at_hand.certificate.pk},
    )


def _secret_ids(job: Job) -> list[str]:
    return plans.kind_of(job.kind).secret_ids(job)


def _key_file(at_hand: AtHand) -> list[Secret]:
    assert at_hand.certificate is not None
    ids = {at_hand.certificate.pfx_id, at_hand.certificate.pfx_password_id}
    return [row for row in Secret.objects.filter(destroyed_at=None) if row.pk in ids]


def test_a_key_file_that_is_gone_is_not_named_by_a_plan_made_later(at_hand: AtHand) -> None:
    job = _draft(at_hand)
    assert len(_secret_ids(job)) == 2

    # Another job's clean-up, after this draft was made.
    destroy_secrets(_key_file(at_hand), by=None)

    assert _secret_ids(job) == []


def test_a_plan_keeps_naming_what_it_was_made_with(at_hand: AtHand) -> None:
    job = _draft(at_hand)
    named = _secret_ids(job)
    job.plan = Plan.objects.create(
        job=job,
        kind=job.kind,
        kind_version=1,
        canonical="{}",
        digest="0" * 64,
        requester=at_hand.requester,
        writes=True,
        secret_ids=named,
    )

    destroy_secrets(_key_file(at_hand), by=None)

    assert _secret_ids(job) == named


def _planned(at_hand: AtHand) -> tuple[Look, dict[str, object]]:
    with at_hand.context() as context:
        look = STEP.look(context, None)
        wanted = dict(STEP.wanted(context, look, []))
    assert (look.fields[KEY_FILE], wanted[KEY_FILE]) == (HELD, None)
    return look, wanted


def _carry_out(context: SetupContext, planned: Look, wanted: dict[str, object]) -> Look:
    look = STEP.look(context, None)
    found = compare(planned.fields, wanted, look.fields)
    assert found.foreign == []
    STEP.change(context, look, found.gaps, order_of(STEP))
    after = STEP.look(context, None)
    assert compare(planned.fields, wanted, after.fields).settled
    return after


def test_a_key_file_that_another_job_came_to_need_is_said_to_be_kept(at_hand: AtHand) -> None:
    planned, wanted = _planned(at_hand)
    _draft(at_hand)

    with at_hand.at_work() as context:
        after = _carry_out(context, planned, wanted)

    assert after.shown["key file"] == "kept for another unfinished job"
    assert len(_key_file(at_hand)) == 2


def test_a_key_file_that_only_another_job_needed_is_destroyed_once_that_one_is_gone(
    at_hand: AtHand,
) -> None:
    other = _draft(at_hand)
    planned, wanted = _planned(at_hand)
    actions.discard_draft(other, by=at_hand.requester)

    with at_hand.at_work() as context:
        after = _carry_out(context, planned, wanted)

    assert after.shown["key file"] == "not in the portal"
    assert _key_file(at_hand) == []


def test_the_last_look_is_the_truth_while_two_jobs_let_go(at_hand: AtHand) -> None:
    planned, wanted = _planned(at_hand)
    with at_hand.at_work() as context:
        look = STEP.look(context, None)
        assert look.fields[KEY_FILE] == HELD
        other = _draft(at_hand)
        gaps = compare(planned.fields, wanted, look.fields).gaps
        STEP.change(context, look, gaps, order_of(STEP))
        after = STEP.look(context, None)
        assert after.shown["key file"] == "kept for another unfinished job"
        own = replace(context, job_number=other.number)

        assert STEP.look(own, None).fields[KEY_FILE] == HELD
