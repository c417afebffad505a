"""Verbs that enter the accounts by which workers reach tenants, CRM and its servers. Secrets are sealed at once."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from portal.command_line.outcome import Outcome
from portal.command_line.secret_input import add_secret_option, line_of, text_of
from portal.errors import BadInput
from sync_setup import actions
from sync_setup.command_line.facts import deployment_facts, tenant_facts
from sync_setup.command_line.places import deployment_for, tenant_for
from sync_setup.command_line.verb import Call, Verb
from sync_setup.models import Deployment


def _access_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("tenant", metavar="TENANT", help="its id or its name")
    parser.add_argument("--client-id", required=True, metavar="GUID", help="of the setup app")
    ways = parser.add_mutually_exclusive_group()
    add_secret_option(ways, "--secret-file", "the client secret")  # type: ignore[arg-type]
    ways.add_argument(
        "--certificate-file",
        type=Path,
        metavar="PEM",
        help="one certificate and its private key, without a passphrase; better than a secret",
    )
    parser.add_argument(
        "--keeps",
        action="store_true",
        help="the tenant keeps the app; else jobs wait until it is gone",
    )


def _tenant_access(call: Call) -> Outcome:
    options = call.options
    tenant = tenant_for(call.by, options["tenant"])
    pem: Path | None = options["certificate_file"]
    if pem:
        access, credential = "certificate", text_of(pem, option="--certificate-file")
    else:
        # Without a file, what is set may stay: to change only whether the tenant keeps the app.
        asking = "Client secret of the setup app" + (
            " (empty: the one that is set stays)" if tenant.has_credential else ""
        )
        access = tenant.access if options["secret_file"] is None else "secret"
        credential = line_of(options["secret_file"], asking=asking, option="--secret-file")
    tenant = actions.set_tenant_access(
        tenant,
        by=call.by,
        access=access,
        client_id=options["client_id"],
        credential=credential,
        keeps=options["keeps"],
    )
    return Outcome(
        tenant_facts(tenant), f"Setup app of {tenant.name} kept, sealed for the workers."
    )


def _accounts_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("deployment", metavar="DEPLOYMENT", help="its name")
    parser.add_argument(
        "--crm-user", required=True, metavar="USER", help="a user of each organization"
    )
    add_secret_option(parser, "--crm-password-file", "the CRM user's password")
    parser.add_argument("--winrm-user", default="", metavar="USER")
    add_secret_option(parser, "--winrm-password-file", "the WinRM user's password")
    parser.add_argument(
        "--winrm-certificate-file",
        type=Path,
        metavar="PEM",
        help="client certificate and its key, with --winrm-sign-in certificate",
    )
    parser.add_argument(
        "--winrm-sign-in",
        choices=Deployment.WinrmSignIn.values,
        default=Deployment.WinrmSignIn.NEGOTIATE.value,
    )
    parser.add_argument(
        "--adfs-client-id", default="", metavar="ID", help="registered with Add-AdfsClient"
    )


def _deployment_access(call: Call) -> Outcome:
    options = call.options
    deployment = deployment_for(call.by, options["deployment"])
    crm_password = line_of(
        options["crm_password_file"],
        asking="Password of the CRM user (empty: the one that is set stays)",
        option="--crm-password-file",
    )
    deployment = actions.set_deployment_access(
        deployment,
        by=call.by,
        crm_username=options["crm_user"],
        crm_password=crm_password,
        winrm_username=options["winrm_user"],
        winrm_credential=_winrm_credential(options, deployment),
        winrm_sign_in=options["winrm_sign_in"],
        adfs_client_id=options["adfs_client_id"],
    )
    text = f"Accounts of {deployment.name} kept, their secrets sealed for the workers."
    return Outcome(deployment_facts(deployment), text)


def _winrm_credential(options: Mapping[str, Any], deployment: Deployment) -> str:
    """Give the password or PEM of the WinRM account; empty: the one that is set stays."""
    sign_in, pem = options["winrm_sign_in"], options["winrm_certificate_file"]
    by_certificate = sign_in == Deployment.WinrmSignIn.CERTIFICATE
    is_new_way = deployment.winrm_credential_id is None or deployment.winrm_sign_in != sign_in
    if (pem and not by_certificate) or (by_certificate and not pem and is_new_way):
        raise BadInput(
            "--winrm-certificate-file and --winrm-sign-in certificate belong together.",
            remedy="Give both, or neither.",
            field="winrm-certificate-file",
        )
    if pem:
        return text_of(pem, option="--winrm-certificate-file")
    if sign_in != Deployment.WinrmSignIn.NEGOTIATE:
        return ""
    return line_of(
        options["winrm_password_file"],
        asking="Password of the WinRM user (empty: the one that is set stays)",
        option="--winrm-password-file",
    )


VERBS = (
    Verb("tenant-access", "Enter the tenant's setup app.", _access_arguments, _tenant_access),
    Verb(
        "deployment-access",
        "Enter the accounts by which workers reach CRM and its servers.",
        _accounts_arguments,
        _deployment_access,
    ),
)
