"""The world a fresh simulator starts with: Contoso, its tenant, its CRM, its people."""

from __future__ import annotations

import base64
import datetime
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from simulator.adfs.state import Client, Farm
from simulator.crm_servers.accounts import Account
from simulator.crm_servers.default_deployment import SALES_ID, SERVICE_ID, default_deployment
from simulator.dynamics.database import Database
from simulator.dynamics.default_database import Maker
from simulator.dynamics.names import Holder, holders, new_id
from simulator.entra.state import (
    CRM_APP_ID,
    GLOBAL_ADMINISTRATOR,
    Application,
    ClientSecret,
    DirectoryUser,
    Exchange,
    ExchangeMailbox,
    KeyCredential,
    Person,
    ServicePrincipal,
    Sku,
    Tenant,
)
from simulator.ledger import instant
from simulator.pki import Issued, Pki
from simulator.state import World

SEED = 365
"""Names and ids of people and mailboxes follow from the seed."""
TENANT_ID = "6d1f3a5e-2b7c-4c8e-9a41-0f5b7d9e3c21"
OTHER_TENANT_ID = "b3c9e1d7-5f20-4a6b-8e94-7a1c2d3e4f50"
SIGN_IN_APP = "0f6a2c1b-4d83-4e7a-b1c5-93d7e8a60f11"
SETUP_APP = "1a7b3d2c-5e94-4f8b-a2d6-84c6f9b71e22"
BARE_APP = "2b8c4e3d-6fa5-4a9c-b3e7-75b50ac82d33"
OTHER_APP = "3c9d5f4e-70b6-4bad-84f8-66a41bd93c44"
ADFS_CLIENT = "4dae6a5f-81c7-4cbe-95a9-57932ce04b55"
DOMAIN, WINDOWS_DOMAIN = "contoso.example", "CONTOSO"
HYBRID_CONNECTOR_SKU = "de176c31-616d-4eae-829a-718918d7ec23"
CALLBACKS = ["http://localhost/sign-in/callback/", "http://127.0.0.1/sign-in/callback/"]
PILOT, SERVICE_PILOT = f"sss.pilot@{DOMAIN}", f"sss.pilot.service@{DOMAIN}"

PEOPLE: tuple[tuple[str, str, list[str], list[str]], ...] = (
    ("mira.patel", "Mira Patel", ["Sss.Requester"], []),
    ("jonas.weber", "Jonas Weber", ["Sss.Approver"], []),
    ("lena.brandt", "Lena Brandt", ["Sss.Approver"], []),
    ("anna.fischer", "Anna Fischer", ["Sss.Auditor"], []),
    ("tom.okafor", "Tom Okafor", ["Sss.Admin"], [GLOBAL_ADMINISTRATOR]),
    ("vera.lang", "Vera Lang", ["Sss.Viewer"], []),
    ("olaf.stein", "Olaf Stein", ["Sss.Requester.contososervice"], []),
)


SecretOf = Callable[[str], str]
"""The secret of an application or the password of an account, by its id or name."""


@dataclass(frozen=True)
class Certificates:
    """Certificates that the world starts with.

    ``older`` is the token issuer, about to end; ``expired`` the one before, with the same subject and
    key; ``setup`` that with which the setup app proves itself.
    """

    older: Issued
    expired: Issued
    setup: Issued

    @classmethod
    def issue(cls, now: datetime.datetime, pki: Pki, setup: Issued) -> Certificates:
        older = pki.issue(f"crm.{DOMAIN}", _day(now, -346), _day(now, 19))
        # Renewed the year before with the same key and subject, as administrators do.
        key, start, end = older.private_key, _day(now, -711), _day(now, -340)
        return cls(older, pki.issue(f"crm.{DOMAIN}", start, end, key=key), setup)


