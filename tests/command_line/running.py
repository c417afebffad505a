"""Run commands of the portal in a test, and sign in for them as a person does in a browser."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import urllib.parse
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import IO, Any

import requests
from django.core.management import call_command

from tests.stack import ROOT

PROMPT = re.compile(r"open (\S+) in any browser and enter the code (\S+)")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class _Screen(StringIO):
    """What a command shows; whoever watches it signs in as soon as a code appears."""

    def __init__(self, username: str, **more: str) -> None:
        super().__init__()
        self.username, self.more = username, more

    def write(self, text: str) -> int:
        if PROMPT.search(text) and (self.username or self.more):
            browse(text, self.username, **self.more)
        return super().write(text)


def command(*arguments: str, username: str = "", **more: str) -> Ended:
    """Run a command in this process.

    :param username: who signs in when it asks; ``more`` are fields of the sign-in page's form.
    """
    out, err = StringIO(), _Screen(username, **more)
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return Ended(int(end.code or 0), out.getvalue(), err.getvalue())
    return Ended(0, out.getvalue(), err.getvalue())


def sss(*arguments: str, username: str = "", **more: str) -> Ended:
    """Run ``manage.py sss`` in this process."""
    return command("sss", *arguments, username=username, **more)


def refused(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run ``manage.py sss`` with ``--json``, and give exit code and error of its refusal."""
    ended = sss(*arguments, "--json")
    assert ended.code, ended.out
    return ended.code, ended.json["error"]


def sign_in_settings(addresses: dict[str, Any]) -> dict[str, str]:
    """Give the settings by which people sign in with the simulated identity provider."""
    app = addresses["sign_in_app"]
    return {
        "SIGN_IN_AUTHORITY": f"{addresses['entra']}/{app['tenant_id']}",
        "SIGN_IN_CLIENT_ID": app["client_id"],
        "SIGN_IN_CA_FILE": addresses["ca"],
    }


def browse(told: str, username: str, **more: str) -> None:
    """Do in a browser what the command told: open the page, enter the code, press a person's button."""
    found = PROMPT.search(told)
    assert found is not None, told
    address, code = found.groups()
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(address, params={"otc": code}, timeout=10)
        action = re.search(r"action='([^']+)'", page.text)
        assert action is not None, page.text
        target = urllib.parse.urljoin(page.url, html.unescape(action[1]))
        form = {"otc": code} | ({"username": username} if username else {}) | more
        browser.post(target, data=form, timeout=10).raise_for_status()


class Started:
    """A command as a process of its own, which waits for a person to sign in."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            env=environment,
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def signs_in(self, username: str) -> Ended:
        """Sign in with the code that the command shows, and wait for its end."""
        assert self.process.stderr is not None
        told = _line_with_code(self.process.stderr)
        try:
            if PROMPT.search(told):
                browse(told, username)
            out, err = self.process.communicate(timeout=120)
        finally:
            self.process.kill()
        return Ended(self.process.returncode, out, told + err)


def _line_with_code(stream: IO[str]) -> str:
    told = ""
    for line in stream:
        told += line
        if PROMPT.search(line):
            break
    return told


def readable(folder: Path, name: str, text: str) -> str:
    """Write a secret into a file, as whoever scripts would, and give its path."""
    handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return str(folder / name)
