"""Test-SssEgress: can this server reach Exchange Online and the token service, over TLS 1.2."""

from __future__ import annotations

from simulator.crm_servers.answers import Json
from simulator.crm_servers.call import Call, Look
from simulator.crm_servers.parameters import Parameter

HOSTS = {
    "Global": (
        "accounts.accesscontrol.windows.net",
        "outlook.office365.com",
        "login.microsoftonline.com",
    ),
    "GccHigh": ("login.microsoftonline.us", "outlook.office365.us"),
}
PUBLIC_ISSUER = "CN=DigiCert Cloud Services CA-1, O=DigiCert Inc, C=US"
INSPECTING_ISSUER = "CN=Contoso TLS Inspection CA"


def _run(call: Call) -> Json:
    return {
        "RunAsIdentity": call.server.run_as_identity,
        "Proxy": call.server.proxy or None,
        "Endpoints": [_endpoint(call, host) for host in HOSTS[call.text("Cloud")]],
    }


def _endpoint(call: Call, host: str) -> Json:
    is_reached = host not in call.server.unreachable_hosts
    is_inspected = is_reached and host in call.server.intercepted_hosts
    issuer = INSPECTING_ISSUER if is_inspected else PUBLIC_ISSUER
    error = f"No connection to {host}:443 within the time." if not is_reached else None
    if is_inspected:
        error = "The remote certificate is invalid according to the validation procedure."
    return {
        "Host": host,
        "Port": 443,
        "Dns": True,
        "Tcp": is_reached,
        "TlsProtocol": "Tls12" if is_reached else None,
        "Issuer": issuer if is_reached else None,
        "Trusted": is_reached and not is_inspected,
        "Milliseconds": 34 if is_reached else 5000,
        "Error": error,
    }


TEST_EGRESS = Look(
    "Test-SssEgress",
    (Parameter("Cloud", "string", mandatory=True, choices=("Global", "GccHigh")),),
    _run,
)
