"""The restart step at one server: what is its own business, and what is still under way there."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import NotSettled, Unreachable
from portal.jobs.compare import compare
from portal.jobs.step import Gap
from sync_setup.steps.restart_async_services import RESTARTED, RestartAsyncServices
from tests.connect.at_hand import AtHand, order_of

SERVER = "CRM-APP02"
ASYNC = f"MSCRMAsyncService on {SERVER}"
MAINTENANCE = f"MSCRMAsyncService$maintenance on {SERVER}"
DUE = Gap(None, RESTARTED)


class Impatient(RestartAsyncServices):
    """Takes what does not show at once for drift."""

    settle_s = 0.0


def _instant(moment: datetime) -> str:
    """Write an instant as the servers do."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _start(at_hand: AtHand, place: int, moment: datetime) -> None:
    at_hand.arrange(f"deployment/servers/{SERVER}/services/{place}/started_at", _instant(moment))


def test_a_service_that_is_not_due_may_be_restarted_by_anybody(at_hand: AtHand) -> None:
    step = RestartAsyncServices()
    changed = datetime.now(UTC) - timedelta(hours=1)
    at_hand.arrange_server(SERVER, last_change=_instant(changed))
    _start(at_hand, 0, changed - timedelta(hours=1))
    _start(at_hand, 1, changed + timedelta(minutes=30))
    with at_hand.context() as context:
        planned = step.look(context, None)
        wanted = step.wanted(context, planned, [])
    assert {name: wanted[name] for name in (ASYNC, MAINTENANCE)} == {
        ASYNC: RESTARTED,
        MAINTENANCE: None,
    }

    plan = at_hand.planned_with(step, planned, wanted)
    with at_hand.at_work() as context:
        at_work = replace(context, plan=plan)
        look = step.look(at_work, None)
        order = order_of(step, step.mark(at_work, look))
        step.change(at_work, look, compare(planned.fields, wanted, look.fields).gaps, order)
        _start(at_hand, 1, datetime.now(UTC))
        look = step.look(at_work, order.mark)

        assert step.at_work(at_work, order) is None

    assert look.fields == {ASYNC: RESTARTED}
    assert compare(planned.fields, wanted, look.fields).settled


def test_drift_of_one_service_ends_nothing_while_another_restarts(at_hand: AtHand) -> None:
    step = Impatient()
    with at_hand.at_work() as context:
        look = step.look(context, None)
        order = order_of(step, step.mark(context, look))
        step.change(context, look, {ASYNC: DUE}, order)
        # Somebody puts the server back to its image of before.
        _start(at_hand, 0, datetime.fromisoformat(look.shown["started"][ASYNC]))
        with pytest.raises(NotSettled, match="no longer holds"):
            step.at_work(context, order)

        at_hand.simulator.set_dial("winrm/restart_seconds", 3.0)
        at_hand.simulator.add_dial(
            where=f"winrm:{SERVER}",
            match="Restart-SssService",
            fault="contract",
            name="session_cut",
        )
        with pytest.raises(Unreachable):
            step.change(context, look, {MAINTENANCE: DUE}, order)

        wait = step.at_work(context, order)

    assert wait is not None
    assert f"{SERVER} is still at work on it" in wait.text


def test_a_reset_of_the_simulator_ends_what_runs_on(at_hand: AtHand) -> None:
    """Or one test's restart would stand in the next one's ledger."""
    step = Impatient()
    at_hand.simulator.set_dial("winrm/restart_seconds", 1.0)
    at_hand.simulator.add_dial(
        where=f"winrm:{SERVER}", match="Restart-SssService", fault="contract", name="session_cut"
    )
    with at_hand.at_work() as context:
        look = step.look(context, None)
        order = order_of(step, step.mark(context, look))
        with pytest.raises(Unreachable):
            step.change(context, look, {ASYNC: DUE}, order)

    at_hand.simulator.reset()

    late = time.monotonic() + 1.5
    while time.monotonic() < late:
        assert at_hand.simulator.ledger() == []
        time.sleep(0.1)
