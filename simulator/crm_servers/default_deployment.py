"""The deployment a fresh simulator starts with: two servers, two organizations, an old certificate."""

from __future__ import annotations

import base64
import copy
import datetime
import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from simulator.deployment import (
    Deployment,
    KeyReader,
    Organization,
    Server,
    Service,
    StoredCertificate,
    token_issuer_row,
)
from simulator.ledger import instant

SALES_ID = "5b0c2c5e-6a0d-4f0a-9d35-1f6f3f1d7a01"
SERVICE_ID = "5b0c2c5e-6a0d-4f0a-9d35-1f6f3f1d7a02"
ASYNC_ACCOUNT = "CONTOSO\\svc-crmasync"
WEB_ACCOUNT = "CONTOSO\\svc-crmweb"
RUN_AS_ACCOUNT = "CONTOSO\\gmsa-sss$"
DOMAIN_SID = "S-1-5-21-1402365871-2915873640-3380192257"
ASYNC_SID = f"{DOMAIN_SID}-1131"
WEB_SID = f"{DOMAIN_SID}-1132"

SYSTEM_READERS = (
    KeyReader("NT AUTHORITY\\SYSTEM", "S-1-5-18", "FullControl"),
    KeyReader("BUILTIN\\Administrators", "S-1-5-32-544", "FullControl"),
)
"""Who may always read a machine key: Windows' own entries on every new key file."""

# The simulator stands in for the signed module, so there is no file to hash; the value only has to
# be the same on every server of a deployment whose servers carry the same module.
MODULE_SHA256 = hashlib.sha256(b"SssPortal 1.0.0").hexdigest().upper()


def default_deployment(
    *,
    now: datetime.datetime,
    token_certificate: bytes,
    trusted_issuers: Sequence[bytes],
    portal_id: str = "",
) -> Deployment:
    """Make the deployment of a fresh world.

    The older certificate is installed on both servers, readable by the service accounts, and is the
    token issuer; neither authorization server setting nor any tenant id is set.

    :param token_certificate: the older certificate (CN=crm.contoso.example), DER or PEM.
    :param trusted_issuers: certification authorities that the servers trust, DER or PEM.
    :param portal_id: GUID the endpoint's installer was given; empty: the first portal claims it.
    """
    certificate = StoredCertificate.from_der(_der(token_certificate))
    certificate.key_readers = [copy.copy(reader) for reader in SYSTEM_READERS]
    web, background = _web_server(now, certificate), _async_server(now, certificate)
    for server in (web, background):
        server.module_sha256, server.portal_id = MODULE_SHA256, portal_id.lower()
    deployment = Deployment(
        service_url=f"https://{web.fqdn}/XRMDeployment/2011/Deployment.svc",
        servers=[web, background],
        organizations=[
            Organization(SALES_ID, "ContosoSales", "Contoso Sales"),
            Organization(SERVICE_ID, "ContosoService", "Contoso Service"),
        ],
        token_issuer=token_issuer_row("c0f5c1b4-8a53-4f0e-a2a8-2f6d1c9b0e11", certificate),
        token_issuer_count=1,
        administrators=[RUN_AS_ACCOUNT, "CONTOSO\\crmadmin"],
        trusted_issuers=[base64.b64encode(_der(issuer)).decode() for issuer in trusted_issuers],
    )
    for server in deployment.servers:
        for service in server.services + server.app_pools:
            service.loaded = deployment.snapshot()
    return deployment


def _web_server(now: datetime.datetime, certificate: StoredCertificate) -> Server:
    own = copy.deepcopy(certificate)
    own.key_readers.append(KeyReader(WEB_ACCOUNT, WEB_SID))
    own.iis_bindings = ["https/*:443:crm.contoso.example"]
    pool = Service(
        "WebApplicationPool",
        "CRMAppPool",
        WEB_ACCOUNT,
        WEB_SID,
        started_at=_earlier(now, days=2, hours=7),
        process_id=4312,
    )
    return Server(
        id="0d2a7c4e-7a44-4b53-8a34-6b1f0d2c9e01",
        name="CRM-APP01",
        fqdn="crm-app01.contoso.example",
        roles=["WebApplication", "DeploymentTools"],
        run_as_kind="GroupManagedServiceAccount",
        run_as_identity=RUN_AS_ACCOUNT,
        app_pools=[pool],
        certificates=[own],
    )


def _async_server(now: datetime.datetime, certificate: StoredCertificate) -> Server:
    own = copy.deepcopy(certificate)
    own.key_readers.append(KeyReader(ASYNC_ACCOUNT, ASYNC_SID))
    services = [
        Service(
            word,
            name,
            ASYNC_ACCOUNT,
            ASYNC_SID,
            started_at=_earlier(now, days=9, hours=3),
            process_id=process_id,
        )
        for word, name, process_id in (
            ("Async", "MSCRMAsyncService", 2788),
            ("AsyncMaintenance", "MSCRMAsyncService$maintenance", 2812),
        )
    ]
    return Server(
        id="0d2a7c4e-7a44-4b53-8a34-6b1f0d2c9e02",
        name="CRM-APP02",
        fqdn="crm-app02.contoso.example",
        roles=["Async", "EmailIntegration"],
        run_as_kind="VirtualAccount",
        run_as_identity="WinRM Virtual Users\\WinRM VA_1_CONTOSO_svc-sssportal",
        services=services,
        certificates=[own],
        # GUESS: the Tools folder with the product's script comes with the Deployment Tools alone.
        script_present=False,
    )


def _earlier(now: datetime.datetime, **ago: float) -> str:
    return instant(now - datetime.timedelta(**ago))


def _der(data: bytes) -> bytes:
    if data.startswith(b"-----"):
        return x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)
    return data
