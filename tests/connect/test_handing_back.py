from __future__ import annotations

import uuid

from portal.access.models import Person
from portal.jobs.models import JobStep
from portal.jobs.states import JobState, StepState
from portal.jobs.step import Look
from sync_setup.models import EntraTenant
from sync_setup.steps.hand_back_tenant_access import FIELD, HANDED_BACK, HandBackTenantAccess
from sync_setup.steps.provide_tenant_access import FIELD as ACCESS
from sync_setup.steps.provide_tenant_access import PROVIDED, ProvideTenantAccess
from tests.connect.at_hand import AtHand
from tests.connect.company import Company
from tests.engine.toy_world import wait_for
from tests.stack import Stack
from tests.waiting import wait_until

PROVIDE, HAND_BACK = ProvideTenantAccess(), HandBackTenantAccess()


def _entered(at_hand: AtHand) -> dict[str, str]:
    """App and credential with which a job had access."""
    with at_hand.at_work() as context:
        look = PROVIDE.look(context, None)
    assert look.fields == {ACCESS: PROVIDED}
    return dict(look.made)


def _look(at_hand: AtHand, entered: dict[str, str]) -> tuple[Look, str]:
    with at_hand.at_work(**{PROVIDE.key: entered}) as context:
        return HAND_BACK.look(context, None), HAND_BACK.ask(context).text


def test_a_refusal_of_what_had_access_is_the_proof(at_hand: AtHand) -> None:
    entered = _entered(at_hand)
    assert _look(at_hand, entered)[0].fields == {FIELD: None}

    at_hand.delete_setup_app()

    assert _look(at_hand, entered)[0].fields == {FIELD: HANDED_BACK}


def test_a_mistyped_secret_proves_nothing(at_hand: AtHand) -> None:
    entered = _entered(at_hand)
    at_hand.enter(secret="not the secret")

    look, asked = _look(at_hand, entered)

    assert look.fields == {FIELD: None}
    assert look.shown["answer"] == "SSS-ENTRA-AADSTS7000215"
    assert "another credential" in look.shown["no proof"]
    assert "deletion of the app itself" in asked
    # Whether the app is there does not hang on the secret.
    at_hand.delete_setup_app()
    assert _look(at_hand, entered)[0].fields == {FIELD: HANDED_BACK}


def test_a_mistyped_client_id_proves_nothing(at_hand: AtHand) -> None:
    entered = _entered(at_hand)
    at_hand.enter(client_id=str(uuid.uuid4()))

    look, asked = _look(at_hand, entered)

    assert look.fields == {FIELD: None}
    assert "another app" in look.shown["no proof"]
    assert entered["client_id"] in asked


def test_no_credential_at_all_proves_nothing(at_hand: AtHand) -> None:
    entered = _entered(at_hand)
    EntraTenant.objects.update(credential=None)

    assert _look(at_hand, entered)[0].fields == {FIELD: None}


def test_a_plan_finds_nothing_handed_back(at_hand: AtHand) -> None:
    at_hand.delete_setup_app()

    with at_hand.context() as context:
        look = HAND_BACK.look(context, None)
        assert look.fields == {FIELD: None}
        assert HAND_BACK.wanted(context, look, []) == {FIELD: HANDED_BACK}


def test_a_tenant_that_keeps_the_app_is_asked_for_nothing(at_hand: AtHand) -> None:
    EntraTenant.objects.update(keeps_access=True)
    at_hand.delete_setup_app()

    with at_hand.context() as context:
        look = HAND_BACK.look(context, None)
        assert (look.fields, HAND_BACK.wanted(context, look, [])) == ({}, {})


def test_access_that_went_between_plan_and_start_is_waited_for(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    assert job.plan is not None
    row = job.plan.steps.get(key=PROVIDE.key)
    assert (row.before, row.shown["now"]) == ({ACCESS: None}, PROVIDED)
    company.delete_setup_app()

    company.approved(job, mira, jonas)
    job = wait_for(job, JobState.NEEDS_PERSON)
    assert company.simulator.ledger() == []
    company.restore_setup_app()
    step = JobStep.objects.filter(job=job, planned__key=PROVIDE.key, state=StepState.DONE)
    wait_until(step.exists)

    company.carried(job)
