"""The functions of the SssPortal endpoint, a file each."""

from __future__ import annotations

from simulator.crm_servers.call import Change, Look
from simulator.crm_servers.functions.get_certificate import GET_CERTIFICATE
from simulator.crm_servers.functions.get_deployment import GET_DEPLOYMENT
from simulator.crm_servers.functions.get_operation import GET_OPERATION
from simulator.crm_servers.functions.get_server import GET_SERVER
from simulator.crm_servers.functions.token_issuer import SET_TOKEN_ISSUER

CONTRACT: tuple[Look | Change, ...] = (
    GET_SERVER,
    GET_CERTIFICATE,
    GET_DEPLOYMENT,
    GET_OPERATION,
    SET_TOKEN_ISSUER,
)
