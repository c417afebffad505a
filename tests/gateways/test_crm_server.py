from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.errors import (
    BadInput,
    Conflict,
    Garbled,
    GatewayError,
    Missing,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from sync_setup.gateways.identifiers import (
    OperationId,
    OrganizationId,
    Sha256,
    TenantId,
    Thumbprint,
)
from sync_setup.gateways.remoting import AccountSecret
from sync_setup.gateways.remoting_sign_in import CertificateSignIn, PasswordSignIn
from tests.gateways.conftest import Certificate
from tests.gateways.simulated import ASYNC, TOOLS, Simulator, order


def test_the_endpoint_is_proved_and_the_server_described(simulator: Simulator) -> None:
    with simulator.server() as server:
        described = server.connect()

        assert described.run_as_kind == "GroupManagedServiceAccount"
        assert "DeploymentTools" in described.roles
        assert server.can_change
        assert server.get_server() == described


def test_a_client_certificate_signs_in(simulator: Simulator) -> None:
    account = simulator.account("winrm_user/change")
    key = Path(account["key"]).read_bytes()
    sign_in = CertificateSignIn(Path(account["certificate"]).read_bytes(), key)

    with simulator.server(sign_in=sign_in) as server:
        server.connect()
        assert server.can_change

    assert "PRIVATE" not in repr(sign_in)
    with pytest.raises(BadInput) as bad:
        simulator.server(sign_in=CertificateSignIn(b"none", key)).connect()
    assert "PRIVATE" not in str(bad.value)


def test_the_look_role_looks_and_cannot_change(simulator: Simulator) -> None:
    with simulator.server(user="winrm_user/look") as server:
        server.connect()
        assert not server.can_change
        assert server.get_certificates()
        with pytest.raises(Refused) as refused:
            server.clear_transfer_files(order())

    assert refused.value.code == "SSS-WINRM-LOOK-ONLY"
    assert simulator.effects() == []


def test_certificates_are_read_all_or_one(simulator: Simulator) -> None:
    with simulator.server() as server:
        (certificate, *_) = server.get_certificates()
        (same,) = server.get_certificates(certificate.thumbprint)
        with pytest.raises(Missing) as missing:
            server.get_certificates(Thumbprint("A" * 40))

    assert same == certificate
    assert certificate.key_spec == 1
    assert missing.value.code == "SSS-WINRM-CertificateNotFound"


def test_the_deployment_is_read_on_the_tools_server_only(simulator: Simulator) -> None:
    with simulator.server() as server:
        deployment = server.get_deployment()
        sales = next(o for o in deployment.organizations if o.unique_name == "ContosoSales")
        detailed = server.get_deployment(sales.id)
        with pytest.raises(Missing) as missing:
            server.get_deployment(OrganizationId(str(uuid.uuid4())))
    with simulator.server(ASYNC) as server, pytest.raises(Refused) as refused:
        server.get_deployment()

    assert {s.name for s in deployment.servers} == {TOOLS, ASYNC}
    assert deployment.token_issuer is not None
    assert detailed.organizations
    assert missing.value.code == "SSS-WINRM-OrganizationNotFound"
    assert refused.value.code == "SSS-WINRM-NotDeploymentTools"


def test_egress_is_tested_from_the_server(simulator: Simulator) -> None:
    with simulator.server(ASYNC) as server:
        egress = server.test_egress("Global")
        with pytest.raises(BadInput):
            server.test_egress("Moon")

    assert "outlook.office365.com" in {reached.host for reached in egress.endpoints}


def test_settings_are_written_once_and_put_back(simulator: Simulator) -> None:
    change = order()
    with simulator.server() as server:
        written = server.set_authorization_server(
            change, cloud="Global", expect_principal_id="", expect_metadata_url=""
        )
        again = server.set_authorization_server(
            change, cloud="Global", expect_principal_id="", expect_metadata_url=""
        )
        with pytest.raises(Conflict) as unexpected:
            server.set_authorization_server(
                order(), cloud="GccHigh", expect_principal_id="", expect_metadata_url=""
            )
        restored = server.set_authorization_server(
            order(),
            restore=change.operation_id,
            expect_principal_id=written.after.principal_id,
            expect_metadata_url=written.after.metadata_url,
        )

    assert (written.changed, written.replayed, again.replayed) == (True, False, True)
    assert written.before.principal_id == ""
    assert (
        written.after.metadata_url == "https://accounts.accesscontrol.windows.net/metadata/json/1"
    )
    assert unexpected.value.code == "SSS-WINRM-UnexpectedState"
    assert unexpected.value.detail["changed"] == "No"
    assert restored.after == written.before
    assert len(simulator.effects()) == 2


def test_an_organizations_tenant_is_written_for_exactly_that_name(simulator: Simulator) -> None:
    tenant = TenantId(simulator.tenant_id)
    with simulator.server() as server:
        sales = server.get_deployment().organizations[0]
        written = server.set_organization_tenant(
            order(),
            organization_id=sales.id,
            unique_name=sales.unique_name,
            tenant_id=tenant,
            expect_tenant_id=None,
        )
        restored = server.set_organization_tenant(
            order(),
            organization_id=sales.id,
            unique_name=sales.unique_name,
            restore=written.operation_id,
            expect_tenant_id=tenant,
        )
        with pytest.raises(Missing) as wrong_case:
            server.set_organization_tenant(
                order(),
                organization_id=sales.id,
                unique_name=sales.unique_name.lower(),
                tenant_id=tenant,
                expect_tenant_id=None,
            )

    assert (written.before.s2s_tenant_id, written.after.s2s_tenant_id) == (None, tenant)
    assert restored.after.s2s_tenant_id is None
    assert wrong_case.value.code == "SSS-WINRM-OrganizationNotFound"


@pytest.mark.parametrize(
    "name", ["'; & calc", "$(calc)", "`n", 'a"b', "a\nb", "\u2019", "a" * 65, "a\x00b", ""]
)
def test_a_name_with_power_shell_in_it_binds_to_nothing(simulator: Simulator, name: str) -> None:
    with simulator.server() as server:
        sales = server.get_deployment().organizations[0]
        with pytest.raises((Rejected, Garbled)):
            server.set_organization_tenant(
                order(),
                organization_id=sales.id,
                unique_name=name,
                tenant_id=TenantId(simulator.tenant_id),
                expect_tenant_id=None,
            )

    assert simulator.effects() == []


def test_the_token_issuer_is_changed_to_what_the_server_has(
    simulator: Simulator, certificate: Certificate
) -> None:
    with simulator.server() as server:
        issuer = server.get_deployment().token_issuer
        assert issuer is not None
        gone = server.set_token_issuer(
            order(), certificate_der=None, expect_thumbprint=issuer.thumbprint
        )
        back = server.set_token_issuer(order(), certificate_der=issuer.raw, expect_thumbprint=None)
        with pytest.raises(Missing) as missing:
            server.set_token_issuer(
                order(), certificate_der=certificate.der, expect_thumbprint=issuer.thumbprint
            )

    assert missing.value.code == "SSS-WINRM-CertificateNotFound"
    assert gone.after.token_issuer is None
    assert back.after.token_issuer is not None
    assert back.after.token_issuer.thumbprint == issuer.thumbprint


def test_readers_and_standing_of_a_certificate_are_changed(simulator: Simulator) -> None:
    with simulator.server(ASYNC) as server:
        (certificate, *_) = server.get_certificates()
        archived = server.set_certificate_state(
            order(), thumbprint=certificate.thumbprint, state="Archived", expect="Active"
        )
        active = server.set_certificate_state(
            order(), thumbprint=certificate.thumbprint, state="Active", expect="Archived"
        )
        readers = server.set_key_reader(
            order(), thumbprint=certificate.thumbprint, roles=["AsyncService"], access="Read"
        )
        with pytest.raises(Rejected) as not_here:
            server.set_key_reader(
                order(), thumbprint=certificate.thumbprint, roles=["WebApplication"], access="Read"
            )

    assert archived.after.state == "Archived"
    assert active.after.state == "Active"
    assert not readers.changed
    assert readers.before == readers.after
    assert not_here.value.code == "SSS-WINRM-RoleNotHere"
    assert not_here.value.changed == "No"


def test_a_service_is_restarted_only_if_it_is_older(simulator: Simulator) -> None:
    simulator.set("winrm/restart_seconds", 0.05)
    with simulator.server(ASYNC) as server:
        began = server.get_server()
        service = next(s for s in began.services if s.service == "Async")
        assert service.started_at is not None
        kept = server.restart_service(
            order(), service="Async", only_if_started_before=service.started_at
        )
        restarted = server.restart_service(
            order(),
            service="Async",
            only_if_started_before=service.started_at + timedelta(seconds=1),
        )
        with pytest.raises(Missing) as missing:
            server.restart_service(
                order(), service="WebApplicationPool", only_if_started_before=service.started_at
            )
        files = server.clear_transfer_files(order())

    assert not kept.changed
    assert restarted.changed
    assert restarted.after.process_id != restarted.before.process_id
    assert missing.value.code == "SSS-WINRM-ServiceMissing"
    assert files.after.files == 0


def test_a_certificate_is_installed_and_its_password_travels_sealed(
    simulator: Simulator, certificate: Certificate
) -> None:
    thumbprint, sha256 = certificate.thumbprint, certificate.sha256
    pfx, password = certificate.pfx, certificate.password
    with simulator.server(ASYNC) as server:
        with pytest.raises(Rejected) as wrong:
            server.install_certificate(
                order(),
                pfx=pfx,
                transport_password="another",
                thumbprint=thumbprint,
                sha256=sha256,
                grant_read=["AsyncService"],
            )
        installed = server.install_certificate(
            order(),
            pfx=pfx,
            transport_password=password,
            thumbprint=thumbprint,
            sha256=sha256,
            grant_read=["AsyncService"],
        )
        state = server.get_operation(installed.operation_id)

    assert wrong.value.code == "SSS-WINRM-PasswordWrong"
    assert not installed.before.present
    assert installed.after.certificate is not None
    assert installed.after.certificate.thumbprint == thumbprint
    assert state.state == "Done"
    assert state.stored_result is not None
    assert state.stored_result["Changed"] is True
    assert password not in str(simulator.effects())


def test_an_older_fence_another_portal_and_other_values_are_conflicts(
    simulator: Simulator,
) -> None:
    change = order(fence=7)
    with simulator.server() as server:
        server.clear_transfer_files(change)
        with pytest.raises(Conflict) as stale:
            server.clear_transfer_files(order(fence=6))
        with pytest.raises(Conflict) as mismatch:
            server.set_key_reader(
                change, thumbprint=Thumbprint("A" * 40), roles=["WebApplication"], access="Read"
            )
        foreign = replace(order(fence=9), portal_id="99999999-3a52-4a6b-9f0d-2f4f6b1c0a11")
        with pytest.raises(Refused) as wrong:
            server.clear_transfer_files(foreign)

    assert stale.value.code == "SSS-WINRM-StaleFence"
    assert mismatch.value.code == "SSS-WINRM-OperationMismatch"
    assert wrong.value.code == "SSS-WINRM-WrongPortal"


def test_after_a_lost_answer_the_server_tells_what_became_of_it(simulator: Simulator) -> None:
    change = order()
    with simulator.server(read_timeout_s=2.0) as server:
        server.connect()
        simulator.dial("winrm:CRM-APP01", "drop", match="Set-SssAuthorizationServer", after=True)
        with pytest.raises(Unreachable) as lost:
            server.set_authorization_server(
                change, cloud="Global", expect_principal_id="", expect_metadata_url=""
            )
        assert lost.value.sent
        assert server.after_lost_answer(change.operation_id, settled=True) == "done"
        with pytest.raises(Conflict) as drift:
            server.after_lost_answer(change.operation_id, settled=False)
        assert server.after_lost_answer(OperationId(str(uuid.uuid4())), settled=False) == "send"

    assert drift.value.code == "SSS-WINRM-DRIFT"
    assert len(simulator.effects()) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "code", "effects"),
    [
        ({"fault": "status", "status": 401}, Refused, "SIGN-IN", 0),
        ({"fault": "status", "status": 403}, Refused, "403", 0),
        ({"fault": "status", "status": 404}, Missing, "404", 0),
        ({"fault": "status", "status": 429}, Throttled, "429", 0),
        ({"fault": "status", "status": 500}, Rejected, "500", 0),
        ({"fault": "status", "status": 503}, Throttled, "503", 0),
        ({"fault": "status", "status": 504}, Unreachable, "504", 0),
        ({"fault": "html"}, Garbled, "GARBLED", 0),
        ({"fault": "timeout_before"}, Unreachable, "TIMEOUT", 0),
        ({"fault": "timeout_after"}, Unreachable, "TIMEOUT", 1),
        ({"fault": "drop"}, Unreachable, "DROPPED", 0),
        ({"fault": "drop", "after": True}, Unreachable, "DROPPED", 1),
        ({"fault": "garbled"}, Garbled, "GARBLED", 1),
        ({"fault": "truncated"}, Garbled, "GARBLED", 1),
    ],
)
def test_trouble_with_a_change_has_its_class_and_the_next_call_works(
    simulator: Simulator,
    fault: dict[str, object],
    kind: type[GatewayError],
    code: str,
    effects: int,
) -> None:
    with simulator.server(read_timeout_s=1.5) as server:
        server.connect()
        simulator.dial("winrm:CRM-APP01", match="Set-SssAuth", **fault)  # type: ignore[arg-type]

        with pytest.raises(kind) as failed:
            server.set_authorization_server(
                order(), cloud="Global", expect_principal_id="", expect_metadata_url=""
            )

        assert failed.value.code == f"SSS-WINRM-{code}"
        if isinstance(failed.value, Unreachable):
            assert failed.value.sent
        elif not isinstance(failed.value, Garbled):
            # The command was on its way: no status says that it did not run.
            assert failed.value.detail["changed"] == "Unknown"
        if isinstance(failed.value, Rejected):
            assert failed.value.changed == "Unknown"
        assert len(simulator.effects()) == effects
        assert server.get_server().fqdn


