"""Parameter binding as PowerShell does it: names, types, validation, parameter sets.

Names are matched without regard to case and may be shortened while they stay unique; values are
converted the way PowerShell converts arguments of a remote command. Patterns and value sets are
compared with regard to case (the module's attributes are written that way).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence

from psrpcore.types import PSCredential, PSSecureString

from simulator.crm_servers.error_records import PowerShellError, binding_error
from simulator.crm_servers.parameters import Credential, Kind, Parameter, Secret

COMMON = frozenset(
    [
        "verbose",
        "debug",
        "erroraction",
        "warningaction",
        "informationaction",
        "errorvariable",
        "warningvariable",
        "informationvariable",
        "outvariable",
        "outbuffer",
        "pipelinevariable",
    ]
)
Arguments = Sequence[tuple[str | None, object]]


def bind(
    function: str,
    parameters: Sequence[Parameter],
    arguments: Arguments,
    default_set: str = "",
) -> dict[str, object]:
    """Bind the arguments of one command.

    :return: a value for every declared parameter, its default where none was given. GUIDs are text
        (lower case), secure strings Secret, credentials Credential, arrays lists, byte arrays bytes.
    :raises PowerShellError: the binding error of PowerShell.
    """
    given: dict[str, object] = {}
    for name, value in arguments:
        parameter = _named(function, parameters, name, value)
        if parameter is None:
            continue
        if parameter.name in given:
            raise binding_error(
                f"Cannot bind parameter because parameter '{parameter.name}' is specified more than "
                "once.",
                "ParameterAlreadyBound",
                function,
            )
        given[parameter.name] = _checked(function, parameter, value)
    _demand(function, _in_chosen_set(function, parameters, given, default_set), given)
    return {p.name: given.get(p.name, _absent(p)) for p in parameters}


def _named(
    function: str, parameters: Sequence[Parameter], name: str | None, value: object
) -> Parameter | None:
    if name is None:
        raise binding_error(
            f"A positional parameter cannot be found that accepts argument '{_shown(value)}'.",
            "PositionalParameterNotFound",
            function,
        )
    wanted = name.strip("-:").casefold()
    exact = [p for p in parameters if p.name.casefold() == wanted]
    if not exact and wanted in COMMON:
        return None
    close = exact or [p for p in parameters if wanted and p.name.casefold().startswith(wanted)]
    if len(close) > 1:
        options = " ".join(f"-{p.name}" for p in close)
        raise binding_error(
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. "
            f"Possible matches include: {options}.",
            "AmbiguousParameter",
            function,
        )
    if not close:
        raise binding_error(
            f"A parameter cannot be found that matches parameter name '{name}'.",
            "NamedParameterNotFound",
            function,
        )
    return close[0]


def _in_chosen_set(
    function: str,
    parameters: Sequence[Parameter],
    given: Mapping[str, object],
    default_set: str,
) -> list[Parameter]:
    """The parameters of the one set that the given names leave possible."""
    possible = {name for p in parameters for name in p.sets}
    if not possible:
        return list(parameters)
    for parameter in parameters:
        if parameter.sets and parameter.name in given:
            possible &= set(parameter.sets)
    chosen = default_set if default_set in possible else next(iter(possible), "")
    if not possible or (len(possible) > 1 and chosen != default_set):
        raise binding_error(
            "Parameter set cannot be resolved using the specified named parameters.",
            "AmbiguousParameterSet",
            function,
        )
    return [p for p in parameters if not p.sets or chosen in p.sets]


def _demand(function: str, parameters: Sequence[Parameter], given: Mapping[str, object]) -> None:
    missing = [p.name for p in parameters if p.mandatory and p.name not in given]
    if missing:
        raise binding_error(
            "Cannot process command because of one or more missing mandatory parameters: "
            f"{' '.join(missing)}.",
            "MissingMandatoryParameter",
            function,
        )


def _checked(function: str, parameter: Parameter, value: object) -> object:
    try:
        converted = CONVERT[parameter.kind](value)
    except (ValueError, TypeError, AttributeError) as error:
        is_secret = parameter.kind in ("securestring", "pscredential")
        shown = type(value).__name__ if is_secret else _shown(value)
        raise binding_error(
            f"Cannot process argument transformation on parameter '{parameter.name}'. Cannot convert "
            f'value "{shown}" to type "{parameter.kind}".',
            "ParameterArgumentTransformationError",
            function,
        ) from error
    if converted in ("", b"", []) and not parameter.allow_empty:
        raise binding_error(
            f"Cannot bind argument to parameter '{parameter.name}' because it is an empty "
            f"{'string' if converted == '' else 'array'}.",
            "ParameterArgumentValidationErrorEmptyStringNotAllowed",
            function,
        )
    return _validated(function, parameter, converted)


def _validated(function: str, parameter: Parameter, value: object) -> object:
    if parameter.pattern and not re.fullmatch(parameter.pattern, str(value)):
        raise _invalid(
            function,
            parameter,
            f'The argument "{value}" does not match the "{parameter.pattern}" pattern.',
        )
    if parameter.bounds is not None:
        size = value if isinstance(value, int) else len(value)  # type: ignore[arg-type]
        low, high = parameter.bounds
        if not low <= size <= high:
            raise _invalid(
                function, parameter, f"The argument is {size}; it must be from {low} to {high}."
            )
    if not parameter.choices:
        return value
    items = value if isinstance(value, list) else [value]
    for item in items:
        if item not in parameter.choices:
            raise _invalid(
                function,
                parameter,
                f'The argument "{item}" does not belong to the set '
                f'"{",".join(parameter.choices)}" specified by the ValidateSet attribute.',
            )
    return value


def _invalid(function: str, parameter: Parameter, why: str) -> PowerShellError:
    return binding_error(
        f"Cannot validate argument on parameter '{parameter.name}'. {why}",
        "ParameterArgumentValidationError",
        function,
    )


def _absent(parameter: Parameter) -> object:
    if parameter.default is not None:
        return parameter.default
    return False if parameter.kind == "switch" else None


def _shown(value: object) -> str:
    """A value for an error text; bytes and secrets stay out of it."""
    if isinstance(value, PSSecureString | PSCredential | bytes | bytearray):
        return type(value).__name__
    return str(value)[:100]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict | bytes | bytearray | PSSecureString):
        raise TypeError("cannot be converted to text")
    return str(value)


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list | tuple) else [value]
    return [_text(item) for item in items]


def _whole(low: int, high: int) -> Callable[[object], int]:
    def convert(value: object) -> int:
        number = round(value) if isinstance(value, float) else int(str(value).strip())
        if not low <= number <= high:
            raise ValueError("too large or too small")
        return number

    return convert


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    items = value if isinstance(value, list | tuple) else [value]
    return bytes(int(str(item)) for item in items)


def _secret(value: object) -> Secret:
    if not isinstance(value, PSSecureString):
        raise TypeError("not a secure string")
    return Secret(str(value.decrypt()))


def _credential(value: object) -> Credential:
    if not isinstance(value, PSCredential):
        raise TypeError("not a credential")
    return Credential(str(value.UserName), _secret(value.Password))


def _switch(value: object) -> bool:
    if value is None or isinstance(value, bool | int):
        return value is None or bool(value)
    raise TypeError("not a switch")


CONVERT: Mapping[Kind, Callable[[object], object]] = {
    "string": _text,
    "string[]": _texts,
    "guid": lambda value: str(uuid.UUID(str(value))),
    "long": _whole(-(2**63), 2**63 - 1),
    "int": _whole(-(2**31), 2**31 - 1),
    "byte[]": _bytes,
    "securestring": _secret,
    "pscredential": _credential,
    "switch": _switch,
}
