"""What a function answers: the envelope of the contract, and refusals with its codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

CONTRACT_VERSION = "1.0"
Changed = Literal["No", "Yes", "Unknown"]
Json = dict[str, object]


class Refusal(Exception):
    """A function's own refusal: it becomes the envelope's Error and throws nothing."""

    def __init__(self, code: str, message: str, changed: Changed = "No") -> None:
        super().__init__(message)
        self.code, self.message, self.changed = code, message, changed

    def to_json(self) -> dict[str, str]:
        """The contract's Error."""
        return {"Code": self.code, "Message": self.message, "Changed": self.changed}


def envelope(
    function: str,
    server_name: str,
    server_time: str,
    *,
    result: Mapping[str, object] | None = None,
    error: Mapping[str, str] | None = None,
    warnings: list[str] | None = None,
) -> str:
    """The one string that a function writes: compact JSON."""
    return json.dumps(
        {
            "ContractVersion": CONTRACT_VERSION,
            "Function": function,
            "ServerName": server_name,
            "ServerTimeUtc": server_time,
            "Ok": error is None,
            "Error": error,
            "Result": result,
            "Warnings": warnings or [],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
