"""Hold a job's plan against the simulator's ledger: no effect missing, none extra, none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from portal.jobs.compare import compare
from portal.jobs.models import Plan, PlanStep
from portal.jobs.undo import SLUG as UNDO
from portal.jobs.undo import job_to_undo
from sync_setup.gateways.identifiers import CRM_APP_ID
from sync_setup.models import CrmServer, Organization

# (system, effect, target as far as the plan knows it)
Effect = tuple[str, str, str]
_RESTARTS = "service.restart"


def differences(plan: Plan, ledger: Iterable[dict[str, Any]]) -> list[str]:
    """Compare what the plan says with what was done.

    :param ledger: the simulator's entries since the job started.
    :return: one sentence a difference; empty when they are equal.
    """
    organization = Organization.objects.select_related("deployment", "tenant").get(
        scope=plan.job.scope
    )
    expected = Counter(
        effect for row in plan.steps.order_by("position") for effect in _expected(row, organization)
    )
    done = Counter(_done(entry) for entry in ledger if not _is_systems_own(entry))
    missing, extra = expected - done, done - expected
    return [f"missing: {' '.join(effect)} ×{n}" for effect, n in sorted(missing.items())] + [
        f"not in the plan: {' '.join(effect)} ×{n}" for effect, n in sorted(extra.items())
    ]


def _is_systems_own(entry: dict[str, Any]) -> bool:
    """What the simulated asynchronous service and administrators do by themselves is not ours."""
    return bool(entry["effect"] == "mailbox.tested" or entry["caller"] == "")


def _done(entry: dict[str, Any]) -> Effect:
    return entry["system"], entry["effect"], entry["target"].split("(")[0]


def _expected(row: PlanStep, organization: Organization) -> Iterator[Effect]:
    gaps = [name for name in row.wanted if row.before.get(name) != row.wanted[name]]
    if not gaps or compare(row.before, row.wanted, row.before).settled:
        return
    name = organization.unique_name
    principal = f"{organization.tenant.tenant_id}/{CRM_APP_ID}"
    tools = organization.deployment.servers.get(has_deployment_tools=True)
    match row.key.removeprefix("undo-"):
        case "register-token-certificate":
            yield "graph", "servicePrincipal.keyCredentials", principal
        case "register-principal-name":
            yield "graph", "servicePrincipal.servicePrincipalNames", principal
        case "install-token-certificate":
            yield from _installs(gaps, organization, row)
        case "write-authorization-server":
            yield _on(tools), "deployment.authorizationServer", "ServerSettings"
        case "set-token-issuer":
            yield _on(tools), "deployment.tokenIssuer", "S2STokenIssuer"
        case "set-organization-tenant":
            yield _on(tools), "organization.s2sTenantId", name
        case "restart-async-services":
            for field in gaps:
                service, _, server = field.partition(" on ")
                yield f"winrm:{server}", _RESTARTS, service
        case "write-server-profile":
            is_new = row.before["name"] is None and not _is_undo(row)
            effect = "emailserverprofile.create" if is_new else "emailserverprofile.update"
            yield "crm", effect, f"{name}/emailserverprofiles"
        case "prove-pilot-mailbox":
            if any(not field.startswith(("test result", "one sync")) for field in gaps):
                yield "crm", "mailbox.update", f"{name}/mailboxes"
            if not _is_undo(row):
                yield "crm", "mailbox.update", f"{name}/mailboxes"
        case "write-organization-defaults":
            yield "crm", "organization.update", f"{name}/organizations"
        case "clean-up":
            for field in gaps:
                if field.endswith("transfer files"):
                    yield f"winrm:{field.partition(':')[0]}", "server.transferFiles", ""


def _installs(gaps: list[str], organization: Organization, row: PlanStep) -> Iterator[Effect]:
    job = job_to_undo(row.plan.job) if _is_undo(row) else row.plan.job
    chosen = organization.deployment.certificates.get(pk=job.inputs["certificate"])
    moved = "certificate.state" if _is_undo(row) else "certificate.install"
    for server in sorted({field.partition(":")[0] for field in gaps}):
        is_new = f"{server}: certificate" in gaps
        effect = moved if is_new else "certificate.keyReaders"
        yield f"winrm:{server}", effect, str(chosen.thumbprint)


def _is_undo(row: PlanStep) -> bool:
    return row.plan.kind == UNDO


def _on(server: CrmServer) -> str:
    return f"winrm:{server.name}"