def test_a_server_that_nothing_listens_on_was_never_asked(simulator: Simulator) -> None:
    with simulator.server() as server:
        server.connect()
        simulator.dial("winrm:CRM-APP01", "refused")
        with pytest.raises(Unreachable) as cut:
            server.clear_transfer_files(order())
        with pytest.raises(Unreachable) as never:
            server.clear_transfer_files(order())
        simulator.undial()
        server.clear_transfer_files(order())

    assert cut.value.system == "CRM server CRM-APP01"
    assert (never.value.code, never.value.sent) == ("SSS-WINRM-UNREACHABLE", False)


def test_a_call_that_takes_too_long_is_given_up_and_not_stopped(simulator: Simulator) -> None:
    simulator.dial("winrm:CRM-APP01", "latency", match="Set-SssAuth", seconds=3)
    change = order()
    with simulator.server(deadline_s=1.5, read_timeout_s=2.0) as server:
        with pytest.raises(Unreachable) as late:
            server.set_authorization_server(
                change, cloud="Global", expect_principal_id="", expect_metadata_url=""
            )
        assert late.value.sent
        assert late.value.code == "SSS-WINRM-TIMEOUT"
        # The command still waits on the server; sending it again is safe: whichever comes second
        # gets the stored result of the first.
        assert server.after_lost_answer(change.operation_id, settled=False) == "send"
        repeated = server.set_authorization_server(
            change, cloud="Global", expect_principal_id="", expect_metadata_url=""
        )
    assert repeated.changed
    assert len(simulator.effects()) == 1


