"""What a function declares of its parameters, in the words of a PowerShell param block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "string",
    "string[]",
    "guid",
    "long",
    "int",
    "byte[]",
    "securestring",
    "pscredential",
    "switch",
]


GUID_OR_EMPTY = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?"


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    ``pattern`` (for the whole value), ``choices`` and ``bounds`` stand for ValidatePattern,
    ValidateSet and ValidateRange, ValidateCount or ValidateLength (a value, or the number of bytes,
    items or characters).``sets`` names the
    parameter sets it belongs to; empty means every one.
    """

    name: str
    kind: Kind
    mandatory: bool = False
    pattern: str = ""
    choices: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None
    sets: tuple[str, ...] = ()
    allow_empty: bool = False
    default: object = None


@dataclass(frozen=True)
class Secret:
    """A secure string's text; shows itself to nobody by accident."""

    text: str

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@dataclass(frozen=True)
class Credential:
    """A bound [pscredential]."""

    user_name: str
    password: Secret


FENCE_PARAMETERS = (
    Parameter("PortalId", "guid", mandatory=True),
    Parameter("Epoch", "long", mandatory=True, bounds=(0, 2**63 - 1)),
    Parameter("Fence", "long", mandatory=True, bounds=(0, 2**63 - 1)),
    Parameter("OperationId", "guid", mandatory=True),
    Parameter("Job", "string", mandatory=True, pattern=r"J-[0-9]{1,9}"),
)
"""What every changing function asks: who changes, under which fence, as which operation."""

THUMBPRINT = Parameter("Thumbprint", "string", mandatory=True, pattern="[0-9A-F]{40}")
DEPLOYMENT_CREDENTIAL = Parameter("DeploymentCredential", "pscredential")
