"""The tenants that a fresh world starts with: Contoso, and Fabrikam to be refused."""

from __future__ import annotations

import base64
import datetime
import random
import uuid
from collections.abc import Callable

from simulator.dynamics.names import Holder, new_id
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
from simulator.pki import Issued

TENANT_ID = "6d1f3a5e-2b7c-4c8e-9a41-0f5b7d9e3c21"
OTHER_TENANT_ID = "b3c9e1d7-5f20-4a6b-8e94-7a1c2d3e4f50"
SIGN_IN_APP = "0f6a2c1b-4d83-4e7a-b1c5-93d7e8a60f11"
SETUP_APP = "1a7b3d2c-5e94-4f8b-a2d6-84c6f9b71e22"
BARE_APP = "2b8c4e3d-6fa5-4a9c-b3e7-75b50ac82d33"
OTHER_APP = "3c9d5f4e-70b6-4bad-84f8-66a41bd93c44"
DOMAIN = "contoso.example"
HYBRID_CONNECTOR_SKU = "de176c31-616d-4eae-829a-718918d7ec23"
CALLBACKS = ["http://localhost/sign-in/callback/", "http://127.0.0.1/sign-in/callback/"]

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


def contoso(
    now: datetime.datetime,
    keys: list[KeyCredential],
    setup: Issued,
    people: list[Holder],
    secret_of: SecretOf,
) -> Tenant:
    """The company's own tenant.

    :param keys: of CRM's principal. :param setup: the certificate of the setup app.
    :param people: holders of the CRM mailboxes, who are users and have Exchange mailboxes.
    """
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
    for user in [u for u in users if not u.user_principal_name.startswith("sss.")][100::83]:
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


def fabrikam(now: datetime.datetime, secret_of: SecretOf) -> Tenant:
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


def _directory_user(holder: Holder) -> DirectoryUser:
    address = holder.address
    return DirectoryUser(holder.id, address, holder.name, address, [f"SMTP:{address}"])


def _secret(now: datetime.datetime, value: str) -> ClientSecret:
    return ClientSecret(value, instant(now + datetime.timedelta(days=180)))


def key_of(issued: Issued) -> KeyCredential:
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
