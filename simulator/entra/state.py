"""A tenant: its applications, people, directory, licences, and Exchange Online."""

from __future__ import annotations

from dataclasses import dataclass, field

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
CRM_APP_ID = "00000007-0000-0000-c000-000000000000"
"""Dynamics CRM's own application; its principal's keys are what CRM on-premises signs with."""


@dataclass
class ClientSecret:
    """A client secret of an application; ``expires_at`` UTC ISO."""

    value: str
    expires_at: str


@dataclass
class Application:
    """An app registration with its consented permissions.

    ``permissions`` are Microsoft Graph application permissions, ``scopes`` delegated ones;
    ``certificates`` base64 DER; ``redirect_uris`` are compared exactly, but on localhost without the
    port; ``allows_public_flows`` lets it sign people in by device code without a credential.
    """

    client_id: str
    name: str
    object_id: str
    secrets: list[ClientSecret] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    permissions: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    redirect_uris: list[str] = field(default_factory=list)
    allows_public_flows: bool = False


@dataclass
class Person:
    """Someone who can sign in on the sign-in page: ``roles`` are app roles of the sign-in app."""

    username: str
    name: str
    id: str
    roles: list[str] = field(default_factory=list)
    directory_roles: list[str] = field(default_factory=list)
    is_enabled: bool = True


@dataclass
class DirectoryUser:
    """A user of the tenant as Microsoft Graph shows it."""

    id: str
    user_principal_name: str
    display_name: str
    mail: str | None
    proxy_addresses: list[str] = field(default_factory=list)
    is_enabled: bool = True
    has_exchange_plan: bool = True


@dataclass
class KeyCredential:
    """A key of a service principal; ``key`` and ``custom_key_identifier`` are base64."""

    key_id: str
    key: str
    custom_key_identifier: str
    start: str
    end: str
    display_name: str | None = None
    type: str = "AsymmetricX509Cert"
    usage: str = "Verify"


@dataclass
class ServicePrincipal:
    """An enterprise application of the tenant."""

    id: str
    app_id: str
    display_name: str
    is_enabled: bool = True
    names: list[str] = field(default_factory=list)
    keys: list[KeyCredential] = field(default_factory=list)


@dataclass
class Sku:
    """A subscription: service plans by name."""

    sku_id: str
    part_number: str
    plans: dict[str, str]
    status: str = "Enabled"
    enabled_units: int = 1
    consumed_units: int = 0


@dataclass
class ExchangeMailbox:
    """A mailbox in Exchange Online.

    ``synchronizing_organization`` is the CRM organization (GUID) that appointments, contacts and
    tasks are synchronized with: one only.
    """

    address: str
    is_ews_enabled: bool = True
    synchronizing_organization: str | None = None


@dataclass
class Exchange:
    """Exchange Online of the tenant.

    ``is_crm_allowed`` is the switch that Exchange Support turns on for CRM on-premises;
    ``ews_enabled`` None means never set; ``ews_allowed_app_ids`` is one comma-separated text.
    """

    is_crm_allowed: bool = True
    ews_enabled: bool | None = True
    ews_allowed_app_ids: str | None = CRM_APP_ID
    mailboxes: dict[str, ExchangeMailbox] = field(default_factory=dict)


@dataclass
class Tenant:
    """One Entra ID tenant; the first of ``domains`` is the primary one."""

    id: str
    name: str
    domains: list[str]
    applications: list[Application] = field(default_factory=list)
    deleted_applications: list[Application] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    users: list[DirectoryUser] = field(default_factory=list)
    principals: list[ServicePrincipal] = field(default_factory=list)
    skus: list[Sku] = field(default_factory=list)
    exchange: Exchange = field(default_factory=Exchange)

    def application(self, client_id: str) -> Application | None:
        return next((a for a in self.applications if a.client_id == client_id.lower()), None)

    def person(self, username: str) -> Person | None:
        return next((p for p in self.people if p.username == username), None)

    def principal_of(self, app_id: str) -> ServicePrincipal | None:
        return next((p for p in self.principals if p.app_id == app_id), None)