def test_a_change_that_still_runs_is_waited_for(simulator: Simulator) -> None:
    simulator.set("winrm/restart_seconds", 1.0)
    change = order()
    with (
        simulator.server(ASYNC) as worker,
        simulator.server(ASYNC) as watcher,
        ThreadPoolExecutor(1) as thread,
    ):
        running = thread.submit(
            worker.restart_service,
            change,
            service="Async",
            only_if_started_before=datetime(2100, 1, 1, tzinfo=UTC),
        )
        states = set()
        while not running.done():
            states.add(watcher.get_operation(change.operation_id).state)
            if "Running" in states:
                assert watcher.after_lost_answer(change.operation_id, settled=False) == "wait"
                break
        assert running.result().changed
        assert watcher.after_lost_answer(change.operation_id, settled=True) == "done"

    assert "Running" in states


def test_a_session_that_ended_on_the_server_is_opened_and_proved_again(
    simulator: Simulator,
) -> None:
    with simulator.server() as server:
        server.connect()
        pool = server._endpoint._session._pool
        assert pool is not None
        pool.shell.wsman.delete(pool.shell.resource_uri, selector_set=pool.shell._selector_set)

        server.set_authorization_server(
            order(), cloud="Global", expect_principal_id="", expect_metadata_url=""
        )

    assert len(simulator.effects()) == 1


