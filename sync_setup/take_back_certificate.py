"""What of an installed certificate and its readers goes back, server by server, and what is somebody else's by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from portal.jobs.step import Done, Look, Value
from sync_setup import key_readers
from sync_setup.gateways.contract import Certificate, ReaderRole


def shown_for_it(found: Certificate | None) -> dict[str, Any]:
    """Give what a look must show besides for a plan that takes back: the portal's own readers, and use by IIS."""
    rows = found.key_readers if found else ()
    return {
        "added by the portal": [row.sid for row in rows if row.added_by_portal],
        "served by IIS": list(found.iis_bindings) if found else [],
    }


def back(look: Look, done: Done, usual: Mapping[str, Value]) -> dict[str, Value]:
    """Say how the fields are to be: a certificate goes with its readers, or stays with all that others use it by.

    :param usual: entry by entry, without regard to what belongs together.
    """
    wanted = dict(look.fields)
    for name, facts in look.shown.items():
        standing, readers = f"{name}: certificate", f"{name}: key readers"
        if _was_installed(name, done):
            if not _in_use(name, look, done):
                of_server = (standing, readers, f"{name}: found by this subject")
                wanted |= {field: usual[field] for field in of_server}
        else:
            stay = set(usual[readers]) | _unmovable(name, look, done, facts)
            wanted[readers] = sorted(set(look.fields[readers]) & stay)
    return wanted


def foreign(look: Look, done: Done) -> list[str]:
    """Name the fields that stay because others use the certificate, or because a server holds an entry as not ours."""
    names = []
    for name, facts in look.shown.items():
        if _was_installed(name, done):
            names += [f"{name}: certificate"] if _in_use(name, look, done) else []
        elif _unmovable(name, look, done, facts):
            names.append(f"{name}: key readers")
    return names


def role_of(entries: Collection[str], facts: Mapping[str, Any]) -> tuple[ReaderRole, ...]:
    """Give the roles whose accounts these entries are: a server takes a reader away by its role alone."""
    roles = (
        role
        for role, sid in facts["accounts"].items()
        if set(key_readers.entries([sid], facts["names"])) <= set(entries)
    )
    return tuple(sorted(roles))


def _was_installed(name: str, done: Done) -> bool:
    field = f"{name}: certificate"
    return done.before.get(field) is None and done.after.get(field) is not None


def _in_use(name: str, look: Look, done: Done) -> bool:
    """Tell whether somebody else has given the certificate another use since."""
    standing, readers = f"{name}: certificate", f"{name}: key readers"
    if look.fields[standing] is None:
        return False
    more = set(look.fields[readers]) - set(done.after.get(readers) or [])
    changed = look.fields[standing] != done.after.get(standing)
    return bool(more or changed or look.shown[name]["served by IIS"])


def _unmovable(name: str, look: Look, done: Done, facts: Mapping[str, Any]) -> set[str]:
    """Entries that the plan added and the server would not take away.

    An account that has another role by now, and one that somebody else has entered anew.
    """
    field = f"{name}: key readers"
    added = set(done.after.get(field) or []) - set(done.before.get(field) or [])
    sids = set(facts["accounts"].values()) & set(facts["added by the portal"])
    movable = set(key_readers.entries(sids, facts["names"]))
    return (added & set(look.fields[field])) - movable
