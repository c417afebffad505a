"""The contract's own refusals, as errors of the portal with the way on."""

from __future__ import annotations

from portal.errors import Conflict, GatewayError, Missing, Refused, Rejected, Throttled, Unreachable
from sync_setup.gateways.contract import ContractError
from sync_setup.gateways.failures import Origin, clean

_BUSY_S = 5.0
_AGAIN = "Look at the server as it is now, then make a new plan."
_MODULE = "Install the version of the SssPortal module that belongs to this portal."
_LOG = "Read the Windows event log of the server; the portal looks before it changes anything."

CODES: dict[str, tuple[type[GatewayError], str]] = {
    "BadParameter": (Rejected, _MODULE),
    "ContractMismatch": (Refused, _MODULE),
    "WrongPortal": (
        Refused,
        "Install the endpoint again with this portal's id, if this portal is to manage the server.",
    ),
    "StaleFence": (Conflict, "Reload: another run of the portal has gone on since."),
    "Busy": (Throttled, "Wait; the portal tries again when the running change has ended."),
    "OperationMismatch": (Conflict, "Make a new plan: this change was begun with other values."),
    "UnexpectedState": (Conflict, _AGAIN),
    "NotElevated": (
        Refused,
        "Make the endpoint's run-as account a member of the server's local Administrators.",
    ),
    "Not64Bit": (Refused, "Register the endpoint from 64-bit Windows PowerShell 5.1."),
    "NotDeploymentTools": (Refused, "Use the server that has the role Deployment Tools."),
    "NotDeploymentAdministrator": (
        Refused,
        "Add the account that the endpoint runs as in Deployment Manager > Deployment "
        "Administrators; a virtual account cannot be one, so run the endpoint as a gMSA there.",
    ),
    "DeploymentServiceUnreachable": (
        Unreachable,
        "Start the Deployment web service; for a name other than the server's own, add it to "
        "BackConnectionHostNames.",
    ),
    "PasswordWrong": (Rejected, "Upload the certificate file again and enter its password."),
    "CertificateMismatch": (
        Rejected,
        "Upload the certificate file again: it must hold exactly the certificate of the plan and "
        "one private key.",
    ),
    "CertificateUnusable": (
        Rejected,
        "Use a certificate that is valid today and whose RSA key is in a CSP with KeySpec 1 "
        "(certutil -importpfx FILE AT_KEYEXCHANGE).",
    ),
    "CertificateNotFound": (
        Missing,
        "Install the certificate with its private key in this server's LocalMachine\\My first.",
    ),
    "SubjectAmbiguous": (
        Rejected,
        "Archive the other certificate with this subject, or issue one with a subject of its own.",
    ),
    "InUse": (
        Rejected,
        "Take the certificate out of use (IIS binding, token issuer) before it goes.",
    ),
    "NotOurs": (Rejected, "Change this by hand: the portal takes away only what it added itself."),
    "RoleNotHere": (Rejected, "Choose the role that this server has."),
    "OrganizationNotFound": (
        Missing,
        "Use the unique name exactly as Get-CrmOrganization writes it; case matters.",
    ),
    "OrganizationDisabled": (Rejected, "Enable the organization in Deployment Manager."),
    "ServiceMissing": (Missing, "Install or enable the service on this server, or leave it out."),
    "ServiceTimeout": (
        Rejected,
        "Look at the service in services.msc and start it by hand; nothing was killed.",
    ),
    "ScriptMissing": (
        Rejected,
        "Repair the CRM server installation (CertificateReconfiguration.ps1 is missing), or import "
        "without the script.",
    ),
    "ScriptUntrusted": (
        Rejected,
        "Repair the CRM server installation: CertificateReconfiguration.ps1 is not Microsoft's.",
    ),
    "ScriptFailed": (Rejected, "Read the message, correct what it names, and try again."),
    "Internal": (Rejected, _LOG),
}


def refusal(origin: Origin, function: str, error: ContractError) -> GatewayError:
    """Turn a refusal of a function into an error with the contract's code in its own."""
    kind, remedy = CODES.get(error.code, (Rejected, _LOG))
    rest: dict[str, object] = {
        "remedy": remedy,
        "code": origin.code(error.code if error.code in CODES else "Internal"),
        "system": origin.system,
        "detail": {
            "function": function,
            "error_code": clean(error.code, 60),
            "answer": clean(error.message),
            "changed": error.changed,
        },
    }
    if issubclass(kind, Rejected):
        rest["changed"] = error.changed
    if issubclass(kind, Unreachable):
        rest["sent"] = error.changed != "No"
    if issubclass(kind, Throttled):
        rest["retry_after_s"] = _BUSY_S
    return kind(f"{origin.system} refuses {function}: {clean(error.message)}", **rest)  # type: ignore[arg-type]
