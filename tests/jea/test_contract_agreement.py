"""Module, gateway and simulator read the contract alike: one call of every function through all of them.

The gateway builds the call; the contract and the module's own param block must accept every parameter;
the simulator binds it over the wire and answers; the contract holds the answer property by property; and
the gateway reads it.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from simulator.crm_servers.call import Change as SimulatedChange
from simulator.crm_servers.commands import FUNCTIONS as SIMULATED
from simulator.crm_servers.default_deployment import SALES_ID
from simulator.crm_servers.functions.authorization_server import ACS, METADATA_URLS
from simulator.crm_servers.functions.egress import HOSTS
from simulator.crm_servers.parameters import FENCE_PARAMETERS, Parameter
from sync_setup.gateways.contract_changes import Order
from sync_setup.gateways.crm_endpoint import CrmEndpoint
from sync_setup.gateways.crm_failures import CODES
from sync_setup.gateways.crm_server import CrmServer
from sync_setup.gateways.identifiers import (
    OperationId,
    OrganizationId,
    Sha256,
    TenantId,
    Thumbprint,
)
from sync_setup.gateways.remoting import Long, Secret
from sync_setup.gateways.remoting import Parameter as Sent
from tests.jea.contract_file import CONTRACT, FUNCTIONS, codes, parameters
from tests.jea.powershell import MODULE, functions
from tests.simulator.crm_servers.conftest import PORTAL_ID, Crm, Session, company, crm

__all__ = ["company", "crm"]  # fixtures

T = TypeVar("T")
PUBLIC = functions(MODULE / "Public")
TRANSPORT = "Transport-Password-9"
TENANT = "2b7c1d3e-4f50-4a61-8b72-9c83ad94be05"


# --- the simulator's own table ---------------------------------------------------------------


def _in_contract_words(parameter: Parameter) -> dict[str, Any]:
    """A parameter of the simulator as contract.json would write it."""
    low_high = list(parameter.bounds) if parameter.bounds else None
    bound_name = {"byte[]": "count", "string[]": "count", "string": "length"}.get(
        parameter.kind, "range"
    )
    found = {
        "name": parameter.name,
        "type": parameter.kind,
        "mandatory": parameter.mandatory,
        "values": list(parameter.choices),
        bound_name: low_high,
        "set": parameter.sets[0] if parameter.sets else "",
        "empty": parameter.kind == "string" and parameter.allow_empty,
        "default": parameter.default,
    }
    return {key: value for key, value in found.items() if value or key == "mandatory"}


def _simulated_parameters(name: str) -> tuple[Parameter, ...]:
    function = SIMULATED[name]
    common = FENCE_PARAMETERS if isinstance(function, SimulatedChange) else ()
    return (*common, *function.parameters)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_simulator_declares_the_contracts_parameters(name: str) -> None:
    wanted = [
        {key: value for key, value in parameter.items() if key not in ("pattern", "secret")}
        for parameter in parameters(name)
    ]

    assert [_in_contract_words(p) for p in _simulated_parameters(name)] == wanted


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_simulator_takes_and_refuses_the_same_text_as_the_contract(name: str) -> None:
    simulated = {p.name: p for p in _simulated_parameters(name)}
    for parameter in parameters(name):
        own = simulated[parameter["name"]].pattern
        assert bool(own) == ("pattern" in parameter), parameter["name"]
        for sample in _samples() if own else ():
            wanted = re.fullmatch(parameter["pattern"], sample) is not None
            assert (re.fullmatch(own, sample) is not None) == wanted, (parameter["name"], sample)


def _samples() -> list[str]:
    good = [
        "",
        "A" * 40,
        "A" * 64,
        "J-41",
        "ContosoSales",
        TENANT,
        "2026-11-23T08:15:00.123Z",
    ]
    return good + [
        bad
        for text in good
        for bad in (
            text.lower(),
            text.upper(),
            f"{text}\n",
            f" {text}",
            f"{text}'",
            text + "\u0660",
        )
    ]


def test_the_simulator_knows_the_contracts_functions_resources_secrets_and_clouds() -> None:
    assert list(SIMULATED) == list(FUNCTIONS)
    for name, function in FUNCTIONS.items():
        simulated = SIMULATED[name]
        assert isinstance(simulated, SimulatedChange) == (function["role"] == "change")
        if isinstance(simulated, SimulatedChange):
            assert simulated.resource == function["resource"]
            secret = {p["name"] for p in function["parameters"] if p.get("secret")}
            assert simulated.secrets == secret, name
    for name, cloud in CONTRACT["clouds"].items():
        assert (cloud["principalId"], cloud["metadataUrl"]) == (ACS, METADATA_URLS[name])
        assert list(HOSTS[name]) == cloud["egressHosts"]
    assert set(HOSTS) == set(METADATA_URLS) == set(CONTRACT["clouds"])


def test_simulator_and_gateway_use_the_contracts_codes_only() -> None:
    source = "".join(p.read_text() for p in Path("simulator/crm_servers").rglob("*.py"))
    raised = set(re.findall(r"Refusal\(\s*\"(\w+)\"", source))

    assert raised <= set(CONTRACT["codes"])
    assert set(CODES) == set(CONTRACT["codes"])


# --- one call of every function, through all -------------------------------------------------


class Recorded(Exception):
    """The gateway built its call."""


@dataclass(frozen=True)
class Ask:
    """What the gateway would send, and how it would read the answer."""

    function: str
    parameters: Mapping[str, Sent]
    read: Callable[[Mapping[str, object]], object]


class Recorder(CrmEndpoint):
    """The gateway's endpoint without a session: it keeps the call instead of sending it."""

    def __init__(self) -> None:
        self.last: Ask | None = None

    def ask(
        self,
        function: str,
        parameters: Mapping[str, Sent],
        reader: Callable[[Mapping[str, object]], T],
        deadline_s: float | None = None,
    ) -> T:
        self.last = Ask(function, parameters, reader)
        raise Recorded


