"""The simulated company, known to the portal, as the checks see it; and what a test arranges there."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from portal.access.models import Person
from portal.errors import PortalError
from portal.jobs.checks import Check, Found
from portal.jobs.states import Verdict
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from simulator.crm_servers.stored_certificate import StoredCertificate
from simulator.pki import Issued, Pki
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import SetupCheck
from sync_setup.context import SetupContext
from sync_setup.models import Organization, TokenCertificate
from sync_setup.plans import PROFILE_NAME
from sync_setup.rehearsal import simulated
from tests.simulator_process import SimulatorProcess

TOOLS, ASYNC = "CRM-APP01", "CRM-APP02"
PILOT = "sss.pilot@contoso.example"


class Company:
    """One simulator with a fresh world, and its two organizations registered.

    :ivar good: a certificate fit to be the token issuer, on no server yet.
    """

    def __init__(
        self, simulator: SimulatorProcess, good: Issued, admin: Person, requester: Person
    ) -> None:
        self.simulator, self.good = simulator, good
        self.admin, self.requester = admin, requester
        simulated.write_clouds(simulator.addresses)
        self.organizations = simulated.register(simulator.addresses, by=admin)
        self.organization = self.organizations[0]
        self.certificate: TokenCertificate | None = self.uploaded(good)
        self.inputs: dict[str, Any] = {"profile_name": PROFILE_NAME, "pilot": PILOT}

    # --- certificates ------------------------------------------------------------------------
    @property
    def pki(self) -> Pki:
        return Pki.load_or_create(self.simulator.state_dir / "pki")

    def uploaded(self, issued: Issued) -> TokenCertificate:
        """A certificate whose key file lies sealed in the portal."""
        kept = self._row(issued, TokenCertificate.Source.UPLOAD)
        kept.pfx = self._sealed(b"key file")
        kept.pfx_password = self._sealed(b"its password")
        kept.save()
        return kept

    def on_servers(self, issued: Issued) -> TokenCertificate:
        """A certificate that is to come from the servers."""
        return self._row(issued, TokenCertificate.Source.SERVERS)

    def install(self, server: str, issued: Issued, **facts: Any) -> None:
        """Put a certificate with its key into a server's store."""
        stored = StoredCertificate.from_der(issued.der)
        row = dataclasses.asdict(dataclasses.replace(stored, **facts))
        self.simulator.set_world(f"deployment/servers/{server}/certificates/-", row)

    def issue(self, name: str, *, days: int = 300, **more: Any) -> Issued:
        """A certificate of the company's authority, with a key of its own unless one is given."""
        now = dt.datetime.now(dt.UTC)
        return self.pki.issue(
            name, now - dt.timedelta(days=30), now + dt.timedelta(days=days), **more
        )

    def _row(self, issued: Issued, source: TokenCertificate.Source) -> TokenCertificate:
        facts = issued.certificate
        return TokenCertificate.objects.create(
            deployment=self.organization.deployment,
            source=source,
            thumbprint=issued.thumbprint_sha1,
            sha256=issued.sha256,
            subject=facts.subject.rfc4514_string(),
            issuer=facts.issuer.rfc4514_string(),
            not_before=facts.not_valid_before_utc,
            not_after=facts.not_valid_after_utc,
            public_der=issued.der,
        )

    def _sealed(self, value: bytes) -> Secret:
        return seal_secret(value, kind=Secret.Kind.JOB, label="test", by=self.requester)

    # --- the world ---------------------------------------------------------------------------
    def arrange(self, path: str, value: Any) -> None:
        self.simulator.set_world(path, value)

    def arrange_server(self, server: str, **facts: Any) -> None:
        for name, value in facts.items():
            self.simulator.set_world(f"deployment/servers/{server}/{name}", value)

    def arrange_organization_record(self, **fields: Any) -> None:
        self._arrange_record("organization", self._only("organization"), fields)

    def arrange_mailbox(self, mailbox_id: str, **fields: Any) -> None:
        self._arrange_record("mailbox", mailbox_id, fields)

    def arrange_user(self, user_id: str, **fields: Any) -> None:
        self._arrange_record("systemuser", user_id, fields)

    def add_profile(self, **fields: Any) -> str:
        """A second profile like the first, with these fields."""
        table = self.table("emailserverprofile")
        profile_id = f"00000000-0000-4000-8000-{len(table):012d}"
        row = dict(next(iter(table.values()))) | {"emailserverprofileid": profile_id} | fields
        self.simulator.set_world(self._path("emailserverprofile", profile_id), row)
        return profile_id

    def table(self, entity: str) -> dict[str, dict[str, Any]]:
        """All records of an entity, by id."""
        name = self.organization.unique_name
        found: dict[str, dict[str, Any]] = self.simulator.world("databases", name, "tables", entity)
        return found

    def find_record(self, entity: str, field: str, value: Any) -> str:
        """The id of the first record with this value."""
        return next(key for key, row in self.table(entity).items() if row.get(field) == value)

    @property
    def pilot_id(self) -> str:
        return self.find_record("mailbox", "emailaddress", PILOT)

    @property
    def pilot_user_id(self) -> str:
        return self.find_record("systemuser", "internalemailaddress", PILOT)

    @property
    def portal_user_id(self) -> str:
        return self.find_record("systemuser", "domainname", "CONTOSO\\svc-sssportal")

    def effects(self) -> list[dict[str, Any]]:
        return self.simulator.ledger()

    def _arrange_record(self, entity: str, record_id: str, fields: dict[str, Any]) -> None:
        for field, value in fields.items():
            self.simulator.set_world(self._path(entity, record_id, field), value)

    def _only(self, entity: str) -> str:
        return next(iter(self.table(entity)))

    def _path(self, *more: str) -> str:
        return json.dumps(["databases", self.organization.unique_name, "tables", *more])

    # --- the checks --------------------------------------------------------------------------
    @contextmanager
    def context(self, organization: Organization | None = None) -> Iterator[SetupContext]:
        """A context as a job has it."""
        chosen = Organization.objects.select_related("deployment", "tenant", "scope").get(
            pk=(organization or self.organization).pk
        )
        with ExitStack() as closing:
            yield SetupContext(
                organization=chosen,
                deployment=chosen.deployment,
                tenant=chosen.tenant,
                inputs=self.inputs,
                made={},
                certificate=self.certificate,
                job_number=0,
                _closing=closing,
            )

    def find(self, check: Check[SetupContext], organization: Organization | None = None) -> Found:
        """What a check finds, on a context of its own; what it cannot read becomes cannot check."""
        with self.context(organization) as context:
            return found_by(check, context)

    def find_at(self, check: SetupCheck, now: dt.datetime) -> Found:
        """What a check finds on another day."""
        with self.context() as context:
            return check.judge(Readings(context, clock=lambda: now))


def found_by(check: Check[SetupContext], context: SetupContext) -> Found:
    """What a check finds, as the engine takes it."""
    try:
        return check.find(context)
    except PortalError as error:
        return Found(Verdict.CANNOT_CHECK, f"{error.message} ({error.code})", {}, error.remedy)


def expect(found: Found, verdict: Verdict, *words: str) -> Found:
    """Hold a finding against what is expected: its verdict, words of its sentence, a way to put it right."""
    assert found.verdict == verdict, found
    for word in words:
        assert word.lower() in found.finding.lower(), found
    assert found.finding[:1] == found.finding[:1].upper(), found.finding
    assert found.finding.endswith((".", "?", ")")), found.finding
    if verdict != Verdict.PASS:
        assert found.fix.strip(), found
        assert all(line.strip() for line in found.fix.splitlines()), found.fix
    json.dumps(found.evidence)
    return found
