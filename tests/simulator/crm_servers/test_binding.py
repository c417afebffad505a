from __future__ import annotations

import uuid
from typing import Any

import pytest

from simulator.crm_servers.binding import bind
from simulator.crm_servers.error_records import PowerShellError
from simulator.crm_servers.parameters import Parameter
from tests.simulator.crm_servers.conftest import CHANGE, TOOLS, Crm, change

ONE = (
    Parameter("Name", "string", mandatory=True, pattern="[A-Z]{1,3}"),
    Parameter("Number", "int", bounds=(1, 9), default=4),
    Parameter("Kinds", "string[]", choices=("Red", "Blue")),
    Parameter("Id", "guid"),
    Parameter("Data", "byte[]", bounds=(1, 4)),
    Parameter("Now", "switch"),
)
SETS = (
    Parameter("Cloud", "string", mandatory=True, sets=("Cloud",)),
    Parameter("Restore", "guid", mandatory=True, sets=("Restore",)),
    Parameter("Expect", "string", mandatory=True, allow_empty=True),
)


def bound(*parameters: Parameter, **arguments: object) -> dict[str, object]:
    return bind("Set-Thing", parameters, list(arguments.items()))


def failure(*parameters: Parameter, **arguments: object) -> str:
    with pytest.raises(PowerShellError) as refused:
        bound(*parameters, **arguments)
    name, _, function = refused.value.error_id.partition(",")
    assert function == "Set-Thing"
    return name


def test_what_is_not_given_has_its_default() -> None:
    assert bound(*ONE, Name="A") == {
        "Name": "A",
        "Number": 4,
        "Kinds": None,
        "Id": None,
        "Data": None,
        "Now": False,
    }


def test_values_are_converted_as_powershell_converts_them() -> None:
    wanted = uuid.uuid4()

    values = bound(*ONE, name="AB", num="7", KINDS="Red", Id=str(wanted).upper(), Data=[1, 255])

    assert values["Name"] == "AB"
    assert values["Number"] == 7
    assert values["Kinds"] == ["Red"]
    assert values["Id"] == str(wanted)
    assert values["Data"] == b"\x01\xff"
    assert bound(*ONE, Name="A", Now=None)["Now"] is True


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "MissingMandatoryParameter"),
        ({"Name": "A", "Colour": 1}, "NamedParameterNotFound"),
        ({"Name": "A", "N": 1}, "AmbiguousParameter"),
        ({"Name": "abc"}, "ParameterArgumentValidationError"),
        ({"Name": "ABCD"}, "ParameterArgumentValidationError"),
        ({"Name": ""}, "ParameterArgumentValidationErrorEmptyStringNotAllowed"),
        ({"Name": "A", "Number": 10}, "ParameterArgumentValidationError"),
        ({"Name": "A", "Number": "ten"}, "ParameterArgumentTransformationError"),
        ({"Name": "A", "Number": 2**40}, "ParameterArgumentTransformationError"),
        ({"Name": "A", "Kinds": ["Red", "red"]}, "ParameterArgumentValidationError"),
        ({"Name": "A", "Id": "no-guid"}, "ParameterArgumentTransformationError"),
        ({"Name": "A", "Data": b"12345"}, "ParameterArgumentValidationError"),
        ({"Name": "A", "Data": [256]}, "ParameterArgumentTransformationError"),
        ({"Name": "A", "Now": "yes"}, "ParameterArgumentTransformationError"),
        ({"Name": {"a": 1}}, "ParameterArgumentTransformationError"),
    ],
)
def test_what_does_not_fit_is_a_binding_error(arguments: dict[str, Any], error: str) -> None:
    assert failure(*ONE, **arguments) == error


def test_a_parameter_given_twice_or_without_name_does_not_bind() -> None:
    for arguments, error in (
        ([("Name", "A"), ("Nam", "B")], "ParameterAlreadyBound"),
        ([(None, "A")], "PositionalParameterNotFound"),
    ):
        with pytest.raises(PowerShellError) as refused:
            bind("Set-Thing", ONE, arguments)
        assert refused.value.error_id == f"{error},Set-Thing"


def test_exactly_one_parameter_set_must_be_meant() -> None:
    assert bound(*SETS, Cloud="Global", Expect="")["Restore"] is None
    assert failure(*SETS, Expect="") == "AmbiguousParameterSet"
    both = {"Cloud": "Global", "Restore": str(uuid.uuid4()), "Expect": ""}
    assert failure(*SETS, **both) == "AmbiguousParameterSet"


def test_common_parameters_are_taken() -> None:
    assert bound(*ONE, Name="A", ErrorAction="Stop", Verbose=True)["Name"] == "A"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"OperationId": "x"}, "ParameterArgumentTransformationError"),
        ({"Job": "J-"}, "ParameterArgumentValidationError"),
        ({"Job": "J-1234567890"}, "ParameterArgumentValidationError"),
        ({"Epoch": "one"}, "ParameterArgumentTransformationError"),
        ({"ExpectThumbprint": "abc"}, "ParameterArgumentValidationError"),
        ({"CertificateBytes": b"x" * 16385}, "ParameterArgumentValidationError"),
        ({"Absent": True}, "AmbiguousParameterSet"),
        ({"Fence": -1}, "ParameterArgumentValidationError"),
        ({"DeploymentCredential": "secret"}, "ParameterArgumentTransformationError"),
    ],
)
def test_a_binding_error_reaches_the_client_and_nothing_is_done(
    crm: Crm, parameters: dict[str, Any], error: str
) -> None:
    own = {"CertificateBytes": b"x", "ExpectThumbprint": ""} | parameters

    record = crm.session(TOOLS, CHANGE).error("Set-SssTokenIssuer", **change(**own))

    assert record.fq_error == f"{error},Set-SssTokenIssuer"
    assert "secret" not in str(record)
    assert crm.deployment.server(TOOLS).operations == {}
    assert crm.ledger.entries() == []
