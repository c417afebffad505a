"""What all steps that have a CRM server change something share: the names of their effects, and what became of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from portal.errors import Conflict, NotSettled
from portal.jobs.step import Done, Look, NotYet, Order, Step
from sync_setup.context import SetupContext
from sync_setup.models import CrmServer
from sync_setup.settling import settling

AGAIN_S = 5.0


@dataclass(frozen=True)
class Effect:
    """One change that a step may order of a server.

    :ivar name: what its operation id is made from; the same for every attempt.
    :ivar holds: whether the look shows what the change is for.
    """

    server: CrmServer
    name: str
    holds: bool


class ServerStep(Step[SetupContext]):
    """A step whose effects CRM servers carry out, each under an operation id that they keep."""

    settle_s = settling(30.0)

    @abstractmethod
    def effects(self, context: SetupContext, look: Look) -> Sequence[Effect]:
        """Name every change this step may have ordered, as ``change`` names it to ``server_order``."""

    def at_work(self, context: SetupContext, order: Order) -> NotYet | None:
        """Ask each server about each effect: what runs is waited for, what was done is not done again.

        :raises NotSettled: a server has carried an effect out, and it does not hold; not before every
            other effect is at rest, because the step ends with it.
        """
        return self._first_wait(
            context, order, self.effects(context, self.look(context, order.mark))
        )

    def back_effects(self, context: SetupContext, look: Look, done: Done) -> Sequence[Effect]:
        """Name every change that taking it back may have ordered; ``holds``: the look shows it taken back."""
        return ()

    def back_at_work(self, context: SetupContext, order: Order, done: Done) -> NotYet | None:
        """Ask as ``at_work`` does, about the effects of taking back."""
        return self._first_wait(
            context, order, self.back_effects(context, self.look(context, None), done)
        )

    def _first_wait(
        self, context: SetupContext, order: Order, effects: Sequence[Effect]
    ) -> NotYet | None:
        waits: list[NotYet] = []
        drifts: list[NotSettled] = []
        for effect in effects:
            try:
                wait = self._judge(context, order, effect)
            except NotSettled as drift:
                drifts.append(drift)
            else:
                waits += [wait] if wait is not None else []
        if waits:
            return waits[0]
        if drifts:
            raise drifts[0]
        return None

    def _judge(self, context: SetupContext, order: Order, effect: Effect) -> NotYet | None:
        door = context.server(effect.server)
        operation = context.server_order(order, effect.name).operation_id
        try:
            what = door.after_lost_answer(operation, settled=effect.holds)
        except Conflict as drift:
            age = door.age_of(operation)
            if age < self.settle_s:
                text = f"{effect.server.name} carried it out; waits until a fresh look shows it."
                return NotYet(AGAIN_S, text, heard=False)
            # No look can tell more than this, so the step ends here instead of trying again.
            raise NotSettled(drift.message, remedy=drift.remedy, code=drift.code) from drift
        if what == "wait":
            return NotYet(
                AGAIN_S, f"{effect.server.name} is still at work on it: {self.title.lower()}."
            )
        return None
