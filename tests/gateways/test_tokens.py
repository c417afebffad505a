from __future__ import annotations

from pathlib import Path

import pytest

from portal.errors import BadInput, Garbled, Missing, Refused, Throttled, Unreachable
from sync_setup.gateways.claims import WRITE_ROLES, check_claims
from sync_setup.gateways.identifiers import AppId, TenantId
from sync_setup.gateways.tokens import AppTokens, EntraApp
from tests.gateways.simulated import Simulator


def test_a_secret_gives_a_token_that_says_whose_it_is(simulator: Simulator) -> None:
    token = simulator.tokens().token()

    assert token.tenant_id == simulator.tenant_id
    assert token.app_id == simulator.app().app_id
    assert set(token.roles) >= WRITE_ROLES
    assert token.is_fresh()
    assert token.value not in repr(token)
    check_claims(token, TenantId(simulator.tenant_id), WRITE_ROLES)


def test_a_certificate_gives_a_token(simulator: Simulator) -> None:
    setup = simulator.addresses["setup_app"]
    app = EntraApp(
        AppId(setup["client_id"]),
        certificate_pem=Path(setup["certificate"]).read_bytes(),
        private_key_pem=Path(setup["key"]).read_bytes(),
    )

    token = AppTokens(simulator.cloud(), "contoso.example", app).token()

    assert token.tenant_id == simulator.tenant_id
    assert "PRIVATE" not in repr(app)


def test_a_fresh_token_is_used_again_and_a_new_one_only_when_asked(simulator: Simulator) -> None:
    tokens = simulator.tokens()

    first = tokens.token()
    simulator.dial("entra", "status", status=500, times=-1)

    assert tokens.token() is first
    with pytest.raises(Exception, match="500"):
        tokens.new_token()


def test_a_token_about_to_end_is_not_used_again(simulator: Simulator) -> None:
    simulator.set("entra/token_seconds", 60)
    tokens = simulator.tokens()

    assert tokens.token() is not tokens.token()


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("tenants/0/applications/1/client_id", "00000000-0000-4000-8000-000000000001", "700016"),
        ("tenants/0/applications/1/secrets/0/value", "another secret", "7000215"),
        ("tenants/0/applications/1/secrets/0/expires_at", "2020-01-01T00:00:00.000Z", "7000222"),
    ],
)
def test_a_refused_app_is_named_by_its_aadsts_number(
    simulator: Simulator, path: str, value: str, code: str
) -> None:
    app, original = simulator.app(), simulator.look(path)
    simulator.arrange(path, value)

    with pytest.raises(Refused) as refused:
        simulator.tokens().token()

    simulator.arrange(path, original)  # secrets outlive a reset of the simulator
    error = refused.value
    assert error.code == f"SSS-ENTRA-AADSTS{code}"
    assert error.remedy
    assert error.detail["trace_id"]
    assert app.secret not in f"{error} {error.remedy} {error.detail}"


def test_a_tenant_that_is_not_there_is_missing(simulator: Simulator) -> None:
    with pytest.raises(Missing) as missing:
        simulator.tokens(tenant="nowhere.example").token()

    assert missing.value.code == "SSS-ENTRA-AADSTS90002"


def test_an_app_of_another_tenant_is_not_found_in_ours(simulator: Simulator) -> None:
    with pytest.raises(Refused) as refused:
        simulator.tokens("other_tenant").token()

    assert refused.value.code == "SSS-ENTRA-AADSTS700016"


def test_a_token_of_another_tenant_is_refused(simulator: Simulator) -> None:
    other = simulator.addresses["other_tenant"]["tenant_id"]
    token = simulator.tokens("other_tenant", other).token()

    with pytest.raises(Refused) as refused:
        check_claims(token, TenantId(simulator.tenant_id), WRITE_ROLES)

    assert refused.value.code == "SSS-ENTRA-TENANT"
    assert other in str(refused.value)


def test_an_app_without_consent_gets_a_token_without_roles(simulator: Simulator) -> None:
    token = simulator.tokens("setup_app_without_permission").token()

    with pytest.raises(Refused) as refused:
        check_claims(token, TenantId(simulator.tenant_id), WRITE_ROLES)

    assert refused.value.code == "SSS-ENTRA-ROLES"
    assert "Application.ReadWrite.All" in refused.value.remedy


@pytest.mark.parametrize("tenant", ["", "../common", "a b", "tenant?x=1", "x" * 300, "-a.b", "a/b"])
def test_what_is_no_tenant_never_reaches_a_url(simulator: Simulator, tenant: str) -> None:
    with pytest.raises(BadInput):
        AppTokens(simulator.cloud(), tenant, simulator.app())


def test_an_app_needs_a_credential_that_can_be_read(simulator: Simulator) -> None:
    with pytest.raises(BadInput):
        AppTokens(simulator.cloud(), simulator.tenant_id, EntraApp(AppId("x")))
    broken = EntraApp(AppId("x"), certificate_pem=b"nothing", private_key_pem=b"s3cret")
    with pytest.raises(BadInput) as bad:
        AppTokens(simulator.cloud(), simulator.tenant_id, broken).token()
    assert "s3cret" not in str(bad.value)


@pytest.mark.parametrize("path", ["openid-configuration", "/token"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"fault": "status", "status": 429, "retry_after": 3}, Throttled),
        ({"fault": "status", "status": 503}, Throttled),
        ({"fault": "status", "status": 504}, Unreachable),
        ({"fault": "drop"}, Unreachable),
        ({"fault": "html"}, Garbled),
        ({"fault": "garbled"}, Garbled),
        ({"fault": "truncated"}, Garbled),
    ],
)
def test_trouble_of_the_sign_in_host_has_its_class(
    simulator: Simulator, path: str, fault: dict[str, object], kind: type[Exception]
) -> None:
    simulator.dial("entra", match=path, times=-1, **fault)  # type: ignore[arg-type]

    with pytest.raises(kind):
        simulator.tokens().token()


def test_a_sign_in_host_that_is_not_there_was_never_asked(simulator: Simulator) -> None:
    simulator.dial("entra", "refused")

    with pytest.raises(Unreachable) as unreachable:
        simulator.tokens().token()

    assert not unreachable.value.sent
