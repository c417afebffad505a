"""Entry of the isolated process: ``python -I main.py QUESTION INSTANT``.

The file comes on standard input; the password and whatever else belongs to the question comes as
JSON on descriptor 3. The answer is one JSON object on standard output. Nothing is written anywhere
else, and no text of an exception leaves: it could quote the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Isolated mode leaves the project out of the path; the cage's own modules are all it needs of it.
sys.path.append(str(Path(__file__).resolve().parents[3]))

import json
import os
import warnings
from datetime import datetime
from typing import Any

from sync_setup.inspection.child import inspecting, limits
from sync_setup.inspection.child.answer import Answer, Given, refused
from sync_setup.inspection.forms import LIMIT_BYTES

SECRETS = 3


def main() -> None:
    """Answer one question and end."""
    limits.enter_cage()
    warnings.simplefilter("ignore")
    question, at = sys.argv[1], datetime.fromisoformat(sys.argv[2])
    with open(SECRETS, encoding="utf-8", errors="surrogateescape") as secrets:
        secret: dict[str, Any] = json.load(secrets)
    data = sys.stdin.buffer.read(LIMIT_BYTES + 1)
    answer = _answer(question, data, secret, at)
    os.write(1, json.dumps(answer, ensure_ascii=True).encode("ascii"))


def _answer(question: str, data: bytes, secret: dict[str, Any], at: datetime) -> Answer:
    password = secret.get("password", "")
    public = bytes.fromhex(secret["public"]) if "public" in secret else None
    given = Given(data, password, at, public)
    try:
        if question == "rewrap":
            # Imported where it is needed: an inspection writes nothing.
            from sync_setup.inspection.child.repacking import repack  # noqa: PLC0415

            return repack(given, secret["transport_password"])
        judges = {
            "pfx": inspecting.inspect_pfx,
            "public": inspecting.inspect_public,
            "either": inspecting.inspect_either,
        }
        return judges[question](given)
    except MemoryError:
        return refused("inspection_timeout", "memory")
    except Exception as error:
        # A mistake of ours, or a file nobody thought of: refused either way, and told by its kind.
        return refused("wrong_password_or_damaged", "unreadable", unsupported=type(error).__name__)


if __name__ == "__main__":
    main()
