"""How a command gets a secret: from a file, standard input or a prompt. Never from an argument.

Arguments stand in the process list and in the shell's history, for everybody on the machine to read.
"""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path

from portal.errors import BadInput

LIMIT_BYTES = 64 * 1024
STANDARD_INPUT = Path("-")


def add_secret_option(parser: ArgumentParser, option: str, what: str) -> None:
    """Offer ``--…-file FILE`` for a secret of one line."""
    parser.add_argument(
        option,
        type=Path,
        metavar="FILE",
        help=f"its first line is {what}; - reads a line of standard input; without it you are asked",
    )


def line_of(file: Path | None, *, asking: str = "", option: str = "") -> str:
    """Give a secret of one line.

    :param file: where it stands; ``-`` is standard input; None asks at a terminal.
    :param asking: the prompt; empty: nothing is asked. :param option: the option's name, for errors.
    :return: the secret; empty where there is no file and nobody to ask.
    :raises BadInput: when it cannot be read.
    """
    if file is None:
        return getpass.getpass(f"{asking}: ") if asking and sys.stdin.isatty() else ""
    if file == STANDARD_INPUT:
        data = sys.stdin.buffer.readline(LIMIT_BYTES)
    else:
        data = bytes_of(file, option=option)
    lines = _text(data, option).splitlines()
    return lines[0] if lines else ""


def text_of(file: Path, *, option: str) -> str:
    """Give a whole file, such as PEM with certificate and key.

    :raises BadInput: when it cannot be read.
    """
    return _text(bytes_of(file, option=option), option)


def bytes_of(file: Path, *, option: str, limit: int = LIMIT_BYTES) -> bytes:
    """Read a file, but never more than shows that it is too large.

    :raises BadInput: when it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(limit + 1)
    except OSError as error:
        raise BadInput(
            f"{file} cannot be read: {error.strerror}.",
            remedy="Check the path and your rights.",
            field=option.lstrip("-"),
        ) from None


def _text(data: bytes, option: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(
            "This is not UTF-8 text.", remedy="Save it as UTF-8.", field=option.lstrip("-")
        ) from None
