"""The email server profile that the plan makes or changes."""

from __future__ import annotations

from portal.errors import BadInput, Missing
from portal.jobs.checks import Found
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, listed
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import PROOF, SetupCheck
from sync_setup.gateways.dynamics_session import Record
from sync_setup.server_profiles import ACTIVE, EXCHANGE_ONLINE_HYBRID

_TYPES = {0: "Exchange Server", 1: "POP3/SMTP", 2: "Exchange Server (Hybrid)"}


class ProfileName(SetupCheck):
    """The name is free, or belongs to the one profile of this kind: that one is then changed."""

    key = "profile-name"
    title = "The name of the server profile is free, or its own"
    group = PROOF
    source = sources.PROFILE

    def judge(self, seen: Readings) -> Found:
        name, findings = seen.context.inputs["profile_name"], Findings()
        same = _of_name(seen, name)
        alike = [
            str(row.fields["name"])
            for row in seen.profiles
            if str(row.fields.get("name")).lower() == name.lower() and row not in same
        ]
        findings.evidence = {"name": name, "profiles of this name": [row.id for row in same]}
        another = "Choose another name for the server profile of this plan."
        if len(same) > 1:
            findings.block(
                f"{len(same)} profiles are called {name}",
                "In Dynamics, rename or delete those that are not in use.",
                another,
            )
        elif same and same[0].fields.get("servertype") != EXCHANGE_ONLINE_HYBRID:
            kind = _TYPES.get(int(same[0].fields.get("servertype") or 0), "another kind")
            findings.block(
                f"{name} is there as a profile for {kind}, and mailboxes may depend on it", another
            )
        elif same and same[0].fields.get("statecode") != ACTIVE:
            findings.warn(
                f"{name} is there and inactive: the plan activates it, and its mailboxes start with it",
                "Look in Dynamics which mailboxes use it.",
            )
        if alike:
            findings.warn(
                f"there is {listed(alike)}, which differs in upper and lower case only", another
            )
        good = f"{name} is there and will be changed as planned." if same else f"{name} is free."
        return findings.found(good)


class ProfileOwner(SetupCheck):
    """Alerts go to the owner of the profile, so that must be somebody who reads them."""

    key = "profile-owner"
    title = "A person or team owns the server profile"
    group = PROOF
    source = sources.PROFILE

    def judge(self, seen: Readings) -> Found:
        context, findings = seen.context, Findings()
        same = _of_name(seen, context.inputs["profile_name"])
        name = "Name the owner of the profile in the plan: who reads alerts of the synchronization."
        caller = seen.caller.user_id
        try:
            owner = context.profile_owner(same[0].fields if same else {})
        except BadInput as error:
            findings.evidence = {"named": context.inputs.get("profile_owner")}
            findings.block(error.message.rstrip("."), *error.remedy.splitlines())
            return findings.found("")
        findings.evidence = {"owner": owner}
        if owner == caller:
            findings.warn(
                "the portal's own user would own it, and nobody reads that account's alerts", name
            )
            return findings.found("")
        try:
            user = seen.user(owner)
        except Missing:
            return findings.found("A team owns it, and gets its alerts.")
        findings.evidence["name"] = user.fields.get("fullname")
        if user.fields.get("isdisabled"):
            findings.block("its owner is disabled in Dynamics", name)
        elif not user.fields.get("internalemailaddress"):
            findings.warn(
                "its owner has no email address in Dynamics, and so gets no alert mail", name
            )
        return findings.found(f"{user.fields.get('fullname')} owns it, and gets its alerts.")


def _of_name(seen: Readings, name: str) -> list[Record]:
    return [row for row in seen.profiles if row.fields.get("name") == name]
