"""What is left afterwards: the database whole, as it lies on disk or as it is copied out, and the pages."""

from __future__ import annotations

import html
import os
import re
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import psycopg
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from psycopg import sql

from portal.access.models import Person
from tests.leaks.visitor import BACKEND

LINK = re.compile(r"""\b(?:href|src|action|hx-get)=["']([^"'#]*)""")
MOST_PAGES = 300


def database_bytes(url: str) -> bytes:
    """Every byte of the SQLite files, also of deleted rows; every table of PostgreSQL as text."""
    if url.startswith("sqlite:///"):
        name = url.removeprefix("sqlite:///")
        files = [Path(name + suffix) for suffix in ("", "-wal", "-shm")]
        return b"".join(file.read_bytes() for file in files if file.exists())
    with psycopg.connect(url) as dump:
        tables = dump.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        text = bytearray()
        for (table,) in tables:
            with dump.cursor().copy(
                sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
            ) as copied:
                for piece in copied:
                    text += piece
    return bytes(text)


def database_log() -> bytes:
    """What PostgreSQL complained of; its lines quote rows and statements."""
    found = re.search(r"host=([^&]+)", os.environ["DATABASE_URL"])
    log = Path(found.group(1)).parent / "postgresql.log" if found else Path("none")
    return log.read_bytes() if connection.vendor == "postgresql" and log.exists() else b""


def crawl(person: Person | None, seeds: Iterable[str]) -> dict[str, bytes]:
    """Every page that this person gets to by links, and every address without a number.

    :param person: None: somebody who is not signed in.
    :return: path -> headers and body.
    """
    browser = Client(raise_request_exception=False)
    if person is not None:
        browser.force_login(person, backend=BACKEND)
    waiting, pages = deque([*plain_addresses(), *seeds]), dict[str, bytes]()
    while waiting and len(pages) < MOST_PAGES:
        path = waiting.popleft()
        if path in pages or not path.startswith("/") or path.startswith(("/static/", "/sign-out/")):
            continue
        answer = browser.get(path)
        body = answer.getvalue()
        pages[path] = str(dict(answer.headers)).encode() + body
        if answer.has_header("Location"):
            waiting.append(answer.headers["Location"])
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            waiting += [html.unescape(link) for link in LINK.findall(body.decode())]
    assert not waiting or len(pages) == MOST_PAGES
    return pages


def plain_addresses() -> list[str]:
    """Every address of the portal that takes no argument."""
    return [
        "/" + route for _, route in _routes(get_resolver().url_patterns, "") if "<" not in route
    ]


def _routes(patterns: Iterable[object], before: str) -> Iterable[tuple[object, str]]:
    for pattern in patterns:
        route = before + str(getattr(pattern, "pattern", ""))
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield pattern, route