def test_a_pfx_as_long_as_the_contract_allows_arrives(
    simulator: Simulator, certificate: Certificate
) -> None:
    with simulator.server(ASYNC) as server, pytest.raises(Rejected) as rejected:
        server.install_certificate(
            order(),
            pfx=bytes(range(256)) * 400,
            transport_password="x",
            thumbprint=certificate.thumbprint,
            sha256=certificate.sha256,
            grant_read=["AsyncService"],
        )

    assert rejected.value.code in {"SSS-WINRM-PasswordWrong", "SSS-WINRM-CertificateMismatch"}


def test_who_may_not_use_the_endpoint_is_refused(simulator: Simulator) -> None:
    account = simulator.account("winrm_user/change")
    with pytest.raises(Refused) as nobody:
        simulator.server(user="winrm_user/none").connect()
    with pytest.raises(Refused) as wrong:
        simulator.server(sign_in=PasswordSignIn(account["username"], "wrong-password")).connect()

    assert nobody.value.code == "SSS-WINRM-ACCESS-DENIED"
    assert wrong.value.code == "SSS-WINRM-SIGN-IN"
    assert "wrong-password" not in f"{wrong.value} {wrong.value.detail}"


def test_kerberos_without_its_library_says_what_to_install(simulator: Simulator) -> None:
    with pytest.raises(BadInput, match="Kerberos"):
        simulator.server(sign_in=PasswordSignIn("a", "b", kerberos=True)).connect()


