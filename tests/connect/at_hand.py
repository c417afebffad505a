"""One step at a time, without a job: its look and its change, at the doors of the simulated company."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from portal.jobs import actions
from portal.jobs.compare import compare
from portal.jobs.models import Plan, PlanStep
from portal.jobs.step import Gap, Look, Order, Step
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from sync_setup.context import SetupContext
from sync_setup.models import EntraTenant
from tests.checks.company import Company

AT_WORK = {"the first step": {"made": "something"}}


class AtHand(Company):
    """The company, with what a test does to it while a step is at work."""

    @contextmanager
    def at_work(self, **made: dict[str, str]) -> Iterator[SetupContext]:
        """A context as it is while a plan is carried out."""
        with self.context() as context:
            yield replace(context, made=made or AT_WORK)

    @property
    def tenant(self) -> EntraTenant:
        return EntraTenant.objects.get(pk=self.organization.tenant_id)

    def enter(self, *, secret: str = "", client_id: str = "") -> None:
        """What an administrator enters on the tenant's page."""
        tenant = self.tenant
        if secret:
            tenant.credential = seal_secret(
                secret.encode(), kind=Secret.Kind.CONNECTION, label="setup app", by=self.admin
            )
        if client_id:
            tenant.client_id = uuid.UUID(client_id)
        tenant.save()
        self.organization.refresh_from_db()

    def planned_with(
        self, step: Step[SetupContext], look: Look, wanted: Mapping[str, Any] | None = None
    ) -> Plan:
        """A plan that has just this look in it."""
        job = actions.draft_job(
            "connect-organization", self.organization.scope, by=self.requester, inputs={}
        )
        plan = Plan.objects.create(
            job=job,
            kind=job.kind,
            kind_version=1,
            canonical="{}",
            digest=uuid.uuid4().hex * 2,
            requester=self.requester,
            writes=True,
        )
        PlanStep.objects.create(
            plan=plan,
            position=1,
            key=step.key,
            title=step.title,
            before=dict(look.fields),
            wanted=dict(wanted or {}),
            shown=dict(look.shown),
        )
        return plan

    def delete_setup_app(self) -> None:
        mine = self.simulator.addresses["setup_app"]["client_id"]
        rows = self.simulator.world("tenants", 0, "applications")
        place = next(n for n, row in enumerate(rows) if row["client_id"] == mine)
        self.simulator.remove_from_world(f"tenants/0/applications/{place}")


def gaps_of(look: Look, wanted: Mapping[str, Any]) -> dict[str, Gap]:
    """What the step has to close, where the plan was made from this very look."""
    return compare(look.fields, wanted, look.fields).gaps


def order_of(step: Step[Any], mark: Any = None) -> Order:
    return Order(
        portal_id=uuid.UUID("7c1b8f0e-3a52-4a6b-9f0d-2f4f6b1c0a11"),
        epoch=1,
        fence=5,
        job="J-12",
        digest=uuid.uuid4().hex,
        step=step.key,
        mark=mark,
        log=lambda text: None,
    )
