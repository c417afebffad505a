"""A secret outlives whatever still needs it, and nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from portal.access.models import Person, Role, Scope
from portal.audit.models import Entry
from portal.jobs import actions
from portal.jobs.models import Job, Plan
from portal.jobs.states import FINAL, JobState
from portal.vault.actions import (
    SETTLED,
    WAITING_LIFE,
    destroy_after_job,
    destroy_due_secrets,
    destroy_retired_secrets,
    destroy_secrets,
    keep_for_plan,
    missing,
    waiting_life,
)
from portal.vault.models import Secret
from portal.vault.uses import still_used
from sync_setup.actions import set_deployment_access, set_tenant_access
from sync_setup.models import Deployment, EntraTenant, Organization, TokenCertificate
from tests.conftest import make_person
from tests.vault.conftest import again, sealed
from tests.vault.test_destroying import falls_due_in, is_gone, put_due

pytestmark = pytest.mark.usefixtures("database_url", "worker")

SHORT = timedelta(seconds=settings.JOB_SECRET_LIFE_S)


@pytest.fixture
def organization(scope: Scope) -> Organization:
    tenant = EntraTenant.objects.create(tenant_id=uuid.uuid4(), name="Contoso", cloud="simulated")
    deployment = Deployment.objects.create(
        name="CRM", slug="crm", is_simulated=True, web_api_url="https://crm.contoso.test"
    )
    return Organization.objects.create(
        scope=scope, deployment=deployment, tenant=tenant, unique_name="contoso"
    )


@pytest.fixture
def ada(database_url: str) -> Person:
    return make_person("ada", Role.ADMIN)


def upload(organization: Organization) -> TokenCertificate:
    return TokenCertificate.objects.create(
        deployment=organization.deployment,
        source=TokenCertificate.Source.UPLOAD,
        thumbprint="A" * 40,
        sha256="B" * 64,
        subject="CN=contoso",
        issuer="CN=contoso",
        not_before=timezone.now(),
        not_after=timezone.now() + timedelta(days=365),
        public_der=b"public",
        pfx=sealed(),
        pfx_password=sealed(label="PFX password"),
    )


def ids_of(certificate: TokenCertificate) -> list[str]:
    return [str(certificate.pfx_id), str(certificate.pfx_password_id)]


def draft(organization: Organization, by: Person, certificate: TokenCertificate) -> Job:
    return actions.draft_job(
        "connect-organization", organization.scope, by=by, inputs={"certificate": certificate.pk}
    )


def job_in(state: str, scope: Scope, by: Person, *secrets: Secret) -> Job:
    """A job in this state whose plan names these secrets."""
    job = Job.objects.create(kind="toy", scope=scope, requester=by)
    plan = Plan.objects.create(
        job=job,
        kind=job.kind,
        kind_version=1,
        canonical="{}",
        digest="d",
        requester=by,
        writes=True,
        secret_ids=[str(secret.pk) for secret in secrets],
    )
    Job.objects.filter(pk=job.pk).update(plan=plan)
    Job.objects.filter(pk=job.pk).update(state=state)
    return job


def test_keeping_again_moves_the_end_on_and_never_back(settings: Any) -> None:
    upload = sealed()
    put_due(upload, by=timedelta(hours=1))
    keep_for_plan([str(upload.pk)])
    falls_due_in(upload, WAITING_LIFE)

    late = timezone.now() + timedelta(days=30)
    Secret.objects.filter(pk=upload.pk).update(destroy_at=late)
    keep_for_plan([str(upload.pk)])
    assert again(upload).destroy_at == late


def test_a_long_life_of_approvals_is_a_long_life_of_secrets(settings: Any) -> None:
    assert waiting_life() == WAITING_LIFE
    settings.APPROVAL_LIFE_S = 20 * 86400

    assert waiting_life() == timedelta(days=21)
    falls_due_in(sealed(), timedelta(days=21))


def test_what_is_missing_is_named_in_order() -> None:
    there, gone, other = sealed(), sealed(label="PFX password"), sealed(label="PFX file")
    destroy_secrets([gone, other], by=None)
    ids = [str(row.pk) for row in (other, there, gone)]

    assert missing(ids) == ["PFX file", "PFX password"]
    assert missing([str(there.pk)]) == missing([]) == []
    assert missing([str(uuid.uuid4())]) == ["secret"]


def test_an_end_that_was_moved_on_since_wins_over_the_duty() -> None:
    moved, due = sealed(), sealed()
    put_due(moved)
    put_due(due)
    read = list(Secret.objects.filter(destroy_at__lte=timezone.now()))

    keep_for_plan([str(moved.pk)])

    assert destroy_secrets(read, by=None, only_due=True) == 1
    assert is_gone(due)
    assert not is_gone(moved)
    assert destroy_due_secrets() == 0


@pytest.mark.parametrize("state", sorted(set(JobState.values) - set(FINAL)))
def test_the_end_of_one_job_spares_what_another_that_has_not_ended_names(
    scope: Scope, mira: Person, state: str
) -> None:
    shared, own = sealed(), sealed()
    job_in(JobState.FAILED, scope, mira, shared, own)
    job_in(state, scope, mira, shared)

    destroy_after_job([str(shared.pk), str(own.pk)])

    falls_due_in(shared, WAITING_LIFE)
    falls_due_in(own, SHORT)


def test_the_last_of_them_lets_go(scope: Scope, mira: Person) -> None:
    shared = sealed()
    for _ in range(2):
        job_in(JobState.SUCCEEDED, scope, mira, shared)

    destroy_after_job([str(shared.pk)])

    falls_due_in(shared, SHORT)


def test_discarding_a_draft_spares_the_certificate_that_another_draft_names(
    organization: Organization, mira: Person
) -> None:
    certificate = upload(organization)
    first, second = (draft(organization, mira, certificate) for _ in range(2))

    actions.discard_draft(first, by=mira)

    for secret in (certificate.pfx, certificate.pfx_password):
        assert secret is not None
        falls_due_in(secret, WAITING_LIFE)
    assert still_used(ids_of(certificate)) == set(ids_of(certificate))

    actions.discard_draft(second, by=mira)

    assert certificate.pfx is not None
    falls_due_in(certificate.pfx, SHORT)


def test_the_draft_of_a_kind_that_is_gone_keeps_nothing(scope: Scope, mira: Person) -> None:
    Job.objects.create(kind="gone", scope=scope, requester=mira)
    secret = sealed()

    destroy_after_job([str(secret.pk)])

    falls_due_in(secret, SHORT)


def _settle() -> None:
    Secret.objects.update(made_at=timezone.now() - SETTLED - timedelta(seconds=1))


def test_a_replaced_connection_secret_goes_and_its_replacement_stays(
    organization: Organization, ada: Person
) -> None:
    deployment, tenant = organization.deployment, organization.tenant
    for word in ("old", "new"):
        set_deployment_access(
            deployment,
            by=ada,
            crm_username="crm",
            crm_password=f"{word} crm",
            winrm_username="winrm",
            winrm_credential=f"{word} winrm",
        )
        set_tenant_access(
            tenant,
            by=ada,
            access=EntraTenant.Access.SECRET,
            client_id=str(uuid.uuid4()),
            credential=f"{word} app",
            keeps=True,
        )

    assert destroy_retired_secrets() == 0  # too fresh to be sure
    _settle()
    assert destroy_retired_secrets() == 3
    assert destroy_retired_secrets() == 0

    kept = {deployment.crm_password_id, deployment.winrm_credential_id, tenant.credential_id}
    for secret in Secret.objects.all():
        assert is_gone(secret) == (secret.pk not in kept)
    assert Entry.objects.filter(event="secret.destroyed", actor=None).count() == 3


def test_a_retired_secret_that_an_unfinished_plan_names_stays(scope: Scope, mira: Person) -> None:
    named, other = (sealed(kind=Secret.Kind.CONNECTION) for _ in range(2))
    job = job_in(JobState.APPROVED, scope, mira, named)
    _settle()

    assert destroy_retired_secrets() == 1
    assert is_gone(other)
    assert not is_gone(named)

    Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
    assert destroy_retired_secrets() == 1


def test_job_secrets_and_certificates_are_not_taken_for_retired(organization: Organization) -> None:
    upload(organization)
    sealed()
    _settle()

    assert destroy_retired_secrets() == 0
