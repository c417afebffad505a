from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest

from portal.errors import (
    Conflict,
    Garbled,
    GatewayError,
    Missing,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from sync_setup.gateways.directory import HYBRID_CONNECTOR_SKU
from sync_setup.gateways.identifiers import CRM_APP_ID, KeyId, ServicePrincipalId
from tests.gateways.conftest import Certificate
from tests.gateways.simulated import Simulator

KEY_ID = KeyId("0a0b0c0d-1111-4222-8333-444455556666")
NAME = "00000007-0000-0000-c000-000000000000"


def principal(simulator: Simulator) -> ServicePrincipalId:
    return simulator.graph().service_principal().id


def add(simulator: Simulator, certificate: Certificate, **more: object) -> bool:
    graph = simulator.graph()
    return graph.add_key_credential(
        principal(simulator),
        key_id=KEY_ID,
        certificate_der=certificate.der,
        display_name="SSS Portal 2026",
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        **more,  # type: ignore[arg-type]
    )


def test_the_tenant_and_its_licences_are_read(simulator: Simulator) -> None:
    graph = simulator.graph()

    tenant, skus = graph.organization(), graph.subscribed_skus()

    assert tenant.id == simulator.tenant_id
    assert "contoso.example" in {domain.name for domain in tenant.domains}
    connector = next(sku for sku in skus if sku.part_number == HYBRID_CONNECTOR_SKU)
    assert connector.capability_status == "Enabled"
    assert HYBRID_CONNECTOR_SKU in connector.service_plans


def test_the_crm_principal_is_found_with_its_keys(simulator: Simulator) -> None:
    graph = simulator.graph()

    found = graph.service_principal()
    keys = graph.key_credentials(found.id)

    assert found.app_id == CRM_APP_ID
    assert found.account_enabled
    assert len(keys) == 2
    for key in keys:
        assert key.certificate_der is not None
        sha1 = hashlib.sha1(key.certificate_der, usedforsecurity=False).hexdigest().upper()
        assert key.thumbprint == sha1
        assert key.ends_at is not None


def test_a_tenant_without_the_hybrid_connector_has_no_principal(simulator: Simulator) -> None:
    simulator.control("POST", "/world", {"path": "tenants/0/principals/0", "remove": True})

    with pytest.raises(Missing) as missing:
        simulator.graph().service_principal()

    assert "Hybrid Connector" in missing.value.remedy
    assert missing.value.code == "SSS-GRAPH-NO-PRINCIPAL"


def test_a_key_is_added_and_every_other_key_stays(
    simulator: Simulator, certificate: Certificate
) -> None:
    before = simulator.graph().key_credentials(principal(simulator))

    assert add(simulator, certificate, known=[key.key_id for key in before])

    after = simulator.graph().key_credentials(principal(simulator))
    new = next(key for key in after if key.key_id == KEY_ID)
    assert set(before) == set(after) - {new}
    assert new.certificate_der == certificate.der
    assert (new.starts_at, new.ends_at) == (certificate.not_before, certificate.not_after)
    assert new.display_name == "SSS Portal 2026"


def test_the_same_key_is_never_added_twice(simulator: Simulator, certificate: Certificate) -> None:
    assert add(simulator, certificate)
    effects = len(simulator.effects())

    assert not add(simulator, certificate)

    assert len(simulator.effects()) == effects == 1


def test_a_repeated_call_on_an_old_list_adds_no_second_entry(
    simulator: Simulator, certificate: Certificate
) -> None:
    add(simulator, certificate)
    simulator.dial("graph", "stale", match="GET .*keyCredentials", seconds=60)

    assert add(simulator, certificate)

    keys = simulator.graph().key_credentials(principal(simulator))
    assert [key.key_id for key in keys].count(KEY_ID) == 1
    assert len(keys) == 3


def test_an_older_list_than_the_caller_saw_is_a_conflict(
    simulator: Simulator, certificate: Certificate
) -> None:
    add(simulator, certificate)
    simulator.dial("graph", "stale", match="GET .*keyCredentials", seconds=60)

    with pytest.raises(Conflict) as conflict:
        simulator.graph().remove_key_credential(
            principal(simulator), KeyId("11111111-2222-3333-4444-555555555555"), known=[KEY_ID]
        )

    assert conflict.value.code == "SSS-GRAPH-OLD-LIST"
    assert len(simulator.effects()) == 1


def test_entries_that_graph_will_not_take_back_are_sent_the_other_way(
    simulator: Simulator, certificate: Certificate
) -> None:
    simulator.dial(
        "graph",
        "status",
        match="^PATCH ",
        status=400,
        code="KeyCredentialsInvalidKeyNotUpdatable",
        message="Update to existing credential with KeyId '1' is not allowed.",
    )

    assert add(simulator, certificate)

    assert len(simulator.graph().key_credentials(principal(simulator))) == 3


def test_a_second_refusal_of_the_kept_entries_is_told(
    simulator: Simulator, certificate: Certificate
) -> None:
    simulator.dial("graph", "status", match="^PATCH ", status=400, code="KeyNotUpdatable", times=2)

    with pytest.raises(Rejected) as rejected:
        add(simulator, certificate)

    assert rejected.value.detail["error_code"] == "KeyNotUpdatable"
    assert rejected.value.changed == "No"


def test_a_key_is_removed_and_every_other_key_stays(
    simulator: Simulator, certificate: Certificate
) -> None:
    before = simulator.graph().key_credentials(principal(simulator))
    add(simulator, certificate)

    assert simulator.graph().remove_key_credential(principal(simulator), KEY_ID, known=[KEY_ID])
    assert not simulator.graph().remove_key_credential(principal(simulator), KEY_ID)

    assert set(simulator.graph().key_credentials(principal(simulator))) == set(before)


def test_a_name_is_added_and_every_other_name_stays(simulator: Simulator) -> None:
    graph = simulator.graph()
    before = graph.service_principal().names

    assert graph.add_principal_name(principal(simulator), NAME, known=before)
    now = graph.principal_names(principal(simulator))
    assert not graph.add_principal_name(principal(simulator), NAME.upper(), known=now)

    assert graph.principal_names(principal(simulator)) == (*before, NAME)
    graph.set_principal_names(principal(simulator), before)
    assert graph.service_principal().names == before


def test_a_name_that_a_stale_read_lacks_is_not_lost(simulator: Simulator) -> None:
    graph = simulator.graph()
    graph.add_principal_name(principal(simulator), NAME, known=graph.service_principal().names)
    seen = graph.service_principal().names
    simulator.dial("graph", "stale", match="^GET ", times=-1, seconds=60)

    graph.add_principal_name(principal(simulator), f"{NAME}.second", known=seen)
    simulator.undial()

    assert set(graph.principal_names(principal(simulator))) == {*seen, f"{NAME}.second"}


def test_without_the_permission_the_remedy_names_it(
    simulator: Simulator, certificate: Certificate
) -> None:
    with pytest.raises(Refused) as reading:
        simulator.graph("setup_app_without_permission").service_principal()
    assert reading.value.code == "SSS-GRAPH-403"
    assert "Application.Read.All" in reading.value.remedy

    simulator.dial("graph", "status", match="^PATCH ", status=403)
    with pytest.raises(Refused) as writing:
        add(simulator, certificate)
    assert "Application.ReadWrite.All" in writing.value.remedy
    assert writing.value.detail["request_id"]
    assert writing.value.detail["client_request_id"]
    assert writing.value.detail["error_code"] == "Authorization_RequestDenied"


def test_dates_that_are_not_the_certificates_are_rejected(
    simulator: Simulator, certificate: Certificate
) -> None:
    later = replace(certificate, not_after=certificate.not_after.replace(year=2099))

    with pytest.raises(Rejected, match="end date"):
        add(simulator, later)

    assert simulator.effects() == []


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"fault": "status", "status": 401}, Refused, "401"),
        ({"fault": "status", "status": 404}, Missing, "404"),
        ({"fault": "status", "status": 409}, Conflict, "409"),
        ({"fault": "status", "status": 429, "retry_after": 1.5}, Throttled, "429"),
        ({"fault": "status", "status": 500}, Rejected, "500"),
        ({"fault": "status", "status": 503, "retry_after": 2}, Throttled, "503"),
        ({"fault": "status", "status": 504}, Unreachable, "504"),
        ({"fault": "html"}, Garbled, "GARBLED"),
        ({"fault": "garbled"}, Garbled, "GARBLED"),
        ({"fault": "truncated"}, Garbled, "GARBLED"),
        ({"fault": "drop"}, Unreachable, "DROPPED"),
    ],
)
def test_trouble_while_reading_has_its_class(
    simulator: Simulator, fault: dict[str, object], kind: type[GatewayError], code: str
) -> None:
    graph = simulator.graph()
    simulator.dial("graph", **fault)  # type: ignore[arg-type]

    with pytest.raises(kind) as failed:
        graph.organization()

    assert failed.value.code == f"SSS-GRAPH-{code}"
    assert failed.value.retry_after_s == fault.get("retry_after")
    assert graph.organization().id == simulator.tenant_id


