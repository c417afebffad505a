from __future__ import annotations

import datetime as dt
import getpass
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.errors import PortalError
from sync_setup.inspection.forms import LIMIT_BYTES, needs_password
from sync_setup.inspection.inspector import inspect_file, inspect_pfx
from sync_setup.inspection.report import Report

CANNOT_RUN = 2


class Command(BaseCommand):
    help = (
        "Inspect a certificate file (PFX, or .cer without a key) as token issuer of Dynamics 365. "
        "Ends with 0 if it is fit, 1 if not, 2 if the inspection could not be done. The password "
        "is read from --password-file, a prompt, or one line of standard input."
    )
    # It needs neither database nor web settings, so nothing about them may stop it.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--password-file", metavar="F", type=Path, help="its first line is the password"
        )
        parser.add_argument(
            "--public", metavar="CER", type=Path, help="a .cer that must be the PFX's certificate"
        )
        parser.add_argument(
            "--at", metavar="INSTANT", help="judge validity at this ISO 8601 instant (UTC)"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        at = _instant(options["at"]) if options["at"] else dt.datetime.now(dt.UTC)
        data = _read(options["file"])
        public = _read(options["public"]) if options["public"] else None
        password = self._password(data, options["password_file"])
        try:
            if public is None:
                report = inspect_file(data, password, at=at)
            else:
                report = inspect_pfx(data, password, at=at, public=public)
        except PortalError as error:
            raise CommandError(f"{error.message} {error.remedy}", returncode=CANNOT_RUN) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
        else:
            self.stdout.write(as_text(report))
        if not report.is_fit:
            raise SystemExit(1)

    def _password(self, data: bytes, password_file: Path | None) -> str:
        if password_file:
            return _first_line(_read(password_file))
        if len(data) > LIMIT_BYTES or not needs_password(data):
            return ""
        if sys.stdin.isatty():
            return getpass.getpass("Password of the file: ")
        return _first_line(sys.stdin.buffer.readline(LIMIT_BYTES))


def as_text(report: Report) -> str:
    """The report for people, one fact a line."""
    verdicts = {
        "accept": "Fit to be the token issuer",
        "warn": "Fit to be the token issuer, with warnings",
        "reject": "Not fit to be the token issuer",
    }
    lines = [f"{verdicts[report.verdict]} (at {report.at:%Y-%m-%d %H:%M} UTC)", ""]
    for message in report.messages:
        lines.append(f"  {message.severity.upper():7} {message.title}  [{message.code}]")
        lines.append(f"          {message.explanation}")
        if message.fix:
            lines.append(f"          To do: {message.fix}")
    if report.messages:
        lines.append("")
    lines += [f"  {name:12} {value}" for name, value in _facts(report) if value]
    return "\n".join(lines).rstrip()


def _facts(report: Report) -> list[tuple[str, str]]:
    key_spec = {1: " (KeySpec 1)", 2: " (KeySpec 2)", None: ""}[report.key_spec]
    packing = report.container
    validity = ""
    if report.not_before and report.not_after:
        validity = (
            f"{report.not_before:%Y-%m-%d %H:%M} to {report.not_after:%Y-%m-%d %H:%M} UTC, "
            f"{report.days_left} days left"
        )
    return [
        ("Thumbprint", report.thumbprint_sha1),
        ("SHA-256", report.thumbprint_sha256),
        ("Subject", report.subject),
        ("Issuer", report.issuer),
        ("Serial", report.serial),
        ("Valid", validity),
        ("Key", f"{report.key_type} {report.key_bits}{key_spec}" if report.key_type else ""),
        ("Signature", report.signature),
        ("Names", ", ".join(report.san)),
        ("Provider", report.csp),
        ("Chain", " < ".join(link.subject for link in report.chain)),
        ("Encryption", "; ".join(packing.algorithms)),
        ("Integrity", f"{packing.mac}, {packing.mac_iterations} iterations" if packing.mac else ""),
    ]


def _instant(text: str) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--at {text!r} is no ISO 8601 instant, such as 2026-11-23T00:00:00Z.",
            returncode=CANNOT_RUN,
        ) from error
    return at.replace(tzinfo=at.tzinfo or dt.UTC)


def _read(path: Path) -> bytes:
    """The file, but never more than shows that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise CommandError(
            f"{path}: {error.strerror}. Check the path and your rights.", returncode=CANNOT_RUN
        ) from error


def _first_line(data: bytes) -> str:
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CommandError(
            "The password is not UTF-8 text; save it as UTF-8.", returncode=CANNOT_RUN
        ) from error
    return lines[0] if lines else ""
