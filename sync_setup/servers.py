"""What changes the servers of a deployment after it was registered."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from portal.access.models import Person, Role
from portal.access.roles import demand
from portal.audit.record import record
from portal.errors import BadInput
from sync_setup.actions import SERVER_NAME, ServerAddress
from sync_setup.gateways.identifiers import SHA256
from sync_setup.gateways.route import check_host
from sync_setup.models import CrmServer, Deployment


@transaction.atomic
def add_server(deployment: Deployment, server: ServerAddress, *, by: Person) -> CrmServer:
    """Make one more server of a deployment known, with the WinRM address by which it is reached.

    :raises BadInput: with the field that cannot be used.
    """
    demand(by, Role.ADMIN)
    if not SERVER_NAME.fullmatch(server.name):
        raise BadInput(
            f"{server.name!r} is no name of a server.",
            remedy="Write it as Get-CrmServer does.",
            field="name",
        )
    host = check_host(server.host, simulated=deployment.is_simulated, field="host")
    try:
        with transaction.atomic():
            made = CrmServer.objects.create(
                deployment=deployment, name=server.name, host=host, port=server.port
            )
    except IntegrityError:
        raise BadInput(f"{server.name} is registered already.", field="name") from None
    record("deployment.changed", deployment, by=by, server=made.name, address=f"{host}:{made.port}")
    return made


@transaction.atomic
def change_server(
    server: CrmServer, *, by: Person, host: str, port: int, module_sha256: str
) -> CrmServer:
    """Change where a server is reached, and which SssPortal module it must have.

    :param module_sha256: 64 hexadecimal digits; empty: any module whose command list is the contract's.
    :raises BadInput: with the field that cannot be used.
    """
    demand(by, Role.ADMIN)
    pinned = "".join(module_sha256.split()).upper()
    if pinned and not SHA256.fullmatch(pinned):
        raise BadInput(
            "This is no SHA-256 value.",
            remedy="Copy the 64 hexadecimal digits that Get-SssServer shows as ModuleSha256.",
            field="module_sha256",
        )
    server.host = check_host(host, simulated=server.deployment.is_simulated, field="host")
    server.port, server.module_sha256 = port, pinned
    server.save(update_fields=["host", "port", "module_sha256"])
    record(
        "deployment.changed",
        server.deployment,
        by=by,
        server=server.name,
        address=f"{server.host}:{port}",
        module_sha256=pinned,
    )
    return server
