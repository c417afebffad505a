from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Done, Gap, KnownAfter, Look, Order, Planned, Step, Unplannable, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.dynamics import ORGANIZATIONS
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.identifiers import RecordId
from sync_setup.server_profiles import bound_profile
from sync_setup.settling import settling

PROFILE = "_defaultemailserverprofileid_value"
XML = "defaultemailsettings"
# GUESS: Microsoft does not document this XML; only these three elements are changed, and only where they are.
ELEMENTS = {
    "IncomingEmailDeliveryMethod": 2,
    "OutgoingEmailDeliveryMethod": 2,
    "ACTDeliveryMethod": 1,
}


class WriteOrganizationDefaults(Step[SetupContext]):
    """Make the profile and server-side synchronization the default for mailboxes that are made from now on.

    Off unless asked for. Existing mailboxes do not change. Everything else in the settings stays as it is.

    Source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/entities/organization
    """

    key = "write-organization-defaults"
    title = "Organization defaults for new mailboxes"
    group = "Email server profile"
    settle_s = settling(30.0)
    takes_back = True
    system = "Dynamics 365"
    undo = (
        "A plan of its own can write the default profile and methods back. Mailboxes that were made "
        "meanwhile keep what they were given."
    )

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.organization.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        if not context.inputs.get("set_defaults"):
            return Look({}, {"asked for": False})
        record = self._record(context)
        text = str(record.fields.get(XML) or "")
        methods = {f"default {name}": _value(text, name) for name in ELEMENTS}
        return Look(
            {"default email server profile": record.fields.get(PROFILE), **methods},
            {"organization": record.id, "etag": record.etag},
        )

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        if not look.fields:
            return {}
        missing = [name for name in ELEMENTS if look.fields[f"default {name}"] is None]
        if missing:
            raise Unplannable(
                f"The organization's default email settings have no {', '.join(missing)}.",
                remedy="Set the default methods once in Dynamics (Email Configuration Settings), or leave them out here.",
            )
        return {
            "default email server profile": KnownAfter("write-server-profile", "profile_id"),
            **{f"default {name}": value for name, value in ELEMENTS.items()},
        }

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        # Read again only for the rest of the text. It is what the look saw, or the version of the look
        # no longer holds, and nothing is written.
        text = str(self._record(context).fields.get(XML) or "")
        written: dict[str, Any] = {}
        for name in ELEMENTS:
            if method := gaps.get(f"default {name}"):
                text = _with(text, name, method.wanted)
                written[XML] = text
        if profile := gaps.get("default email server profile"):
            written["defaultemailserverprofileid@odata.bind"] = bound_profile(profile.wanted)
        order.log(f"Changes {len(gaps)} defaults of the organization.")
        context.dynamics.update(
            ORGANIZATIONS, RecordId(look.shown["organization"]), written, look.shown["etag"]
        )

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        self.change(context, look, gaps, order)

    def _record(self, context: SetupContext) -> Record:
        return context.dynamics.organization((PROFILE, XML))


def _value(xml: str, name: str) -> int | None:
    found = re.search(rf"<{name}>\s*(\d+)\s*</{name}>", xml)
    return int(found.group(1)) if found else None


def _with(xml: str, name: str, value: int) -> str:
    return re.sub(rf"(<{name}>)\s*\d+\s*(</{name}>)", rf"\g<1>{value}\g<2>", xml)
