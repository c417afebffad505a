"""Who can read a private key on a CRM server, told by SID: Windows writes the same account in several ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sync_setup.gateways.contract import Certificate, ReaderRole, Server

# A service of CRM that signs tokens runs on each server with one of these roles.
SERVER_ROLES = frozenset({"Async", "WebApplication", "EmailIntegration"})
# SYSTEM and Administrators: Windows gives them every key file, and they can always read it.
SYSTEM_SIDS = frozenset({"S-1-5-18", "S-1-5-32-544"})
_READING = frozenset({"Read", "FullControl"})


def readers_of(certificate: Certificate | None) -> set[str]:
    """SIDs that can read the key, without those of Windows itself; empty where there is no certificate."""
    entries = certificate.key_readers if certificate else ()
    return {row.sid for row in entries if row.rights in _READING} - SYSTEM_SIDS


def accounts_of(server: Server) -> dict[ReaderRole, tuple[str, str]]:
    """SID and name of the accounts that must be able to read the key on this server, by their role."""
    accounts: dict[ReaderRole, tuple[str, str]] = {}
    for service in (*server.services, *server.app_pools):
        if service.service == "Async":
            accounts["AsyncService"] = (service.sid, service.account)
        elif service.service == "WebApplicationPool":
            accounts["WebApplication"] = (service.sid, service.account)
    return accounts


def names_of(
    certificate: Certificate | None, accounts: Mapping[ReaderRole, tuple[str, str]]
) -> dict[str, str]:
    """Names of the accounts among readers and services, by SID."""
    entries = certificate.key_readers if certificate else ()
    return {row.sid: row.account for row in entries} | dict(accounts.values())


def by_role(accounts: Mapping[ReaderRole, tuple[str, str]], names: Mapping[str, str]) -> list[str]:
    r"""Write which account each service runs as, such as ``AsyncService: CONTOSO\svc-crmasync (S-1-5-21-…)``.

    :param names: as for ``entries``.
    """
    return sorted(
        f"{role}: {names.get(sid, name)} ({sid})" for role, (sid, name) in accounts.items()
    )


def entries(sids: Iterable[str], names: Mapping[str, str]) -> list[str]:
    r"""Write accounts for people, such as ``CONTOSO\svc-crmasync (S-1-5-21-…)``, each account once.

    :param names: with the same names the same accounts give the same text, so a plan's own are given
        where it is carried out: an account that is renamed, or answered in another language, is still
        the same.
    """
    return sorted(
        {f"{names.get(sid, 'unknown')} ({sid})" for sid in sids if sid not in SYSTEM_SIDS}
    )
