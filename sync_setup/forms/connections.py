from __future__ import annotations

from typing import Any

from django import forms

from portal.forms import Form
from sync_setup.actions import ServerAddress
from sync_setup.clouds import clouds
from sync_setup.models import CrmServer, Deployment, EntraTenant, Organization

_WIDE = {"class": "w-full", "spellcheck": "false", "autocapitalize": "off"}
_PEM_LIMIT = 64 * 1024
KEPT = "Empty: the one that is set stays."


def _secret(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "w-full"}),
    )


def _pem(help_text: str) -> forms.FileField:
    return forms.FileField(
        label="Certificate and private key (PEM)",
        help_text=help_text,
        required=False,
        widget=forms.FileInput(attrs={"accept": ".pem,.crt,.key"}),
    )


class _WithPem(Form):
    """A form with a ``pem`` file."""

    def clean_pem(self) -> str:
        """Give the file's text.

        :raises ValidationError: for a file that is none of text.
        """
        file = self.cleaned_data.get("pem")
        if not file:
            return ""
        try:
            return str(file.read(_PEM_LIMIT).decode("ascii"))
        except UnicodeDecodeError:
            raise forms.ValidationError(
                "This is not PEM text. Export certificate and key as PEM, without a passphrase."
            ) from None


class TenantForm(Form):
    """A tenant as it is registered."""

    name = forms.CharField(
        label="Name",
        help_text="As people call it: Contoso.",
        max_length=200,
        widget=forms.TextInput(attrs={"class": "w-full"}),
    )
    tenant_id = forms.CharField(
        label="Tenant ID",
        help_text="Entra admin center, Overview.",
        max_length=64,
        widget=forms.TextInput(attrs=_WIDE | {"class": "w-full mono"}),
    )
    cloud = forms.ChoiceField(label="Cloud")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["cloud"].choices = [  # type: ignore[attr-defined]
            (
                key,
                cloud.title if cloud.documented else f"{cloud.title} (not documented by Microsoft)",
            )
            for key, cloud in clouds().items()
        ]


class TenantAccessForm(_WithPem):
    """The setup app that the tenant's administrator gave."""

    client_id = forms.CharField(
        label="Application (client) ID",
        max_length=64,
        widget=forms.TextInput(attrs=_WIDE | {"class": "w-full mono"}),
    )
    access = forms.ChoiceField(
        label="How does the app prove itself?",
        choices=list(EntraTenant.Access.choices),
        widget=forms.RadioSelect,
    )
    secret = _secret("Client secret", "Its value, not its id. Never shown again.")
    pem = _pem("One certificate and its key, without a passphrase. Better than a secret.")
    keeps = forms.BooleanField(
        label="The tenant keeps this app",
        help_text="Else each job waits, after its Entra steps, until the app is deleted.",
        required=False,
    )

    def __init__(self, tenant: EntraTenant, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if tenant.has_credential:
            kept = self.fields["pem" if tenant.access == tenant.Access.CERTIFICATE else "secret"]
            kept.help_text = f"{kept.help_text} {KEPT}"

    @property
    def credential(self) -> str:
        by_certificate = self.cleaned_data["access"] == EntraTenant.Access.CERTIFICATE
        return str(self.cleaned_data["pem" if by_certificate else "secret"])

    @property
    def credential_field(self) -> str:
        by_certificate = self.cleaned_data["access"] == EntraTenant.Access.CERTIFICATE
        return "pem" if by_certificate else "secret"


class DeploymentForm(Form):
    """A deployment as it is registered; its servers stand in a formset beside it."""

    name = forms.CharField(
        label="Name", max_length=100, widget=forms.TextInput(attrs={"class": "w-full"})
    )
    web_api_url = forms.CharField(
        label="Address of Dynamics 365",
        help_text="https://crm.contoso.example, to which the organization is added, or with "
        "internet-facing deployment https://{organization}.contoso.example",
        max_length=300,
        widget=forms.TextInput(attrs=_WIDE | {"inputmode": "url"}),
    )
    ca_file = forms.CharField(
        label="CA file",
        help_text="Path, on the portal's own machines, of a PEM file with the authorities to trust. "
        "Empty: the public ones.",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs=_WIDE),
    )


