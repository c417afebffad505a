"""The pilot mailbox, by which the plan proves that everything works."""

from __future__ import annotations

from portal.errors import BadInput, Missing
from portal.jobs.checks import Found
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings
from sync_setup.checks.readings import CHOOSE_PILOT, Readings
from sync_setup.checks.setup_check import PROOF, SetupCheck
from sync_setup.gateways.dynamics_session import Record

ACTIVE = 0  # mailbox.statecode
REJECTED = 3  # mailbox.emailrouteraccessapproval
_ANOTHER = "Choose another pilot mailbox: an active one of an enabled user."


class PilotMailbox(SetupCheck):
    """The pilot is one active mailbox of an enabled user."""

    key = "pilot-mailbox"
    title = "The pilot mailbox can be tested"
    group = PROOF
    source = sources.MAILBOX

    def judge(self, seen: Readings) -> Found:
        named, findings = seen.context.inputs.get("pilot"), Findings()
        findings.evidence = {"pilot": named or None}
        try:
            mailbox = seen.pilot
        except (BadInput, Missing) as error:
            findings.block(error.message.rstrip("."), CHOOSE_PILOT)
            return findings.found("")
        fields = mailbox.fields
        findings.evidence |= {"name": fields.get("name"), "mailbox": mailbox.id}
        if fields.get("isforwardmailbox"):
            findings.block("it is a forward mailbox, which is not tested", _ANOTHER)
        if fields.get("statecode") != ACTIVE:
            findings.block(
                "it is inactive", "Activate the mailbox in Dynamics, and enable its user.", _ANOTHER
            )
        if not fields.get("emailaddress"):
            findings.block("it has no email address", _ANOTHER)
        if fields.get("emailrouteraccessapproval") == REJECTED:
            findings.warn(
                "somebody rejected its address in Dynamics, and the plan approves it",
                "Ask who rejected it, and why, or choose another pilot mailbox.",
            )
        if fields.get("_emailserverprofile_value"):
            findings.warn(
                "it has another server profile now, and works through that one until the plan runs",
                "Tell its user, or choose a mailbox that is not in use.",
            )
        user = _user(seen, mailbox)
        if user is None:
            findings.block("it is the mailbox of a queue or of nobody, not of a user", _ANOTHER)
        elif user.fields.get("isdisabled"):
            findings.block(
                "its user is disabled in Dynamics", "Enable the user in Dynamics.", _ANOTHER
            )
        return findings.found(f"{fields.get('name')} is an active mailbox of an enabled user.")


class PilotAddress(SetupCheck):
    """The mailbox has its own user's address: with another one Dynamics would read somebody else's mail."""

    key = "pilot-address"
    title = "The pilot mailbox has its user's own address"
    group = PROOF
    source = sources.MAILBOX

    def judge(self, seen: Readings) -> Found:
        mailbox, findings = seen.pilot, Findings()
        address = str(mailbox.fields.get("emailaddress") or "")
        user = _user(seen, mailbox)
        own = str(user.fields.get("internalemailaddress") or "") if user else ""
        findings.evidence = {"mailbox": address, "user": own}
        if not address or address.lower() != own.lower():
            findings.block(
                f"the mailbox says {address or 'nothing'}, its user {own or 'nothing'}",
                "Correct the address of the mailbox, or that of the user, in Dynamics.",
                "Let the change be approved by somebody who knows whose mailbox it is.",
            )
        return findings.found(f"Mailbox and user both say {address}.")


class TenantDomain(SetupCheck):
    """The tenant owns the domain of the pilot's address: another customer's tenant would not."""

    key = "tenant-domain"
    title = "The pilot's mail domain belongs to the tenant"
    group = PROOF
    source = sources.GRAPH_ORGANIZATION

    def judge(self, seen: Readings) -> Found:
        tenant, findings = seen.tenant, Findings()
        domain = str(seen.pilot.fields.get("emailaddress") or "").rpartition("@")[2].lower()
        verified = [one.name.lower() for one in tenant.domains]
        findings.evidence = {
            "tenant": tenant.display_name,
            "verified domains": verified,
            "pilot": domain,
        }
        if domain not in verified:
            findings.block(
                f"{domain or 'the pilot without an address'} is no verified domain of {tenant.display_name}",
                "Make sure that the organization is registered with its own tenant, not with another "
                "customer's.",
                "Verify the domain in that tenant, or choose a pilot with an address in it.",
            )
        return findings.found(f"{tenant.display_name} owns {domain}.")


def _user(seen: Readings, mailbox: Record) -> Record | None:
    """Give the user whose mailbox it is; None for a queue's, or nobody's."""
    holder = mailbox.fields.get("_regardingobjectid_value")
    if not holder:
        return None
    try:
        return seen.user(str(holder))
    except Missing:
        return None
