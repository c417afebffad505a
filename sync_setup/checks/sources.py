"""Where the checks have their facts from: pages of Microsoft."""

from __future__ import annotations

_LEARN = "https://learn.microsoft.com/"
_ON_PREMISES = f"{_LEARN}dynamics365/customerengagement/on-premises/"

CONNECT = f"{_ON_PREMISES}admin/connect-dynamics-365-on-premises-exchange-online"
TROUBLESHOOTING = f"{_ON_PREMISES}admin/troubleshooting-monitoring-server-side-synchronization"
SHAREPOINT = f"{_ON_PREMISES}admin/on-prem-server-based-sharepoint-on-prem"
DEPLOYMENT_ADMINISTRATORS = f"{_ON_PREMISES}deploy/deployment-administrators"
WEB_API_SIGN_IN = f"{_ON_PREMISES}developer/authenticate-web-api"
MAILBOX = f"{_ON_PREMISES}developer/entities/mailbox"
PROFILE = f"{_ON_PREMISES}developer/entities/emailserverprofile"
ORGANIZATION = f"{_ON_PREMISES}developer/entities/organization"
SYSTEM_USER = f"{_ON_PREMISES}developer/entities/systemuser"
SYNC_WITH_ONE = f"{_ON_PREMISES}admin/when-would-want-use-check-box"

CLIENT_CREDENTIALS = f"{_LEARN}entra/identity-platform/v2-oauth2-client-creds-grant-flow"
ERROR_CODES = f"{_LEARN}entra/identity-platform/reference-error-codes"
SUBSCRIBED_SKUS = f"{_LEARN}graph/api/subscribedsku-list"
SERVICE_PRINCIPALS = f"{_LEARN}graph/api/serviceprincipal-list"
KEY_CREDENTIAL = f"{_LEARN}graph/api/resources/keycredential"
GRAPH_ORGANIZATION = f"{_LEARN}graph/api/organization-list"

JEA_SESSIONS = f"{_LEARN}powershell/scripting/security/remoting/jea/session-configurations"
JEA_SECURITY = f"{_LEARN}powershell/scripting/security/remoting/jea/security-considerations"
GET_CRM_SERVER = f"{_LEARN}powershell/module/microsoft.crm.powershell/get-crmserver"
GET_CRM_ORGANIZATION = f"{_LEARN}powershell/module/microsoft.crm.powershell/get-crmorganization"
SET_CRM_CERTIFICATE = f"{_LEARN}powershell/module/microsoft.crm.powershell/set-crmcertificate"
TLS = f"{_LEARN}dotnet/framework/network-programming/tls"
