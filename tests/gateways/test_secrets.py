"""What the gateways are given in confidence shows up nowhere."""

from __future__ import annotations

import base64
import logging

import pytest

from portal.errors import GatewayError
from tests.gateways.conftest import Certificate
from tests.gateways.simulated import ASYNC, Simulator, order


def test_logs_at_debug_hold_no_secret(
    simulator: Simulator, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.arrange("deployment/claims_enabled", True)
    simulator.arrange("deployment/oauth_enabled", True)
    client = simulator.addresses["adfs_client"]["client_id"]
    crm, winrm = simulator.account("crm_user"), simulator.account("winrm_user/change")

    with caplog.at_level(logging.DEBUG):
        tokens = simulator.tokens()
        value = tokens.token().value
        simulator.graph().organization()
        for kind in ("2019", "2016"):
            simulator.dynamics(upn=True, client_id=client, adfs=kind).who_am_i()
        with simulator.server(ASYNC) as server:
            server.install_certificate(
                order(),
                pfx=certificate.pfx,
                transport_password=certificate.password,
                thumbprint=certificate.thumbprint,
                sha256=certificate.sha256,
                grant_read=["AsyncService"],
            )
            simulator.dial("winrm:CRM-APP02", "status", status=500, match="Install")
            with pytest.raises(GatewayError):
                server.install_certificate(
                    order(),
                    pfx=certificate.pfx,
                    transport_password=certificate.password,
                    thumbprint=certificate.thumbprint,
                    sha256=certificate.sha256,
                    grant_read=["AsyncService"],
                )

    secrets = [
        value[-40:],
        simulator.app().secret,
        crm["password"],
        winrm["password"],
        certificate.password,
        base64.b64encode(certificate.pfx[:60]).decode(),
    ]
    assert all(len(secret) >= 10 for secret in secrets)
    assert [secret for secret in secrets if secret in caplog.text] == []
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("planted").debug(secrets[0])
    assert secrets[0] in caplog.text
