from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.errors import Rejected
from portal.jobs.step import Done, Gap, Look, NeedsPerson, Order, Planned, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.contract import ServiceName
from sync_setup.gateways.contract_changes import Change, ServiceRun
from sync_setup.models import CrmServer
from sync_setup.server_step import Effect, ServerStep

RESTARTED = "restarted"
SERVICES: tuple[ServiceName, ...] = ("Async", "AsyncMaintenance")
# The steps whose writes a service reads only at its start.
CAUSES = (
    "install-token-certificate",
    "write-authorization-server",
    "set-token-issuer",
    "set-organization-tenant",
)


class RestartAsyncServices(ServerStep):
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
        shown: dict[str, Any] = {"started": {}, "pending": {}, "services": {}}
        planned = context.row_in_plan(self.key)
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
                # A service that the plan does not restart is free to be restarted by anybody.
                if planned is None or planned.wanted.get(name) == RESTARTED:
                    fields[name] = RESTARTED if done else None
                shown["services"][name] = [server.name, service.name, service.service]
                shown["started"][name] = seen
                changed = found.last_change_at
                shown["pending"][name] = bool(changed and (started is None or started < changed))
        return Look(fields, shown)

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        due = any(step.changes for step in earlier if step.key.removeprefix("undo-") in CAUSES)
        return {
            name: RESTARTED if due or look.shown["pending"][name] else value
            for name, value in look.fields.items()
        }

    def stays(self, done: Done) -> str:
        return ""

    def mark(self, context: SetupContext, look: Look) -> Any:
        return dict(look.shown["started"])

    def effects(self, context: SetupContext, look: Look) -> Sequence[Effect]:
        return [
            Effect(
                context.server_named(server),
                _effect(server, service),
                look.fields[name] == RESTARTED,
            )
            for name, (server, _, service) in look.shown["services"].items()
            if name in look.fields
        ]

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        due = [name for name in look.shown["services"] if name in gaps]
        for place, name in enumerate(due):
            server, windows_name, service = look.shown["services"][name]
            order.log(f"{server}: restarts {windows_name}")
            try:
                run = _restart(context, context.server_named(server), service, name, order)
            except Rejected as refusal:
                if refusal.detail.get("error_code") != "ServiceTimeout":
                    raise
                raise _stuck(context, name, due[place + 1 :]) from refusal
            order.log(f"{server}: {windows_name} runs again after {run.seconds:.0f} s")


def _restart(
    context: SetupContext, server: CrmServer, service: ServiceName, name: str, order: Order
) -> Change[ServiceRun, ServiceRun]:
    return context.server(server).restart_service(
        context.server_order(order, _effect(server.name, service)),
        service=service,
        only_if_started_before=_just_after(order.mark.get(name, "")),
    )


def _stuck(context: SetupContext, name: str, rest: Sequence[str]) -> NeedsPerson:
    """Ask for a service that did not stop, or did not start again, in its time; it may be down now."""
    more = (
        f" Not restarted yet: {', '.join(rest)}. Continue the job once {name} runs, and it restarts "
        "them; or restart them by hand as well."
        if rest
        else ""
    )
    return NeedsPerson(
        f"{name} did not stop and start again in its time, and may not run now. Nothing was killed. "
        "Look at it in services.msc on that server, end what holds it up, and start it. The job goes "
        f"on by itself once every service it is to restart has started anew.{more}",
        look_again_s=context.person_poll_s,
    )


def _effect(server: str, service: str) -> str:
    return f"{server} {service}"


def _just_after(started: str) -> datetime:
    """Give the instant before which a run counts as the old one: whatever started later is not restarted again."""
    if not started:
        return datetime(9999, 1, 1, tzinfo=UTC)  # it did not run at all
    return datetime.fromisoformat(started) + timedelta(milliseconds=1)
