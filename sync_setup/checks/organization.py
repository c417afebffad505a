"""The organization by its Web API: can the portal get in, and is it set up to synchronize?"""

from __future__ import annotations

import re

from portal.errors import BadInput, Missing, Refused
from portal.jobs.checks import Found
from portal.jobs.states import Verdict
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, counted, listed
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import DYNAMICS, SetupCheck
from sync_setup.gateways.dynamics import MAILBOXES
from sync_setup.gateways.odata import compare
from sync_setup.models import Organization

SERVER_SIDE, EMAIL_ROUTER = 0, 1  # organization.emailconnectionchannel
ADMINISTRATIVE, READ_ONLY = 1, 2  # systemuser.accessmode
APPROVED = 1  # mailbox.emailrouteraccessapproval
APPROVE = "prvApproveRejectEmailAddress"
# GUESS: alerts (tracelog) have a privilege of their own by this name.
NEEDED = (
    *("prvReadEmailServerProfile", "prvCreateEmailServerProfile", "prvWriteEmailServerProfile"),
    *("prvReadMailbox", "prvWriteMailbox", "prvReadTraceLog"),
    *("prvReadOrganization", "prvReadUser", "prvReadQueue"),
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # ContosoUAT, contoso_test, ContosoTest
_LIKE_A_TEST = frozenset(
    {"test", "tst", "uat", "qa", "dev", "stage", "staging", "sandbox", "copy", "training"}
)


class WebApiSignIn(SetupCheck):
    """The portal's user gets in, and behind the address is this organization and no other."""

    key = "web-api"
    title = "The portal signs in to this organization"
    group = DYNAMICS
    source = sources.WEB_API_SIGN_IN

    def judge(self, seen: Readings) -> Found:
        context, findings = seen.context, Findings()
        name = context.organization.unique_name
        findings.evidence = {
            "address": context.deployment.organization_url(name),
            "user": context.deployment.crm_username,
        }
        try:
            found = seen.current_organization
            user = seen.user(seen.caller.user_id)
            findings.evidence["sign-in"] = seen.dynamics().sign_in().kind
        except (Refused, Missing, BadInput) as error:
            findings.evidence |= {"code": error.code} | getattr(error, "detail", {})
            findings.block(error.message.rstrip("."), *error.remedy.splitlines())
            return findings.found("")
        findings.evidence |= {
            "signed in as": user.fields.get("fullname"),
            "organization": found.unique_name,
            "version": found.version,
        }
        if found.unique_name != name:
            findings.block(
                f"behind the address is the organization {found.unique_name}, not {name}",
                "Correct the Web API address of the deployment, or the name of the organization.",
            )
        mode = user.fields.get("accessmode")
        if mode == READ_ONLY:
            findings.block(
                "the portal's user may only read",
                "Set the access mode of the user to Read-Write or Non-interactive in Dynamics.",
            )
        elif mode == ADMINISTRATIVE:
            findings.warn(
                "the portal's user has the access mode Administrative, which sees no mailboxes' content",
                "Set the access mode of the user to Non-interactive in Dynamics.",
            )
        return findings.found(
            f"The portal is {user.fields.get('fullname')} in {found.friendly_name}."
        )


class WebApiPrivileges(SetupCheck):
    """The portal's user holds every privilege the plan needs, so that nothing stops half-way."""

    key = "web-api-privileges"
    title = "The portal's user has the privileges it needs"
    group = DYNAMICS
    source = sources.TROUBLESHOOTING

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        needed = [
            *NEEDED,
            *(["prvWriteOrganization"] if seen.context.inputs.get("set_defaults") else []),
        ]
        give = (
            "In Dynamics, open Settings, Security, and give the portal's user a role with the "
            "privileges named here, or System Administrator."
        )
        try:
            held = seen.privileges
        except Refused as error:
            findings.evidence = {"code": error.code}
            findings.block("the portal's user may not even read its own privileges", give)
            return findings.found("")
        lacking = [name for name in needed if name not in held]
        findings.evidence = {"needed": needed, "lacking": lacking, "may approve": APPROVE in held}
        if lacking:
            findings.block(f"the portal's user lacks {listed(lacking)}", give)
        if APPROVE not in held:
            findings.warn(
                "the portal's user may not approve email addresses",
                "Give its role the privilege Approve Email Addresses for Users or Queues, or approve "
                "addresses by hand in Dynamics.",
            )
        return findings.found(f"The portal's user holds all {len(needed)} privileges.")


class EmailChannel(SetupCheck):
    """The organization uses server-side synchronization, not the Email Router: else nothing synchronizes."""

    key = "email-channel"
    title = "The organization uses server-side synchronization"
    group = DYNAMICS
    source = sources.ORGANIZATION

    def judge(self, seen: Readings) -> Found:
        channel, findings = (
            seen.organization_record.fields.get("emailconnectionchannel"),
            Findings(),
        )
        findings.evidence = {"emailconnectionchannel": channel}
        choose = "In Dynamics, open Settings, Email Configuration, Email Configuration Settings."
        if channel == EMAIL_ROUTER:
            findings.block(
                "it processes email by the Email Router",
                "Stop the Email Router service and make sure that it is not needed any more.",
                choose,
                "Set “Process Email Using” to Server-Side Synchronization, and save.",
            )
        elif channel != SERVER_SIDE:
            return Found(
                Verdict.CANNOT_CHECK,
                "The organization does not say by what it processes email.",
                findings.evidence,
                f"{choose}\nSet “Process Email Using” to Server-Side Synchronization, and save.",
            )
        return findings.found("It processes email by server-side synchronization.")


class ApprovalSwitches(SetupCheck):
    """Whether addresses must be approved before their mail is processed, and who could approve the pilot's."""

    key = "approval"
    title = "Email addresses are approved before use"
    group = DYNAMICS
    source = sources.MAILBOX

    def judge(self, seen: Readings) -> Found:
        fields, findings = seen.organization_record.fields, Findings()
        users = bool(fields.get("requireapprovalforuseremail"))
        queues = bool(fields.get("requireapprovalforqueueemail"))
        approved = seen.pilot.fields.get("emailrouteraccessapproval") == APPROVED
        findings.evidence = {
            "users": users,
            "queues": queues,
            "the pilot is approved": approved,
            "the portal may approve": APPROVE in seen.privileges,
        }
        if users and not approved and APPROVE not in seen.privileges:
            findings.block(
                "the pilot's address is not approved, and the portal's user may not approve it",
                "Let an administrator of Dynamics approve the address: Mailbox, Approve Email.",
                "Or give the role of the portal's user the privilege Approve Email Addresses for Users "
                "or Queues.",
            )
        off = [name for name, on in (("users", users), ("queues", queues)) if not on]
        if off:
            findings.warn(
                f"mail of {listed(off)} is processed without any approval of the address",
                "In Dynamics, Email Configuration Settings, set “Process emails only for approved "
                f"{'/'.join(off)}”, if addresses are to be approved.",
            )
        return findings.found("Addresses of users and queues must be approved.")


class EnvironmentOfOrganization(SetupCheck):
    """A copy of a production organization takes mailboxes away from it, and sends its mail a second time."""

    key = "environment"
    title = "The organization is no copy that would take mailboxes away"
    group = DYNAMICS
    source = sources.SYNC_WITH_ONE

    def judge(self, seen: Readings) -> Found:
        organization, findings = seen.context.organization, Findings()
        where = compare("orgmarkedasprimaryforexchangesync", "eq", True)
        marked = len(list(seen.dynamics().records(MAILBOXES, ("name",), where)))
        word = organization.get_environment_display()
        findings.evidence = {"registered as": word, "mailboxes marked as primary here": marked}
        if organization.environment == Organization.Environment.PRODUCTION:
            if _LIKE_A_TEST & {word.lower() for word in _WORDS.findall(organization.unique_name)}:
                findings.warn(
                    f"{organization} is registered as production, and its name sounds like a test",
                    "Correct the environment with which it is registered, if it is none.",
                )
            return findings.found(f"{organization} is registered as production.")
        if marked:
            findings.block(
                f"{counted(marked, 'mailbox')} marked as primary for Exchange in an organization that is "
                f"registered as {word.lower()}: it would take their appointments away from production",
                "In this organization, deactivate every email server profile first.",
                "Take the mark away from its mailboxes: “Use this organization for all appointments, "
                "contacts and tasks”.",
                "Make sure that no mailbox here has the address of somebody in production.",
            )
        else:
            findings.warn(
                f"it is registered as {word.lower()}: its mailboxes must not be those of production",
                "Use test addresses only; one mailbox synchronizes with one organization.",
            )
        return findings.found("")
