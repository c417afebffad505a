"""The chain behind server-side synchronization, link by link, over all systems of the world.

One function looks along the chain from the mailbox record to the mailbox in Exchange Online and
names the first link that is missing. The mailbox test, the synchronization cycle and the control API
ask it; there is no other place where a test could become green.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulator.chain.async_server import AsyncView
from simulator.chain.exchange import application_pools, exchange_online
from simulator.chain.missing import Missing
from simulator.chain.records import mailbox_record, server_profile
from simulator.deployment import Deployment, Server, Service
from simulator.dynamics.database import Record
from simulator.state import World

__all__ = ["Missing", "missing_link", "running_async_servers"]


def missing_link(world: World, organization: str, mailbox: Record) -> Missing | None:
    """The first missing link for a mailbox of an organization (unique name); None: all is in place.

    Hold the world's lock.
    """
    for find in _links(world, organization, mailbox):
        if (missing := find()) is not None:
            return missing
    return None


def running_async_servers(deployment: Deployment) -> list[tuple[Server, Service]]:
    """Servers whose asynchronous service runs: only they test and synchronize mailboxes."""
    found = []
    for server in deployment.servers_in_role("Async"):
        service = server.running("Async")
        if service is not None and service.state == "Running" and server.state == "Enabled":
            found.append((server, service))
    return found


def _links(
    world: World, organization: str, mailbox: Record
) -> Iterator[Callable[[], Missing | None]]:
    database, deployment = world.databases[organization], world.deployment
    yield lambda: mailbox_record(mailbox)
    yield lambda: server_profile(database, mailbox)
    organization_id = next(
        (o.id for o in deployment.organizations if o.unique_name == organization), ""
    )
    for server, service in running_async_servers(deployment):
        view = AsyncView(world, server, service, organization_id)
        yield view.network
        yield view.configuration
        yield view.certificate
        yield view.token
    yield lambda: application_pools(deployment)
    for _, service in running_async_servers(deployment)[:1]:
        tenant = world.tenant(service.loaded.tenant_ids.get(organization_id) or "")
        if tenant is not None:
            yield lambda tenant=tenant: exchange_online(tenant, database, mailbox)  # type: ignore[misc]
