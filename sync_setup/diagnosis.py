"""What a message from Microsoft's systems most likely means: a table of known texts with cause and fix."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).with_name("known_errors.json")
LONGEST = 20_000
_SPACE = re.compile(r"\s+")
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "})


@dataclass(frozen=True)
class Cause:
    """One known error.

    :ivar confidence: whether Microsoft documents the text or it is inferred.
    """

    id: str
    where: str
    cause: str
    fix: str
    source: str
    retry: str
    confidence: str


def diagnose(text: str) -> tuple[Cause, ...]:
    """Give the causes that fit, the most exact first; empty when none does.

    :param text: at most LONGEST characters of it are looked at, with white space collapsed and
        typographic quotes straightened, as people paste them.
    """
    bounded = text[:LONGEST].translate(_QUOTES)
    collapsed = _SPACE.sub(" ", bounded)
    found = []
    for cause, pattern in _patterns():
        match = pattern.search(bounded) or pattern.search(collapsed)
        if match:
            found.append((_rank(cause, match.group()), cause))
    return tuple(cause for _, cause in sorted(found, key=lambda pair: pair[0]))


def _rank(cause: Cause, matched: str) -> tuple[bool, int]:
    """An exact code beats a text of the product, and that beats a generic one; longer matches beat shorter."""
    has_code = bool(re.search(r"0x[0-9A-Fa-f]{8}|AADSTS\d+|-21\d{8}|MSIS\d+", matched))
    return not has_code, -len(matched)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[Cause, re.Pattern[str]], ...]:
    rows = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(
        (
            Cause(
                row["id"],
                row["where"],
                row["cause"],
                row["fix"],
                row["source"],
                row["retry"],
                row["confidence"],
            ),
            _compiled(row),
        )
        for row in rows
    )


def _compiled(row: dict[str, str]) -> re.Pattern[str]:
    text = row["matches"] if row["match_type"] == "regex" else re.escape(row["matches"])
    return re.compile(text, re.IGNORECASE)
