"""The functions of the contract, in its order."""

from __future__ import annotations

from simulator.crm_servers.call import Change, Look
from simulator.crm_servers.functions.authorization_server import SET_AUTHORIZATION_SERVER
from simulator.crm_servers.functions.certificate_state import SET_CERTIFICATE_STATE
from simulator.crm_servers.functions.egress import TEST_EGRESS
from simulator.crm_servers.functions.get_certificate import GET_CERTIFICATE
from simulator.crm_servers.functions.get_deployment import GET_DEPLOYMENT
from simulator.crm_servers.functions.get_operation import GET_OPERATION
from simulator.crm_servers.functions.get_server import GET_SERVER
from simulator.crm_servers.functions.install_certificate import INSTALL_CERTIFICATE
from simulator.crm_servers.functions.key_reader import SET_KEY_READER
from simulator.crm_servers.functions.organization_tenant import SET_ORGANIZATION_TENANT
from simulator.crm_servers.functions.restart_service import RESTART_SERVICE
from simulator.crm_servers.functions.token_issuer import SET_TOKEN_ISSUER
from simulator.crm_servers.functions.transfer_file import CLEAR_TRANSFER_FILE

CONTRACT: tuple[Look | Change, ...] = (
    GET_SERVER,
    GET_CERTIFICATE,
    GET_DEPLOYMENT,
    TEST_EGRESS,
    GET_OPERATION,
    INSTALL_CERTIFICATE,
    SET_KEY_READER,
    SET_CERTIFICATE_STATE,
    SET_TOKEN_ISSUER,
    SET_AUTHORIZATION_SERVER,
    SET_ORGANIZATION_TENANT,
    RESTART_SERVICE,
    CLEAR_TRANSFER_FILE,
)
