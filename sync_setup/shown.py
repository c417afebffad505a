"""What the pages of this app show, read from the database. The outside is never asked from here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from portal.access.models import Person, Role, Scope
from portal.access.roles import holders
from portal.jobs.models import Job, JobStep, PlanStep
from portal.jobs.states import AT_CHECKS, EDITABLE, StepState
from sync_setup.models import Organization, Reading, RecordedAnswer, ServerProfile
from sync_setup.presentation.certificates import Stored, stored_of
from sync_setup.presentation.readiness import Readiness, Said, Surroundings, readiness_of
from sync_setup.server_profiles import EXCHANGE_ONLINE_HYBRID

CONNECT, CHANGE_PROFILE = "connect-organization", "change-server-profile"
REGISTER_KEY, PROVE = "register-token-certificate", "prove-pilot-mailbox"
# Which step of a plan makes which item of the page so.
_DONE_BY = {
    "token-issuer": "set-token-issuer",
    "certificate": "install-token-certificate",
    "key-spec": "install-token-certificate",
    "readers": "install-token-certificate",
    "subject": "install-token-certificate",
    "entra-key": REGISTER_KEY,
    "authorization-server": "write-authorization-server",
    "tenant-id": "set-organization-tenant",
    "restart": "restart-async-services",
    "profile": "write-server-profile",
    "pilot": PROVE,
}


@dataclass(frozen=True)
class ShownOrganization:
    """One organization with how it stands.

    :param job: the newest job that connects it and is not at its end.
    """

    organization: Organization
    reading: Reading | None
    readiness: Readiness
    job: Job | None
    stored: tuple[Stored, ...]

    @property
    def in_use(self) -> Stored | None:
        """Give the certificate of the token issuer, as last read."""
        return next((row for row in self.stored if row.is_issuer), None)

    @property
    def key_accounts(self) -> list[tuple[str, str]]:
        """Give, by server, the accounts that must read the key, as last read."""
        links = self.reading.facts.get("links", ()) if self.reading else ()
        details = [link.get("detail") or {} for link in links if link["key"] == "readers"]
        return [(name, accounts) for detail in details for name, accounts in detail.items()]


def organization_shown(organization: Organization) -> ShownOrganization:
    """Read one organization; needs ``scope``, ``deployment`` and ``tenant`` loaded."""
    return organizations_shown([organization])[0]


def organizations_shown(organizations: Sequence[Organization]) -> list[ShownOrganization]:
    """Read how organizations stand, with as many queries for many as for one."""
    now = timezone.now()
    readings = {row.organization_id: row for row in _of(Reading, organizations)}
    around = _Around(organizations)
    shown = []
    for organization in organizations:
        reading = readings.get(organization.pk)
        facts = reading.facts if reading else None
        shown.append(
            ShownOrganization(
                organization,
                reading,
                readiness_of(facts, around.of(organization, facts), organization.unique_name, now),
                around.jobs.get(organization.scope_id),
                stored_of(facts, now),
            )
        )
    return shown


def _of(model: Any, organizations: Sequence[Organization]) -> Any:
    return model.objects.filter(organization__in=[row.pk for row in organizations])


class _Around:
    """What the database knows of some organizations beside their readings."""

    def __init__(self, organizations: Sequence[Organization]) -> None:
        scopes = [row.scope_id for row in organizations]
        self.answers: dict[int, dict[str, Said]] = {}
        answers = _of(RecordedAnswer, organizations).select_related("person")
        for answer in answers.order_by("at", "pk"):  # the newest is written last
            self.answers.setdefault(answer.organization_id, {})[answer.question] = said(answer)
        connecting = Job.objects.filter(kind=CONNECT, scope__in=scopes).unfinished()
        self.jobs = {job.scope_id: job for job in connecting.order_by("number")}
        self.mailboxes = dict(
            _of(ServerProfile, organizations)
            .filter(is_gone=False, is_active=True, fields__servertype=EXCHANGE_ONLINE_HYBRID)
            .values_list("organization")
            .annotate(count=Sum("mailbox_count"))
        )
        self.steps = _steps_done(scopes)
        self.changing = _changing(self.jobs.values())

    def of(self, organization: Organization, facts: dict[str, Any] | None) -> Surroundings:
        proof = self.steps.get((organization.scope_id, PROVE))
        job = self.jobs.get(organization.scope_id)
        steps = self.changing.get(job.number, set()) if job else set()
        return Surroundings(
            answers=self.answers.get(organization.pk, {}),
            proved=(proof.job.name, proof.ended_at) if proof and proof.ended_at else None,
            read_back=_key_read_back(organization, facts) if _is_unseen(facts, "entra-key") else {},
            in_jobs={item: job.name for item, step in _DONE_BY.items() if step in steps}
            if job
            else {},
            mailboxes=int(self.mailboxes.get(organization.pk) or 0),
        )


def said(answer: RecordedAnswer) -> Said:
    """Write an answer's row as what somebody said."""
    return Said(answer.answer, str(answer.person), answer.at, answer.remark, answer.ticket)


