from __future__ import annotations

import pytest

from simulator.crm_servers.commands import FUNCTIONS
from simulator.crm_servers.parameters import FENCE_PARAMETERS
from tests.simulator.crm_servers.conftest import ASYNC, CHANGE, LOOK, TOOLS, Crm
from tests.simulator.crm_servers.contract_check import CONTRACT
from tests.simulator.crm_servers.contract_check import FUNCTIONS as WANTED

LOOKS = {name for name, function in WANTED.items() if function["role"] == "look"}
RESTRICTED = set(CONTRACT["restrictedCommands"])


@pytest.mark.parametrize("server", [TOOLS, ASYNC])
@pytest.mark.parametrize(("account", "functions"), [(LOOK, LOOKS), (CHANGE, set(WANTED))])
def test_a_session_shows_exactly_the_functions_of_its_role(
    crm: Crm, server: str, account: str, functions: set[str]
) -> None:
    listed = crm.session(server, account).start("Get-Command").invoke()

    names = [command.adapted_properties["Name"] for command in listed]
    assert set(names) == functions | RESTRICTED
    assert len(names) == len(set(names))
    assert len(functions) in (5, 13)


def test_every_command_is_a_function_and_the_contracts_come_from_the_module(crm: Crm) -> None:
    listed = crm.session().start("Get-Command").invoke()

    kinds = {str(command.adapted_properties["CommandType"]) for command in listed}
    sources = {c.adapted_properties["Name"]: c.adapted_properties["Source"] for c in listed}
    assert kinds == {"Function"}
    assert listed[0].types[0] == "System.Management.Automation.FunctionInfo"
    assert {name for name, source in sources.items() if source == "SssPortal"} == set(WANTED)


def test_get_command_finds_by_name_and_wildcard(crm: Crm) -> None:
    session = crm.session()

    def names(pattern: str) -> list[str]:
        listed = session.start("Get-Command", Name=pattern).invoke()
        return [command.adapted_properties["Name"] for command in listed]

    assert names("get-sssserver") == ["Get-SssServer"]
    assert set(names("*-Sss*")) == set(WANTED)
    error = session.error("Get-Command", Name="Get-CrmServer")
    assert error.fq_error.startswith("CommandNotFoundException")


def test_get_command_can_be_piped_to_select_and_measure(crm: Crm) -> None:
    session = crm.session()

    selected = session.start("gcm").add_cmdlet("Select-Object")
    selected.add_parameter("Property", ["Name"])
    counted = session.start("Get-Command").add_cmdlet("Measure-Object")

    names = [row.extended_properties["Name"] for row in selected.invoke()]
    assert set(names) == set(WANTED) | RESTRICTED
    assert counted.invoke()[0].extended_properties["Count"] == 21


def test_script_text_is_refused_as_in_no_language_mode(crm: Crm) -> None:
    session = crm.session()
    shell = session.start("Get-SssServer")
    shell.commands = []
    shell.add_script("Get-SssServer; Remove-Item C:\\")

    assert shell.invoke() == []

    (error,) = shell.streams.error
    assert str(error).startswith("The syntax is not supported by this runspace.")
    assert error.fq_error == "ScriptsNotAllowed"


@pytest.mark.parametrize("name", ["Get-CrmOrganization", "Invoke-Expression", "Get-Process"])
def test_a_command_outside_the_contract_is_unknown(crm: Crm, name: str) -> None:
    error = crm.session().error(name)

    assert f"The term '{name}' is not recognized" in str(error)
    assert error.fq_error == "CommandNotFoundException"


def test_a_look_session_does_not_know_the_changing_functions(crm: Crm) -> None:
    for name in set(WANTED) - LOOKS:
        assert crm.session(TOOLS, LOOK).error(name).fq_error == "CommandNotFoundException"
    assert crm.ledger.entries() == []


def test_functions_and_parameters_are_those_of_the_contract() -> None:
    assert list(FUNCTIONS) == list(WANTED)
    kinds = {"count": "bounds", "range": "bounds", "length": "bounds"}
    for name, wanted in WANTED.items():
        parameters = {parameter.name: parameter for parameter in FUNCTIONS[name].parameters}
        assert list(parameters) == [p["name"] for p in wanted["parameters"]], name
        for given in wanted["parameters"]:
            own = parameters[given["name"]]
            assert own.kind == given["type"], given
            assert own.mandatory == given["mandatory"], given
            assert own.choices == tuple(given.get("values", ())), given
            assert own.sets == ((given["set"],) if "set" in given else ()), given
            assert own.default == given.get("default"), given
            for kind in kinds:
                if kind in given:
                    assert own.bounds == tuple(given[kind]), given
        secrets = {p["name"] for p in wanted["parameters"] if p.get("secret")}
        assert getattr(FUNCTIONS[name], "secrets", secrets) == secrets
        assert getattr(FUNCTIONS[name], "resource", None) == wanted.get("resource")


def test_the_five_parameters_of_every_change_are_those_of_the_contract() -> None:
    own = [(p.name, p.kind, p.mandatory, p.bounds) for p in FENCE_PARAMETERS]

    for given, parameter in zip(CONTRACT["changeParameters"], own, strict=True):
        bounds = tuple(given["range"]) if "range" in given else None
        assert parameter == (given["name"], given["type"], given["mandatory"], bounds)