def default_world(
    now: datetime.datetime,
    pki: Pki,
    certificates: Certificates,
    secret_of: SecretOf,
    seed: int = SEED,
) -> World:
    """Make the world; with the same certificates and secrets it is the same every time.

    :param seed: of the people and their mailboxes; the fixed ids do not depend on it.
    """
    older, expired = certificates.older, certificates.expired
    authorities = [pki.issuing.der, pki.root.der]
    deployment = default_deployment(
        now=now, token_certificate=older.der, trusted_issuers=authorities
    )
    # Claims are off: the Web API is reached on the intranet by Negotiate.
    deployment.claims_enabled = deployment.ifd_enabled = deployment.oauth_enabled = False
    sales = holders(seed, 249, DOMAIN)
    service = holders(seed + 1, 40, DOMAIN, "service.")
    for people, pilot in ((sales, PILOT), (service, SERVICE_PILOT)):
        people.append(Holder(str(uuid.uuid5(uuid.NAMESPACE_DNS, pilot)), "SSS Pilot", pilot))
    databases = {
        "ContosoSales": _database(seed, now, SALES_ID, "Contoso Sales", sales, PILOT),
        "ContosoService": _database(
            seed + 1, now, SERVICE_ID, "Contoso Service", service, SERVICE_PILOT
        ),
    }
    keys = [_key(expired), _key(older)]
    return World(
        seed=seed,
        made_at=instant(now),
        tenants=[
            _contoso(now, keys, certificates.setup, [*sales, *service], secret_of),
            _fabrikam(now, secret_of),
        ],
        farms=[Farm(kind, [_adfs_client()]) for kind in ("2019", "2016")],
        accounts=_accounts(secret_of),
        deployment=deployment,
        databases=databases,
    )


def _contoso(
    now: datetime.datetime,
    keys: list[KeyCredential],
    setup: Issued,
    people: list[Holder],
    secret_of: SecretOf,
) -> Tenant:
    source = random.Random("contoso")  # noqa: S311 - ids, no secrets
    graph_write = ["Application.ReadWrite.All", "Organization.Read.All"]
    named = [Person(f"{u}@{DOMAIN}", n, new_id(source), r, d) for u, n, r, d in PEOPLE]
    users = [
        DirectoryUser(p.id, p.username, p.name, p.username, [f"SMTP:{p.username}"]) for p in named
    ]
    # A person of both organizations is one user.
    known = {user.user_principal_name: user for user in users}
    for holder in people:
        known.setdefault(holder.address, _directory_user(holder))
    users = list(known.values())
    for user in users[100::83]:
        # Some users have no mailbox in Exchange Online: not licensed, or still on-premises.
        user.has_exchange_plan = False
    addresses = [user.mail for user in users if user.mail and user.has_exchange_plan]
    return Tenant(
        id=TENANT_ID,
        name="Contoso",
        domains=[DOMAIN, "contoso.onmicrosoft.com"],
        applications=[
            Application(
                SIGN_IN_APP,
                "SSS Portal",
                new_id(source),
                [_secret(now, secret_of(SIGN_IN_APP))],
                redirect_uris=list(CALLBACKS),
                scopes=["User.Read"],
                allows_public_flows=True,
            ),
            Application(
                SETUP_APP,
                "SSS Portal setup",
                new_id(source),
                [_secret(now, secret_of(SETUP_APP))],
                [base64.b64encode(setup.der).decode()],
                graph_write,
                [*graph_write, "User.Read"],
                list(CALLBACKS),
                allows_public_flows=True,
            ),
            Application(
                BARE_APP,
                "SSS Portal without consent",
                new_id(source),
                [_secret(now, secret_of(BARE_APP))],
            ),
        ],
        people=named,
        users=users,
        principals=[
            ServicePrincipal(
                new_id(source),
                CRM_APP_ID,
                "Dataverse",
                names=[
                    f"{CRM_APP_ID}/*.{DOMAIN}",
                    f"{CRM_APP_ID}/crm.{DOMAIN}",
                    f"https://crm.{DOMAIN}/",
                ],
                keys=keys,
            )
        ],
        skus=[
            Sku(
                HYBRID_CONNECTOR_SKU,
                "CRM_HYBRIDCONNECTOR",
                {
                    "CRM_HYBRIDCONNECTOR": "0210d5c8-49d2-4dd1-a01b-a91c7c14e0bf",
                    "EXCHANGE_S_FOUNDATION": "113feb6c-3fe4-4440-bddc-54d774bf0318",
                },
            ),
            Sku(
                "05e9a617-0261-4cee-bb44-138d3ef5d965",
                "SPE_E3",
                {"EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0"},
                enabled_units=300,
                consumed_units=len(users),
            ),
        ],
        exchange=Exchange(mailboxes={a.lower(): ExchangeMailbox(a.lower()) for a in addresses}),
    )