def _steps_done(scopes: Iterable[int]) -> dict[tuple[int, str], JobStep]:
    """Read when each organization was last proved by a job."""
    done = JobStep.objects.filter(
        job__scope__in=scopes, planned__key=PROVE, state=StepState.DONE
    ).select_related("job", "planned")
    return {(step.job.scope_id, PROVE): step for step in done.order_by("ended_at")}


def _changing(jobs: Iterable[Job]) -> dict[int, set[str]]:
    """Read which steps of plans that wait or run are still going to change something."""
    waiting = [job for job in jobs if job.state not in EDITABLE + AT_CHECKS and job.plan_id]
    found: dict[int, set[str]] = {}
    rows = PlanStep.objects.filter(plan__in=[job.plan_id for job in waiting])
    done = set(
        JobStep.objects.filter(job__in=waiting, state=StepState.DONE).values_list(
            "planned", flat=True
        )
    )
    for row in rows.select_related("plan"):
        if row.changes and row.pk not in done:
            found.setdefault(row.plan.job_id, set()).add(row.key)
    return found


def _is_unseen(facts: dict[str, Any] | None, key: str) -> bool:
    links = (facts or {}).get("links", ())
    return any(link["key"] == key and link["state"] == "cannot_check" for link in links)


def _key_read_back(organization: Organization, facts: dict[str, Any] | None) -> dict[str, str]:
    """Tell that a job read the public key of the certificate in use back from Entra ID, and when."""
    issuer = next((row for row in stored_of(facts, timezone.now()) if row.is_issuer), None)
    if issuer is None:
        return {}
    # Keys are the tenant's: a job of another organization of the tenant counts just as well.
    steps = JobStep.objects.filter(
        job__scope__organization__tenant=organization.tenant_id,
        planned__key=REGISTER_KEY,
        state=StepState.DONE,
    )
    for step in steps.select_related("job").order_by("-ended_at")[:20]:
        if issuer.thumbprint in json.dumps(step.after) and step.ended_at:
            day = timezone.localtime(step.ended_at)
            text = (
                f"Key …{issuer.thumbprint[-4:]}, read back by {step.job.name} on {day.day} {day:%b %Y}. "
                "Tenant access was handed back, so nobody looks now."
            )
            return {"entra-key": text}
    return {}


def approvers(organization: Organization) -> list[Person]:
    """Name who may approve changes to this organization."""
    return holders(Role.APPROVER, organization.scope)


def last_changes(organization: Organization, count: int = 5) -> list[Job]:
    """Read the last jobs that changed this organization and ended."""
    ended = Job.objects.filter(scope=organization.scope, plan__isnull=False, ended_at__isnull=False)
    return list(ended.select_related("requester", "scope").order_by("-ended_at")[:count])


def open_drafts(person: Person, scope: Scope, kind: str) -> list[Job]:
    """Read this person's own drafts of a kind for a scope, newest first."""
    jobs = Job.objects.filter(requester=person, scope=scope, kind=kind)
    return list(jobs.filter(state__in=EDITABLE + AT_CHECKS).order_by("-number"))


def newest_reading(organization: Organization, person: Person) -> Reading | None:
    """Read what was last seen of the deployment's servers, through any organization this person may know of."""
    mates = Organization.objects.for_person(person).filter(deployment=organization.deployment_id)
    readings = Reading.objects.filter(organization__in=mates).order_by("-read_at")
    # A look that did not reach the servers says nothing of them.
    return next((row for row in readings if isinstance(row.facts.get("certificates"), list)), None)
