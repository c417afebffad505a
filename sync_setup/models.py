"""What is connected: tenants, deployments and their servers, organizations, certificates, server profiles."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from portal.access.models import Person, Scope
from portal.vault.models import Secret

PERSON = settings.AUTH_USER_MODEL


class EntraTenant(models.Model):
    """The tenant that Exchange Online belongs to, and the setup app by which the portal may enter it."""

    class Access(models.TextChoices):
        SECRET = "secret", "Setup app with a client secret"
        CERTIFICATE = "certificate", "Setup app with a certificate"

    tenant_id = models.UUIDField(unique=True)
    name = models.CharField(max_length=200)
    cloud = models.SlugField(max_length=32)
    access = models.CharField(max_length=12, choices=Access, default=Access.SECRET)
    client_id = models.UUIDField(null=True)
    # A client secret, or PEM with private key and certificate; sealed, opened in workers only.
    credential = models.ForeignKey(Secret, null=True, on_delete=models.PROTECT, related_name="+")
    # Some tenants decide to keep the setup app; then no job asks for it to be deleted.
    keeps_access = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name

    @property
    def resource(self) -> str:
        return f"entra:{self.tenant_id}"

    @property
    def has_credential(self) -> bool:
        """Whether a credential is set, and still there to be opened."""
        return self.credential is not None and self.credential.destroyed_at is None


class Deployment(models.Model):
    """On-premises CRM servers that share one configuration database."""

    class WinrmSignIn(models.TextChoices):
        NEGOTIATE = "negotiate", "Negotiate (user name and password)"
        CERTIFICATE = "certificate", "Client certificate"
        KERBEROS = "kerberos", "Kerberos (keytab of this host)"

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=64, unique=True)
    is_simulated = models.BooleanField(default=False)
    # https://crm.contoso.example, to which the organization is added, or with internet-facing
    # deployment https://{organization}.contoso.example
    web_api_url = models.CharField(max_length=300)
    crm_username = models.CharField(max_length=200, blank=True)
    crm_password = models.ForeignKey(Secret, null=True, on_delete=models.PROTECT, related_name="+")
    # Where the deployment signs in by OAuth: the client registered with Add-AdfsClient.
    adfs_client_id = models.CharField(max_length=100, blank=True)
    winrm_sign_in = models.CharField(
        max_length=12, choices=WinrmSignIn, default=WinrmSignIn.NEGOTIATE
    )
    winrm_username = models.CharField(max_length=200, blank=True)
    # The password, or PEM with private key and certificate.
    winrm_credential = models.ForeignKey(
        Secret, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ca_file = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def resource(self) -> str:
        return f"deployment:{self.pk}"

    def organization_url(self, unique_name: str) -> str:
        """Give the address of one organization."""
        if "{organization}" in self.web_api_url:
            return self.web_api_url.replace("{organization}", unique_name)
        return f"{self.web_api_url}/{unique_name}"


class CrmServer(models.Model):
    """One server of a deployment, as the portal reaches it."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="servers")
    # Exactly as Get-CrmServer names it.
    name = models.CharField(max_length=64)
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField(default=5986)
    has_deployment_tools = models.BooleanField(default=False)
    # SHA-256 of the SssPortal module as it was when the server was registered; another one is refused.
    module_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment", "name"], name="server_once_a_deployment")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def resource(self) -> str:
        return f"server:{self.pk}"


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Organizations, kept to those that somebody answers for."""

    def for_person(self, person: Person, *roles: str) -> OrganizationQuerySet:
        """Keep the organizations this person answers for."""
        return self.filter(scope__in=Scope.objects.for_person(person, *roles))


class Organization(models.Model):
    """One Dynamics 365 organization of a deployment."""

    class Environment(models.TextChoices):
        PRODUCTION = "production", "Production"
        TEST = "test", "Test"
        COPY = "copy", "Copy of another organization"

    scope = models.OneToOneField(Scope, on_delete=models.PROTECT, related_name="organization")
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="organizations"
    )
    tenant = models.ForeignKey(EntraTenant, on_delete=models.PROTECT, related_name="organizations")
    # Case-sensitive in practice; two deployments may have organizations of one name.
    unique_name = models.CharField(max_length=64)
    organization_id = models.UUIDField(null=True)
    environment = models.CharField(
        max_length=10, choices=Environment, default=Environment.PRODUCTION
    )

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "unique_name"], name="organization_once_a_deployment"
            )
        ]

    def __str__(self) -> str:
        return self.unique_name

    @property
    def resource(self) -> str:
        return f"organization:{self.pk}"


class TokenCertificate(models.Model):
    """A certificate that is to be, or was, the S2S token issuer of a deployment. Public part and facts only.

    The key file and its password, where one was uploaded, are job secrets.
    """

    class Source(models.TextChoices):
        UPLOAD = "upload", "Uploaded PFX file"
        SERVERS = "servers", "Already on the CRM servers"

    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="certificates"
    )
    source = models.CharField(max_length=8, choices=Source)
    thumbprint = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    subject = models.CharField(max_length=500)
    issuer = models.CharField(max_length=500)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    public_der = models.BinaryField()
    report = models.JSONField(default=dict)
    pfx = models.ForeignKey(Secret, null=True, on_delete=models.PROTECT, related_name="+")
    pfx_password = models.ForeignKey(Secret, null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"…{self.thumbprint[-4:]}"


class ServerProfile(models.Model):
    """An email server profile, as last read from Dynamics."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="server_profiles"
    )
    profile_id = models.UUIDField()
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    fields = models.JSONField(default=dict)
    mailbox_count = models.PositiveIntegerField(default=0)
    mailboxes = models.JSONField(default=list)
    is_gone = models.BooleanField(default=False)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "profile_id"], name="profile_once_an_organization"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Reading(models.Model):
    """What was last read of one organization's trust chain, with its age."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, related_name="reading"
    )
    facts = models.JSONField(default=dict)
    read_at = models.DateTimeField()
    job_number = models.PositiveBigIntegerField(null=True)

    def __str__(self) -> str:
        return f"reading of {self.organization}"


class RecordedAnswer(models.Model):
    """What no interface can be asked, answered by a named person. The newest answer to a question counts."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="answers")
    question = models.SlugField(max_length=64)
    answer = models.CharField(max_length=32)
    remark = models.TextField(blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["organization", "question", "-at"], name="answer_newest")]

    def __str__(self) -> str:
        return f"{self.question}: {self.answer}"