class ServerForm(Form):
    """One CRM server: exactly as Get-CrmServer names it, and where its WinRM listener is."""

    name = forms.CharField(
        label="Name",
        max_length=63,
        required=False,
        widget=forms.TextInput(attrs=_WIDE | {"class": "w-m"}),
    )
    host = forms.CharField(
        label="WinRM host",
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs=_WIDE | {"class": "w-m"}),
    )
    port = forms.IntegerField(
        label="Port",
        min_value=1,
        max_value=65535,
        initial=5986,
        required=False,
        widget=forms.NumberInput(attrs={"class": "w-s"}),
    )
    tools = forms.BooleanField(label="Has the Deployment Tools", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("name")) != bool(cleaned.get("host")):
            missing = "host" if cleaned.get("name") else "name"
            self.add_error(missing, "Give both name and host.")
        return cleaned

    @property
    def address(self) -> ServerAddress | None:
        """Give the server; None for a row that was left empty."""
        cleaned = self.cleaned_data
        if not cleaned.get("name"):
            return None
        port = cleaned.get("port") or 5986
        return ServerAddress(cleaned["name"], cleaned["host"], port, bool(cleaned.get("tools")))


class NewServerForm(ServerForm):
    """One more server of a deployment that is registered already."""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix="new")
        del self.fields["tools"]
        for name in ("name", "host"):
            self.fields[name].required = True


class ServerChangeForm(Form):
    """Where a server is reached, and the module it must have."""

    host = forms.CharField(label="WinRM host", max_length=255, widget=forms.TextInput(attrs=_WIDE))
    port = forms.IntegerField(
        label="Port",
        min_value=1,
        max_value=65535,
        widget=forms.NumberInput(attrs={"class": "w-s"}),
    )
    module_sha256 = forms.CharField(
        label="SHA-256 of the SssPortal module",
        help_text="Empty: any module whose command list is exactly the contract's. Pinned, any other "
        "module is refused.",
        max_length=128,
        required=False,
        widget=forms.TextInput(attrs=_WIDE | {"class": "w-full mono"}),
    )

    def __init__(self, server: CrmServer, data: Any = None) -> None:
        super().__init__(
            data,
            prefix=f"server-{server.pk}",
            initial={
                "host": server.host,
                "port": server.port,
                "module_sha256": server.module_sha256,
            },
        )
        self.server = server


class DeploymentAccessForm(_WithPem):
    """The accounts by which workers reach CRM and its servers."""

    crm_username = forms.CharField(
        label="CRM user",
        help_text="A licensed user of each organization.",
        max_length=200,
        widget=forms.TextInput(attrs=_WIDE),
    )
    crm_password = _secret("Password of the CRM user", KEPT)
    adfs_client_id = forms.CharField(
        label="AD FS client ID",
        help_text="Where sign-in is by AD FS: the client registered with Add-AdfsClient.",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs=_WIDE),
    )
    winrm_sign_in = forms.ChoiceField(
        label="Sign-in to the servers (WinRM)",
        choices=list(Deployment.WinrmSignIn.choices),
        widget=forms.RadioSelect,
    )
    winrm_username = forms.CharField(
        label="WinRM user",
        help_text="As DOMAIN\\user.",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs=_WIDE),
    )
    winrm_password = _secret("Password of the WinRM user", KEPT)
    pem = _pem(f"For sign-in by client certificate. {KEPT}")

    @property
    def winrm_credential(self) -> str:
        by_certificate = self.cleaned_data["winrm_sign_in"] == Deployment.WinrmSignIn.CERTIFICATE
        return str(self.cleaned_data["pem" if by_certificate else "winrm_password"])


class OrganizationForm(Form):
    """An organization as it is registered."""

    deployment = forms.ModelChoiceField(
        label="Deployment", queryset=Deployment.objects.none(), empty_label=None
    )
    tenant = forms.ModelChoiceField(
        label="Entra tenant",
        help_text="The tenant that its Exchange Online belongs to.",
        queryset=EntraTenant.objects.none(),
        empty_label=None,
    )
    unique_name = forms.CharField(
        label="Unique name",
        help_text="From Get-CrmOrganization, in exactly that spelling: upper and lower case count.",
        max_length=100,
        strip=False,
        widget=forms.TextInput(attrs=_WIDE),
    )
    environment = forms.ChoiceField(
        label="What is it for?", choices=list(Organization.Environment.choices)
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["deployment"].queryset = Deployment.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["tenant"].queryset = EntraTenant.objects.order_by("name")  # type: ignore[attr-defined]