def test_a_change_without_an_answer_may_have_happened(
    simulator: Simulator, certificate: Certificate
) -> None:
    simulator.dial("graph", "drop", match="^PATCH ", after=True)

    with pytest.raises(Unreachable) as unreachable:
        add(simulator, certificate)

    assert unreachable.value.sent
    assert len(simulator.effects()) == 1
    assert not add(simulator, certificate)


def test_a_change_that_never_left_did_not_happen(simulator: Simulator) -> None:
    graph = simulator.graph()
    found = graph.service_principal()
    graph.close()
    simulator.dial("graph", "refused")

    with pytest.raises(Unreachable) as unreachable:
        graph.set_principal_names(found.id, [NAME])

    assert not unreachable.value.sent
    assert unreachable.value.detail["sent"] == "no"


def test_no_error_shows_a_token_or_a_query(simulator: Simulator) -> None:
    tokens = simulator.tokens()
    value = tokens.token().value
    graph = simulator.graph()
    simulator.dial(
        "graph",
        "status",
        status=400,
        message=f"Bad {value} in https://graph.microsoft.com/v1.0/servicePrincipals?$filter=secret",
    )

    with pytest.raises(Rejected) as rejected:
        graph.service_principal()

    shown = f"{rejected.value} {rejected.value.detail}"
    assert value[:40] not in shown
    assert "$filter=secret" not in shown
    assert base64.b64encode(b"x").decode() not in shown
