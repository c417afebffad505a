"""Dials: faults and settings as data, turned by a file or by the control API.

Two kinds of dial, both plain JSON objects::

    {"where": "graph", "match": "^PATCH /v1.0/servicePrincipals", "fault": "status",
     "status": 429, "retry_after": 2, "times": 1, "skip": 0}
    {"set": "crm/test_seconds", "value": 0.2}

A fault applies to requests of the system ``where`` (``graph``, ``entra``, ``adfs2019``,
``adfs2016``, ``crm``, ``authorize``, ``winrm:CRM-APP01``; ``*`` and ``?`` are wildcards) whose
description (``METHOD path`` with the query as sent, or the function name for a CRM server) is found
by the regular expression ``match`` (default: all). It lets ``skip`` of them pass, then strikes
``times`` (default 1; -1 = always). See README.md for what each fault does.
"""

from __future__ import annotations

import fnmatch
import itertools
import json
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

T = TypeVar("T")

FAULTS = frozenset(
    {
        "latency",  # wait `seconds`, then go on as usual
        "status",  # answer `status` (with `retry_after`, `code`, `message`, `body`, `headers`); no effect
        "timeout_before",  # never answer; no effect
        "timeout_after",  # let the effect happen, then never answer
        "silent",  # answer success; no effect
        "stale",  # answer a read from the state of `seconds` ago
        "garbled",  # let the effect happen, answer a body that cannot be read
        "truncated",  # let the effect happen, cut the body in the middle
        "html",  # answer a web page instead of data (`status`, default 200); no effect
        "slow_body",  # let the effect happen, dribble the body over `seconds`
        "drop",  # close the connection without an answer (`after`: true = after the effect)
        "refused",  # nothing listens while the dial stands (`times`, `skip` and `match` do not apply)
        "contract",  # CRM servers only: what the fault does is named by `name`
    }
)


@dataclass
class Fault:
    """One fault dial. ``more`` holds the parameters that its kind needs."""

    where: str
    fault: str
    match: str = ""
    times: int = 1
    skip: int = 0
    more: dict[str, object] = field(default_factory=dict)
    id: str = ""
    seen: int = 0
    struck: int = 0

    def applies(self, where: str, what: str) -> bool:
        return fnmatch.fnmatchcase(where, self.where) and re.search(self.match, what) is not None

    def number(self, name: str, default: float) -> float:
        """A numeric parameter such as ``seconds``."""
        value = self.more.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadDial(f"{name} must be a number")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A text parameter such as ``body``."""
        return str(self.more.get(name, default))

    def flag(self, name: str) -> bool:
        """A yes/no parameter such as ``after``; absent means no."""
        return bool(self.more.get(name, False))

    def to_json(self) -> dict[str, object]:
        """Give the fault as it was set, with how often it was seen and has struck."""
        own = {"where": self.where, "match": self.match, "fault": self.fault, "times": self.times}
        counted = {"skip": self.skip, "seen": self.seen, "struck": self.struck}
        return {"id": self.id, **own, **counted, **self.more}


class BadDial(ValueError):
    """A dial that cannot be understood; nothing was changed."""


class Dials:
    """All dials of one simulator; every method may be called from any thread."""

    def __init__(self, initial: list[Mapping[str, object]] | None = None) -> None:
        self._initial = list(initial or [])
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._settings: dict[str, object] = {}
        self._ids = itertools.count(1)
        self._listeners: list[Callable[[], None]] = []
        for dial in self._initial:
            self.add(dial)

    @classmethod
    def from_file(cls, path: Path) -> Dials:
        """Read a JSON list of dials.

        :raises BadDial: the file is no list of dials.
        """
        loaded = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(loaded, list) or not all(isinstance(dial, dict) for dial in loaded):
            raise BadDial(f"{path} must hold a JSON list of dials")
        return cls(loaded)

    def add(self, dial: Mapping[str, object]) -> str:
        """Turn one dial and return its id (for a setting: its name).

        :raises BadDial: unknown fault, bad regular expression or parameter.
        """
        if "set" in dial:
            name = str(dial["set"])
            if "value" not in dial:
                raise BadDial(f"setting {name} has no value")
            with self._lock:
                self._settings[name] = dial["value"]
            self._tell()
            return name
        fault = _read(dial)
        with self._lock:
            fault.id = f"d{next(self._ids)}"
            self._faults.append(fault)
        self._tell()
        return fault.id

    def remove(self, dial_id: str) -> bool:
        """Take one fault (by id) or setting (by name) away; False if there is none."""
        with self._lock:
            kept = [fault for fault in self._faults if fault.id != dial_id]
            found = len(kept) < len(self._faults) or dial_id in self._settings
            self._faults = kept
            self._settings.pop(dial_id, None)
        self._tell()
        return found

    def clear(self) -> None:
        """Back to the dials of the start."""
        with self._lock:
            self._faults = []
            self._settings = {}
        for dial in self._initial:
            self.add(dial)
        self._tell()

    def take(self, where: str, what: str, kinds: Collection[str] = FAULTS) -> Fault | None:
        """The fault of one of these kinds that strikes this request, counted; None if it may pass.

        The oldest dial that strikes wins; every dial that applies counts the request as seen.
        """
        chosen: Fault | None = None
        with self._lock:
            for fault in self._faults:
                is_meant = fault.fault in kinds and fault.fault != "refused"
                if not is_meant or not fault.applies(where, what):
                    continue
                fault.seen += 1
                if fault.seen <= fault.skip or chosen is not None:
                    continue
                if fault.times < 0 or fault.struck < fault.times:
                    fault.struck += 1
                    chosen = fault
        return chosen

    def is_refused(self, where: str) -> bool:
        """Whether nothing may listen for this system now."""
        with self._lock:
            refusals = [fault for fault in self._faults if fault.fault == "refused"]
            return any(fnmatch.fnmatchcase(where, fault.where) for fault in refusals)

    def setting(self, name: str, default: T) -> T:
        """A named setting, or ``default`` while nobody has set it.

        :raises BadDial: it was set to another type than the default's (an int may stand for a float).
        """
        with self._lock:
            value = self._settings.get(name, default)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if default is not None and type(value) is not type(default):
            raise BadDial(f"setting {name} must be {type(default).__name__}, not {value!r}")
        return cast("T", value)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every change of the dials."""
        self._listeners.append(listener)

    def to_json(self) -> list[dict[str, object]]:
        """All dials as they were given, faults with their id and how often they struck."""
        with self._lock:
            settings = [{"set": name, "value": value} for name, value in self._settings.items()]
            return [fault.to_json() for fault in self._faults] + settings

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _read(dial: Mapping[str, object]) -> Fault:
    more = dict(dial)
    where, kind, match = (str(more.pop(name, "")) for name in ("where", "fault", "match"))
    times, skip = more.pop("times", 1), more.pop("skip", 0)
    if not where or kind not in FAULTS:
        raise BadDial(f"a dial needs `where` and a known `fault`, not {where!r} and {kind!r}")
    if type(times) is not int or type(skip) is not int:
        raise BadDial("`times` and `skip` must be whole numbers")
    try:
        re.compile(match)
    except re.error as error:
        raise BadDial(f"`match` is no regular expression: {error}") from error
    for name in ("seconds", "status"):
        if name in more and type(more[name]) not in (int, float):
            raise BadDial(f"`{name}` must be a number")
    for counted in ("id", "seen", "struck"):
        more.pop(counted, None)
    return Fault(where, kind, match, times, skip, more)
