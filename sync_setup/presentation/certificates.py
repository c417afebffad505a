"""Certificates in words: what an inspection found, and what the servers hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.jobs.states import Look

FIT = Look("This certificate can be used", "green", "check")
FIT_WITH_WARNINGS = Look("This certificate can be used, with warnings", "amber", "warn")
UNFIT = Look("This file cannot be used", "red", "x")
_VERDICTS = {"accept": FIT, "warn": FIT_WITH_WARNINGS, "reject": UNFIT}
_SEVERITIES = {"accept": ("green", "check"), "warn": ("amber", "warn"), "reject": ("red", "x")}
_KEY_SPECS = {1: "KeySpec 1 (AT_KEYEXCHANGE)", 2: "KeySpec 2 (AT_SIGNATURE) in the file"}


@dataclass(frozen=True)
class Finding:
    """One thing that an inspection says."""

    title: str
    text: str
    fix: str
    colour: str
    icon: str


@dataclass(frozen=True)
class Inspection:
    """An inspection as its page shows it: needs somebody first, then what passed.

    :param facts: name and value of what the certificate says of itself.
    """

    look: Look
    is_fit: bool
    name: str
    thumbprint: str
    sha256: str
    facts: tuple[tuple[str, str], ...]
    not_before: datetime | None
    not_after: datetime | None
    days_left: int | None
    findings: tuple[Finding, ...]
    passed: tuple[Finding, ...]

    @property
    def words(self) -> str:
        to_know = len(self.findings)
        return f"{to_know} to know, {len(self.passed)} passed" if to_know else "all passed"


def inspection_of(report: Mapping[str, Any]) -> Inspection:
    """Write a kept report (``Report.as_json``)."""
    messages = sorted(
        report.get("messages", ()),
        key=lambda message: ("reject", "warn", "accept").index(message["severity"]),
    )
    fit = report["verdict"] != "reject"
    return Inspection(
        look=_VERDICTS[report["verdict"]],
        is_fit=fit,
        name=_common_name(report.get("subject") or ""),
        thumbprint=report.get("thumbprint_sha1") or "",
        sha256=report.get("thumbprint_sha256") or "",
        facts=tuple(_facts(report)),
        not_before=_instant(report.get("not_before")),
        not_after=_instant(report.get("not_after")),
        days_left=report.get("days_left"),
        findings=tuple(_finding(row) for row in messages if row["severity"] != "accept"),
        passed=(
            *(_passed(report) if fit else ()),
            *(_finding(row) for row in messages if row["severity"] == "accept"),
        ),
    )


def _finding(message: Mapping[str, Any]) -> Finding:
    colour, icon = _SEVERITIES[message["severity"]]
    return Finding(message["title"], message["explanation"], message["fix"], colour, icon)


def _passed(report: Mapping[str, Any]) -> Iterable[Finding]:
    """Say what a certificate that is not rejected has passed: every other outcome is a rejection."""
    yield _good("Private key present, and it belongs to this certificate")
    yield _good("Key is strong enough", f"{report.get('key_type')} {report.get('key_bits')} bits")
    yield _good("Signed by a safe algorithm", str(report.get("signature") or ""))
    yield _good("In date", f"ends in {report.get('days_left')} days")
    chain = len(report.get("chain") or ())
    if chain:
        yield _good("Its authorities are in the file", f"{chain} certificate{'s'[: chain != 1]}")


def _good(title: str, text: str = "") -> Finding:
    return Finding(title, text, "", "green", "check")


def _facts(report: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "Subject", report.get("subject") or ""
    yield "Issued by", report.get("issuer") or ""
    if report.get("key_type"):
        key = f"{report['key_type']} {report.get('key_bits')}"
        spec = _KEY_SPECS.get(report.get("key_spec") or 0)
        yield "Key", f"{key}, {spec}" if spec else key
    yield "Signature", report.get("signature") or ""
    yield "Serial", report.get("serial") or ""
    yield "Names", ", ".join(report.get("san") or ())
    yield "Provider in the file", report.get("csp") or ""
    yield "Chain in the file", " < ".join(link["subject"] for link in report.get("chain") or ())


def _common_name(subject: str) -> str:
    for part in subject.split(","):
        name, _, value = part.strip().partition("=")
        if name.upper() == "CN":
            return value
    return subject


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Kept:
    """How one server keeps a certificate: key and readers are each server's own.

    :param readers: accounts that may read the private key there.
    """

    server: str
    key_spec: int
    archived: bool
    readers: tuple[str, ...]


@dataclass(frozen=True)
class Stored:
    """A certificate with a private key that is on the servers, as last read."""

    thumbprint: str
    subject: str
    issuer: str
    not_after: datetime
    is_issuer: bool
    days_left: int
    kept: tuple[Kept, ...]

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(row.server for row in self.kept)

    @property
    def archived(self) -> bool:
        """Whether it was put aside on every server."""
        return all(row.archived for row in self.kept)

    @property
    def name(self) -> str:
        return _common_name(self.subject)

    @property
    def left(self) -> str:
        if self.days_left <= 0:
            return "ended"
        return f"{self.days_left} day{'' if self.days_left == 1 else 's'}"

    @property
    def can_be_chosen(self) -> bool:
        """Whether a setup may use it as it is: in date, in use and of the right kind of key wherever it is."""
        fits = all(row.key_spec == 1 and not row.archived for row in self.kept)
        return self.days_left > 0 and fits

    @property
    def look(self) -> Look:
        if self.days_left <= 0:
            return Look("Ended", "red", "x")
        if self.archived:
            return Look("Archived", "grey", "slash")
        if self.is_issuer:
            return Look("In use", "green", "check")
        return Look("On the servers", "grey", "dot")


def stored_of(facts: Mapping[str, Any] | None, now: datetime) -> tuple[Stored, ...]:
    """Write the certificates of a reading, the one in use first, then what lasts longest."""
    rows = (facts or {}).get("certificates")
    if not isinstance(rows, list):
        return ()
    shown = [_stored(row, now) for row in rows]
    return tuple(sorted(shown, key=lambda row: (not row.is_issuer, -row.not_after.timestamp())))


def _stored(row: Mapping[str, Any], now: datetime) -> Stored:
    ends = datetime.fromisoformat(row["not_after"])
    servers = row.get("servers") or {}
    if not isinstance(servers, Mapping):
        # Kept before each server had facts of its own; the next look replaces it.
        servers = dict.fromkeys(servers, row)
    return Stored(
        thumbprint=row["thumbprint"],
        subject=row["subject"],
        issuer=row["issuer"],
        not_after=ends,
        is_issuer=bool(row.get("is_issuer")),
        days_left=(ends.date() - now.date()).days,
        kept=tuple(
            Kept(
                server,
                int(facts.get("key_spec") or 0),
                bool(facts.get("archived")),
                tuple(facts.get("readers", ())),
            )
            for server, facts in sorted(servers.items())
        ),
    )


def compared_with_servers(
    thumbprint: str, subject: str, stored: Iterable[Stored]
) -> tuple[Finding, ...]:
    """Say how a new certificate fits to those on the servers: Dynamics finds its certificate by the subject."""
    rows = list(stored)
    if not rows:
        return ()
    found = []
    in_use = next((row for row in rows if row.is_issuer), None)
    if in_use and in_use.thumbprint == thumbprint:
        text = "The plan will find the certificate steps settled."
        found.append(Finding("It is in use already", text, "", "green", "check"))
    elif in_use:
        found.append(_good("Not the one in use", f"…{in_use.thumbprint[-4:]} is in use"))
    twins = [row for row in rows if row.subject == subject and row.thumbprint != thumbprint]
    if twins:
        names = ", ".join(f"…{row.thumbprint[-4:]}" for row in twins)
        text = f"Dynamics finds its certificate by the subject, and {names} has the same one."
        fix = "Bring a certificate with a subject of its own, or archive the other one first."
        found.append(Finding("Its subject is not its own", text, fix, "amber", "warn"))
    else:
        found.append(_good("Subject is its own", "Dynamics finds its certificate by the subject."))
    return tuple(found)
