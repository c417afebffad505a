"""The world a fresh simulator starts with: Contoso, its tenant, its CRM, its people."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass

from simulator.adfs.state import Client, Farm
from simulator.crm_servers.accounts import Account
from simulator.crm_servers.default_deployment import SALES_ID, SERVICE_ID, default_deployment
from simulator.dynamics.database import Database
from simulator.dynamics.default_database import Maker
from simulator.dynamics.names import Holder, holders
from simulator.entra.default_tenants import CALLBACKS, DOMAIN, SecretOf, contoso, fabrikam, key_of
from simulator.ledger import instant
from simulator.pki import Issued, Pki
from simulator.state import World

SEED = 365
"""Names and ids of people and mailboxes follow from the seed."""
ADFS_CLIENT = "4dae6a5f-81c7-4cbe-95a9-57932ce04b55"
WINDOWS_DOMAIN = "CONTOSO"
PILOT, SERVICE_PILOT = f"sss.pilot@{DOMAIN}", f"sss.pilot.service@{DOMAIN}"


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
        """Issue the certificates that the default world's servers hold on ``now``."""
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
    keys = [key_of(expired), key_of(older)]
    return World(
        seed=seed,
        made_at=instant(now),
        tenants=[
            contoso(now, keys, certificates.setup, [*sales, *service], secret_of),
            fabrikam(now, secret_of),
        ],
        farms=[Farm(kind, [_adfs_client()]) for kind in ("2019", "2016")],
        accounts=_accounts(secret_of),
        deployment=deployment,
        databases=databases,
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


def _adfs_client() -> Client:
    return Client(ADFS_CLIENT, "SSS Portal", list(CALLBACKS))


def _day(now: datetime.datetime, days: int) -> datetime.datetime:
    return (now + datetime.timedelta(days=days)).replace(microsecond=0)