def test_a_server_without_the_endpoint_is_told_what_to_install(simulator: Simulator) -> None:
    with pytest.raises(Missing) as missing:
        simulator.server(configuration="Nothing").connect()

    assert missing.value.code == "SSS-WINRM-NO-ENDPOINT"
    assert "Install-SssPortal" in missing.value.remedy


def test_a_module_other_than_the_planned_one_is_refused(simulator: Simulator) -> None:
    with simulator.server() as server:
        sha256 = server.get_server().module_sha256
    with simulator.server(module_sha256=sha256) as server:
        server.connect()
    with (
        simulator.server(module_sha256=Sha256("0" * 64)) as server,
        pytest.raises(Refused) as other,
    ):
        server.get_certificates()

    assert other.value.code == "SSS-WINRM-MODULE"


def test_a_virtual_account_cannot_ask_the_deployment(simulator: Simulator) -> None:
    simulator.arrange("deployment/servers/0/run_as_kind", "VirtualAccount")
    administrator = simulator.account("deployment_administrator")
    account = AccountSecret(administrator["username"], administrator["password"])

    with simulator.server() as server, pytest.raises(Refused) as refused:
        server.get_deployment()
    with simulator.server(account=account) as server:
        deployment = server.get_deployment()

    assert refused.value.code == "SSS-WINRM-NotDeploymentAdministrator"
    assert "gMSA" in refused.value.remedy
    assert deployment.organizations
    assert administrator["password"] not in repr(account)
