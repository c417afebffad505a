"""Text out of a certificate, made safe to print, log and show."""

from __future__ import annotations

import unicodedata

LONGEST = 1000

_DANGEROUS = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
"""Controls, bidirectional and invisible marks, line separators, and what is no character at all."""


def is_dangerous(text: str) -> bool:
    """Whether a character in it could break a line, turn the reading direction or hide."""
    return any(unicodedata.category(character) in _DANGEROUS for character in text)


def shown(text: str) -> str:
    """The text with every character that does not print written as ``\\u`` and its number.

    Longer texts than anybody reads are cut.
    """
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04X}" for character in cut
    )
