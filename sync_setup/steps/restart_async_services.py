from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.jobs.step import Gap, Look, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.contract import ServiceName

RESTARTED = "restarted"
SERVICES: tuple[ServiceName, ...] = ("Async", "AsyncMaintenance")
# The steps whose writes a service reads only at its start.
CAUSES = (
    "install-token-certificate",
    "write-authorization-server",
    "set-token-issuer",
    "set-organization-tenant",
)


class RestartAsyncServices(Step[SetupContext]):
    """Restart the asynchronous services so that they read the new settings, one server at a time.

    A server's clock decides: a service counts as restarted when it started later than it had when
    this step's intent was written, which is after everything that the restart is for.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online: restart after Set-CrmAdvancedSetting
    """

    key = "restart-async-services"
    title = "Restart the asynchronous services, one server at a time"
    group = "CRM servers: restart"
    system = "CRM servers"
    undo = "A restart has nothing to take back."
    notice = "Workflows and imports pause for about a minute per server, for everybody on this deployment."

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [server.resource for server in context.servers]

    def look(self, context: SetupContext, mark: Any) -> Look:
        fields: dict[str, Value] = {}
        shown: dict[str, Any] = {"started": {}, "pending": {}}
        for server in context.servers:
            found = context.server(server).get_server()
            for service in found.services:
                if service.service not in SERVICES or service.start_mode == "Disabled":
                    continue
                name = f"{service.name} on {server.name}"
                started = service.started_at
                running = service.state == "Running" and started is not None
                seen = started.isoformat() if started else ""
                done = mark is not None and running and seen != mark.get(name, "")
                fields[name] = RESTARTED if done else None
                shown["started"][name] = seen
                changed = found.last_change_at
                shown["pending"][name] = bool(changed and (started is None or started < changed))
        return Look(fields, shown)

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        due = any(step.changes for step in earlier if step.key in CAUSES)
        return {
            name: RESTARTED if due or look.shown["pending"][name] else value
            for name, value in look.fields.items()
        }

    def mark(self, context: SetupContext, look: Look) -> Any:
        return dict(look.shown["started"])

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        for server in context.servers:
            door = context.server(server)
            for service in door.get_server().services:
                name = f"{service.name} on {server.name}"
                if name not in gaps:
                    continue
                order.log(f"{server.name}: restarts {service.name}")
                change = door.restart_service(
                    context.server_order(order, f"{server.name} {service.service}"),
                    service=service.service,
                    only_if_started_before=_just_after(order.mark.get(name, "")),
                )
                order.log(f"{server.name}: {service.name} runs again after {change.seconds:.0f} s")


def _just_after(started: str) -> datetime:
    """Give the instant before which a run counts as the old one: whatever started later is not restarted again."""
    if not started:
        return datetime(9999, 1, 1, tzinfo=UTC)  # it did not run at all
    return datetime.fromisoformat(started) + timedelta(milliseconds=1)
