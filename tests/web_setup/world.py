"""A registered company without its outside: what a worker would have read is put into the rows directly."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from portal.access.models import Person
from portal.jobs.models import Job, JobStep, Plan, PlanStep
from portal.jobs.states import JobState, StepState
from simulator.pki import Issued, Pki
from simulator.sample_certificates import PASSWORD, write_samples
from sync_setup import actions
from sync_setup.actions import ServerAddress
from sync_setup.models import Deployment, EntraTenant, Organization, Reading, ServerProfile
from sync_setup.rehearsal import simulated
from sync_setup.server_profiles import FIXED, OWNER, RECEIVED_AFTER

EWS_URL = "https://outlook.office365.com/EWS/Exchange.asmx"
OWNER_ID = "11111111-2222-3333-4444-555555555555"
LINKS = (
    *("token-issuer", "certificate", "key-spec", "readers", "subject"),
    *("entra-key", "authorization-server", "tenant-id", "restart", "profile"),
)


@dataclass(frozen=True)
class Samples:
    """Real certificate files, made once for all tests of a process."""

    pki: Pki
    files: dict[str, Path]
    password: str = PASSWORD

    def data(self, name: str) -> bytes:
        return self.files[name].read_bytes()

    def issued(self, name: str, days: int) -> Issued:
        """A certificate that ends in so many days."""
        now = timezone.now()
        return self.pki.issue(name, now - dt.timedelta(days=20), now + dt.timedelta(days=days))


def make_samples(folder: Path) -> Samples:
    now = timezone.now()
    pki = Pki.load_or_create(folder, now=now)
    return Samples(pki, {row.path.stem: row.path for row in write_samples(folder, pki, now)})


@dataclass
class Company:
    """Contoso: one tenant, one deployment of two servers, two organizations."""

    tenant: EntraTenant
    deployment: Deployment
    sales: Organization
    service: Organization


def make_company(admin: Person) -> Company:
    write_clouds()
    tenant = actions.register_tenant(str(uuid.UUID(int=7)), "Contoso", simulated.CLOUD, by=admin)
    servers = [
        ServerAddress("CRM-APP01", "localhost", 5986, has_deployment_tools=True),
        ServerAddress("CRM-APP02", "localhost", 5987),
    ]
    deployment = actions.register_deployment(
        "Contoso CRM", "https://localhost:7443", servers, by=admin, is_simulated=True
    )
    sales, service = (
        actions.register_organization(deployment, tenant, name, by=admin)
        for name in ("ContosoSales", "ContosoService")
    )
    return Company(tenant, deployment, sales, service)


def write_clouds() -> None:
    """Make the simulated cloud known; nothing listens at its addresses."""
    settings.CLOUDS_FILE = str(Path(settings.VAR_DIR) / "clouds.json")
    ca = Path(settings.VAR_DIR) / "ca.pem"
    ca.touch()
    addresses = {"entra": "https://localhost:1", "graph": "https://localhost:2", "ca": str(ca)}
    simulated.write_clouds(addresses)


def link(key: str, state: str = "done", text: str = "It is so.", **more: Any) -> dict[str, Any]:
    return {"key": key, "title": key, "state": state, "text": text, "until": None, **more}


def stored(issued: Issued, *, is_issuer: bool = False, **more: Any) -> dict[str, Any]:
    """One certificate as a reading keeps it."""
    return {
        "thumbprint": issued.thumbprint_sha1,
        "sha256": issued.sha256,
        "subject": issued.certificate.subject.rfc4514_string(),
        "issuer": issued.certificate.issuer.rfc4514_string(),
        "not_after": issued.certificate.not_valid_after_utc.isoformat(),
        "is_issuer": is_issuer,
        "raw": base64.b64encode(issued.der).decode(),
        "servers": {"CRM-APP01": kept(), "CRM-APP02": kept()},
    } | more


def kept(key_spec: int = 1, *readers: str, archived: bool = False) -> dict[str, Any]:
    """How one server keeps a certificate, as a reading tells it."""
    accounts = list(readers or ["CONTOSO\\svc-crmweb"])
    return {"key_spec": key_spec, "archived": archived, "readers": accounts}


def read(
    organization: Organization,
    *,
    links: dict[str, dict[str, Any]] | None = None,
    certificates: list[dict[str, Any]] | None = None,
    ago: dt.timedelta = dt.timedelta(minutes=4),
    **facts: Any,
) -> Reading:
    """Keep what a look would have seen: everything in order, except for what is given."""
    told = {key: link(key) for key in LINKS} | (links or {})
    found = {
        "links": list(told.values()),
        "certificates": certificates or [],
        "organization": {
            "id": str(uuid.uuid4()),
            "unique_name": organization.unique_name,
            "state": "Enabled",
            "version": "9.1.31.21",
        },
        "keys": [],
        "profiles": 0,
    }
    reading, _ = Reading.objects.update_or_create(
        organization=organization,
        defaults={"facts": found | facts, "read_at": timezone.now() - ago, "job_number": None},
    )
    return reading


def profile(organization: Organization, name: str = "Hybrid", **fields: Any) -> ServerProfile:
    """An email server profile as last read: as a setup makes it, except for what is given."""
    read_fields = dict(FIXED) | {
        "name": name,
        "incomingserverlocation": EWS_URL,
        "outgoingserverlocation": EWS_URL,
        OWNER: OWNER_ID,
        RECEIVED_AFTER: "2026-11-23T10:00:00Z",
    }
    return ServerProfile.objects.create(
        organization=organization,
        profile_id=uuid.uuid4(),
        name=name,
        is_active=fields.get("statecode", 0) == 0,
        fields=read_fields | fields,
        mailbox_count=2,
        mailboxes=["Ada Lovelace", "Bob Kahn"],
        read_at=timezone.now(),
    )


def plan(job: Job, *steps: tuple[str, bool], uploader: Person | None = None) -> Plan:
    """Give a job a plan whose steps change something, or do not."""
    made = Plan.objects.create(
        job=job,
        kind=job.kind,
        kind_version=1,
        canonical="{}",
        digest=uuid.uuid4().hex * 2,
        requester=job.requester,
        uploader=uploader,
        writes=True,
    )
    for position, (key, changes) in enumerate(steps, 1):
        row = PlanStep.objects.create(
            plan=made,
            position=position,
            key=key,
            title=f"Step {key}",
            system="Toy",
            group="Group",
            before={"value": "old"},
            wanted={"value": "new" if changes else "old"},
        )
        JobStep.objects.create(job=job, planned=row, position=position)
    Job.objects.filter(pk=job.pk).update(plan=made)
    job.refresh_from_db()
    return made


def put(job: Job, state: JobState, **fields: Any) -> Job:
    """Bring a job to a state as a worker would."""
    Job.objects.filter(pk=job.pk).update(state=state, **fields)
    return Job.objects.select_related("plan", "scope").get(pk=job.pk)


def settle(job: Job, key: str, after: dict[str, Any]) -> None:
    """End one step of a job as verified."""
    now = timezone.now()
    job.steps.filter(planned__key=key).update(
        state=StepState.DONE, after=after, changed=True, started_at=now, ended_at=now
    )
