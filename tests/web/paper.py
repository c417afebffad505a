"""A plan on paper: its looks are what the draft's inputs say, so pages can be seen in every state without a world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from portal.access.models import Person
from portal.jobs import ends, plans, preparation
from portal.jobs.checks import Check, Found
from portal.jobs.claim import take
from portal.jobs.models import Job
from portal.jobs.plans import PlanKind
from portal.jobs.states import Verdict
from portal.jobs.step import Gap, KnownAfter, Look, Order, Planned, Step, Value

Paper = Mapping[str, Any]


class PaperStep(Step[Paper]):
    system = "Paper"

    def resources(self, context: Paper) -> Sequence[str]:
        return ["paper:1"]

    def change(self, context: Paper, look: Look, gaps: Mapping[str, Gap], order: Order) -> None:
        raise AssertionError("The paper is only looked at.")


class WriteColour(PaperStep):
    """Makes the paper green, so that everybody sees it.

    Source: https://learn.microsoft.com/paper
    """

    key = "write-colour"
    title = "Write the colour"
    group = "Surface"
    undo = "The old colour is written again."
    notice = "Readers see another colour."
    takes_back = True

    def look(self, context: Paper, mark: Any) -> Look:
        return Look(
            {"colour": context.get("colour"), "marks": context.get("marks", ["old"])},
            shown={"days left": 12},
        )

    def wanted(self, context: Paper, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return {"colour": "green", "marks": [*look.fields["marks"], "new"]}


class BurnEdge(PaperStep):
    key = "burn-edge"
    title = "Burn the edge"
    group = "Edge"
    is_reversible = False
    undo = "What is burnt stays burnt."

    def look(self, context: Paper, mark: Any) -> Look:
        return Look({"burnt": False, "stamp": None})

    def wanted(self, context: Paper, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return {"burnt": True, "stamp": KnownAfter("write-colour", "stamp id")}


class IsDry(Check[Paper]):
    key = "is-dry"
    title = "The paper is dry"
    group = "Surface"
    source = "https://learn.microsoft.com/dry"

    def find(self, context: Paper) -> Found:
        if context.get("wet"):
            return Found(Verdict.BLOCK, "It is wet.", {"drops": 3}, "Wait.\nTouch it.")
        return Found(Verdict.PASS, "It is dry.")


class IsWhite(Check[Paper]):
    key = "is-white"
    title = "The paper is white"
    group = "Surface"

    def find(self, context: Paper) -> Found:
        return Found(Verdict.WARN, "It is yellow.")


class PaperKind(PlanKind):
    slug = "paper"
    title = "Paint"
    version = 1
    steps = (WriteColour(), BurnEdge())
    checks = (IsWhite(), IsDry())
    who_notices = "Whoever reads it."
    not_touched = "The other papers."

    @contextmanager
    def open(self, job: Job, made: dict[str, dict[str, str]]) -> Iterator[Paper]:
        yield job.inputs

    def target(self, job: Job) -> dict[str, Any]:
        return {"paper": 1}

    def proof(self, job: Job) -> str:
        return "7E42"

    def uploader(self, job: Job) -> Person | None:
        return Person.objects.filter(pk=job.inputs.get("uploader")).first()

    def wizard_url(self, job: Job) -> str | None:
        wizard: str | None = job.inputs.get("wizard")
        return wizard


plans.register(PaperKind())


def carry_out_checks(job: Job) -> Job:
    """Do what a worker does with a job at its checks."""
    claim = take(job.number)
    assert claim is not None
    fresh = Job.objects.select_related("scope", "plan").get(pk=job.pk)
    kind = plans.kind_of(job.kind)
    ends.give_back(claim, preparation.prepare(claim, fresh, kind, poisoned=False))
    return Job.objects.select_related("plan", "scope").get(pk=job.pk)
