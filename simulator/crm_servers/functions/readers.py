"""Roles to accounts, and entries on a key file's access list: shared by install and key reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from simulator.crm_servers.answers import Refusal
from simulator.crm_servers.stored_certificate import KeyReader, StoredCertificate
from simulator.deployment import Role, Server, Service


def accounts_of(server: Server, roles: Sequence[str]) -> list[Service]:
    """The services whose accounts these roles mean here, each account once.

    :raises Refusal: RoleNotHere.
    """
    found: dict[str, Service] = {}
    for role in roles:
        service = server.reader_account(cast(Role, role))
        if service is None:
            raise Refusal("RoleNotHere", f"{server.name} runs nothing in the role {role}.")
        found.setdefault(service.account.casefold(), service)
    return list(found.values())


def missing(certificate: StoredCertificate, services: Sequence[Service]) -> list[KeyReader]:
    """The entries that would let these accounts read, without those that are there."""
    return [
        KeyReader(service.account, service.sid, "Read", added_by_portal=True)
        for service in services
        if not certificate.is_read_by(service.account)
    ]