class BuiltOnly(CrmServer):
    """The gateway's typed face over a recorder."""

    def __init__(self) -> None:
        self._endpoint = self.recorder = Recorder()
        self._account = {}


def asked(call: Callable[[CrmServer], object]) -> Ask:
    server = BuiltOnly()
    with pytest.raises(Recorded):
        call(server)
    assert server.recorder.last is not None
    return server.recorder.last


def order() -> Order:
    return Order(PORTAL_ID, 1, 7, OperationId(str(uuid.uuid4())), "J-41")


def every_call(crm: Crm) -> list[Ask]:
    """Each function once, in an order in which each succeeds on the server with the tools."""
    new, old = crm.company.new, Thumbprint(crm.company.old.thumbprint_sha1)
    thumbprint = Thumbprint(new.thumbprint_sha1)
    sales = OrganizationId(SALES_ID)
    calls: list[Callable[[CrmServer], object]] = [
        lambda s: s.get_server(),
        lambda s: s.get_certificates(old),
        lambda s: s.get_deployment(sales),
        lambda s: s.test_egress("Global"),
        lambda s: s.install_certificate(
            order(),
            pfx=new.to_pfx(TRANSPORT),
            transport_password=TRANSPORT,
            thumbprint=thumbprint,
            sha256=Sha256(new.sha256),
            grant_read={"WebApplication"},
        ),
        lambda s: s.set_key_reader(
            order(), thumbprint=thumbprint, roles={"WebApplication"}, access="None"
        ),
        lambda s: s.set_token_issuer(order(), certificate_der=new.der, expect_thumbprint=old),
        lambda s: s.set_token_issuer(order(), certificate_der=None, expect_thumbprint=thumbprint),
        lambda s: s.set_certificate_state(
            order(), thumbprint=thumbprint, state="Absent", expect="Active"
        ),
        lambda s: s.set_authorization_server(
            order(), cloud="Global", expect_principal_id="", expect_metadata_url=""
        ),
        lambda s: s.set_organization_tenant(
            order(),
            organization_id=sales,
            unique_name="ContosoSales",
            tenant_id=TenantId(TENANT),
            expect_tenant_id=None,
        ),
        lambda s: s.restart_service(
            order(),
            service="WebApplicationPool",
            only_if_started_before=dt.datetime.now(dt.UTC),
        ),
        lambda s: s.clear_transfer_files(order()),
    ]
    built = [asked(call) for call in calls]
    done = str(built[-1].parameters["OperationId"])
    return [*built, asked(lambda s: s.get_operation(OperationId(done)))]


def _sendable(session: Session, value: Sent) -> object:
    if isinstance(value, Secret):
        return session.secret(value.text)
    if isinstance(value, Long):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _must_bind(ask: Ask) -> None:
    """The contract and the module's param block take exactly these parameters."""
    known = {p["name"]: p for p in parameters(ask.function)}
    module = {p.name for p in PUBLIC[ask.function].parameters}
    assert set(ask.parameters) <= set(known) == module
    sets = {known[name]["set"] for name in ask.parameters if "set" in known[name]}
    assert len(sets) <= 1
    for name, parameter in known.items():
        if parameter["mandatory"] and parameter.get("set") in {None, *sets}:
            assert name in ask.parameters, name
    for name, value in ask.parameters.items():
        _must_fit(known[name], value)


def _must_fit(parameter: dict[str, Any], value: Sent) -> None:
    types: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "guid": str,
        "string[]": tuple,
        "byte[]": bytes,
        "long": Long,
        "int": int,
        "switch": bool,
        "securestring": Secret,
    }
    assert isinstance(value, types[parameter["type"]]), parameter["name"]
    if "pattern" in parameter:
        assert re.fullmatch(parameter["pattern"], str(value)), parameter["name"]
    if "values" in parameter:
        given = set(value) if isinstance(value, tuple) else {value}
        assert given <= set(parameter["values"]), parameter["name"]


def test_every_function_goes_through_gateway_contract_module_and_simulator(crm: Crm) -> None:
    session = crm.session()
    called = []
    for ask in every_call(crm):
        _must_bind(ask)
        sent = {name: _sendable(session, value) for name, value in ask.parameters.items()}
        answer = session.call(ask.function, **sent)  # holds every property against the contract
        assert answer["Error"] is None, answer
        assert ask.read(answer["Result"]) is not None
        called.append(ask.function)

    assert set(called) == set(FUNCTIONS)


def test_a_refusal_reads_the_same_everywhere(crm: Crm) -> None:
    ask = asked(lambda s: s.get_certificates(Thumbprint("A" * 40)))

    answer = crm.session().call(ask.function, **ask.parameters)

    assert answer["Error"]["Code"] == "CertificateNotFound"
    assert answer["Error"]["Code"] in codes(ask.function) & set(CODES)
