"""How many people must approve what writes outside."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from portal.access.models import Person, Role, Scope
from portal.access.roles import demand
from portal.audit.record import record
from portal.errors import BadInput
from portal.jobs import plans
from portal.jobs.models import ApprovalPolicy

USUAL = 1
EVERY_KIND = "Every kind of change"
_WORDS = {0: "nobody else (one-person mode)", 1: "one person approves", 2: "two people approve"}


@dataclass(frozen=True)
class ShownPolicy:
    """How many people approve plans of one kind in a scope; ``kind`` '' is every kind without a row of its own."""

    kind: str
    title: str
    approvers: int

    @property
    def words(self) -> str:
        return _WORDS[self.approvers]


def policies_of(scope: Scope) -> list[ShownPolicy]:
    """Read what holds in a scope: first for every kind, then the kinds that have a row of their own."""
    own = ApprovalPolicy.objects.filter(scope=scope).exclude(kind="").order_by("kind")
    titles = {kind.slug: kind.title for kind in plans.kinds()}
    return [
        ShownPolicy(kind, titles.get(kind, kind) or EVERY_KIND, approvers_of(scope, kind))
        for kind in ["", *own.values_list("kind", flat=True)]
    ]


def one_person_scopes(person: Person) -> list[str]:
    """Name the scopes this person sees in which some plans need nobody's approval."""
    alone = Scope.objects.for_person(person).filter(is_simulated=True, policies__approvers=0)
    return list(alone.order_by("title").values_list("title", flat=True).distinct())


def approvers_of(scope: Scope, kind: str) -> int:
    """Give how many approvals a plan of this kind needs here: the kind's own row, else the scope's, else one.

    No row can ask for none outside a simulation: then the usual one is asked for.
    """
    rows = ApprovalPolicy.objects.filter(scope=scope, kind__in=(kind, "")).order_by("-kind")
    found = rows.values_list("approvers", flat=True).first()
    if found is None or (found == 0 and not scope.is_simulated):
        return USUAL
    return found


@transaction.atomic
def set_policy(scope: Scope, kind: str, approvers: int, *, by: Person) -> ApprovalPolicy:
    """Say how many people approve plans of a kind ('' = every kind) in a scope. Plans that wait are voided by it.

    :raises NotAllowed: without the admin role here.
    :raises BadInput: for a number other than 1 or 2, for 0 where anything is real, and for no kind that writes.
    """
    demand(by, Role.ADMIN, scope)
    writing = {found.slug for found in plans.kinds() if found.has_policy}
    if kind and kind not in writing:
        raise BadInput(
            f"There is no kind of plan {kind!r} that somebody approves.",
            remedy=f"There is: {', '.join(sorted(writing))}",
            field="kind",
        )
    if approvers not in (0, 1, 2):
        raise BadInput("One or two people approve a plan.", field="approvers")
    if approvers == 0 and not scope.is_simulated:
        raise BadInput(
            f"{scope.title} is real: somebody else must approve what is changed there.",
            remedy="Ask for one or two approvals. Without any it works only against the simulator.",
            code="SSS-ONE-PERSON",
            field="approvers",
        )
    row, _ = ApprovalPolicy.objects.update_or_create(
        scope=scope, kind=kind, defaults={"approvers": approvers}
    )
    record("policy.changed", row, by=by, scope=scope, kind=kind, approvers=approvers)
    return row