def _fabrikam(now: datetime.datetime, secret_of: SecretOf) -> Tenant:
    """Another company's tenant, to be refused."""
    source = random.Random("fabrikam")  # noqa: S311 - ids, no secrets
    permissions = ["Application.ReadWrite.All", "Organization.Read.All"]
    app = Application(
        OTHER_APP,
        "Fabrikam setup",
        new_id(source),
        [_secret(now, secret_of(OTHER_APP))],
        permissions=permissions,
    )
    return Tenant(
        OTHER_TENANT_ID, "Fabrikam", ["fabrikam.example", "fabrikam.onmicrosoft.com"], [app]
    )


def _database(
    seed: int,
    now: datetime.datetime,
    organization_id: str,
    name: str,
    people: list[Holder],
    pilot: str,
) -> Database:
    maker = Maker(seed, now, organization_id, name)
    maker.users(WINDOWS_DOMAIN, DOMAIN, ["svc-sssreader"])
    profiles = maker.profiles()
    maker.mailboxes(people, pilot, profiles["Exchange 2013 on-premises"])
    return maker.database


def _accounts(secret_of: SecretOf) -> list[Account]:
    def account(name: str, **more: str) -> Account:
        return Account(f"{WINDOWS_DOMAIN}\\{name}", secret_of(name), **more)  # type: ignore[arg-type]

    return [
        account("svc-sssportal"),
        account("svc-sssreader"),
        account("svc-ssslook", grant="Look", certificate_name=f"svc-ssslook@{DOMAIN}"),
        account("svc-ssschange", grant="Change", certificate_name=f"svc-ssschange@{DOMAIN}"),
        account("svc-sssnothing"),
        # The Deployment Administrator that may be handed along where a gMSA is refused.
        account("crmadmin"),
    ]


def _directory_user(holder: Holder) -> DirectoryUser:
    address = holder.address
    return DirectoryUser(holder.id, address, holder.name, address, [f"SMTP:{address}"])


def _adfs_client() -> Client:
    return Client(ADFS_CLIENT, "SSS Portal", list(CALLBACKS))


def _secret(now: datetime.datetime, value: str) -> ClientSecret:
    return ClientSecret(value, instant(_day(now, 180)))


def _key(issued: Issued) -> KeyCredential:
    """A key as Microsoft's script left it: dates of the certificate, thumbprint as identifier."""
    certificate = issued.certificate
    form = "%Y-%m-%dT%H:%M:%SZ"
    return KeyCredential(
        key_id=str(uuid.uuid5(uuid.NAMESPACE_OID, issued.sha256)),
        key=base64.b64encode(issued.der).decode(),
        custom_key_identifier=issued.thumbprint_sha1,
        start=certificate.not_valid_before_utc.strftime(form),
        end=certificate.not_valid_after_utc.strftime(form),
        display_name=certificate.subject.rfc4514_string(),
    )


def _day(now: datetime.datetime, days: int) -> datetime.datetime:
    return (now + datetime.timedelta(days=days)).replace(microsecond=0)
