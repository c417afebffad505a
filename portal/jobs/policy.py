"""How many people must approve what writes outside."""

from __future__ import annotations

from django.db import transaction

from portal.access.models import Person, Role, Scope
from portal.access.roles import demand
from portal.audit.record import record
from portal.errors import BadInput
from portal.jobs.models import ApprovalPolicy

USUAL = 1


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
    :raises BadInput: for a number other than 1 or 2, and for 0 where anything is real.
    """
    demand(by, Role.ADMIN, scope)
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
