"""Links at the other end: web servers that sign too, Exchange Online, its mailbox."""

from __future__ import annotations

from simulator.chain.missing import Missing
from simulator.deployment import Deployment
from simulator.dynamics.database import Database, Record
from simulator.entra.state import CRM_APP_ID, ExchangeMailbox, Tenant


def application_pools(deployment: Deployment) -> Missing | None:
    """Web servers sign too (Test Connection), so their pool account must read the key."""
    # GUESS: the mailbox test itself runs in the asynchronous service; here the web servers' readers
    # belong to "really in place" too.
    issuer = deployment.token_issuer
    for server in deployment.servers_in_role("WebApplication"):
        pool = server.running("WebApplicationPool")
        stored = server.certificate(issuer.thumbprint) if issuer else None
        if pool is None or issuer is None:
            continue
        if stored is None or stored.archived:
            text = f"{server.name}: the token issuer certificate is missing. Private key not found"
            return Missing("web.certificate", text, server.name)
        if not stored.is_read_by(pool.account):
            text = f"{server.name}: CrmAppPool ({pool.account}): Keyset does not exist"
            return Missing("web.reader", text, server.name)
    return None


def exchange_online(tenant: Tenant, database: Database, mailbox: Record) -> Missing | None:
    """Exchange Online: the profile's tenant, EWS, the mailbox."""
    exchange, address = tenant.exchange, str(mailbox.get("emailaddress")).lower()
    profile = database.find("emailserverprofile", str(mailbox.get("_emailserverprofile_value")))
    named = str(profile.get("exchangeonlinetenantid") or "") if profile else ""
    if profile and not profile.get("usedefaulttenantid") and named.lower() != tenant.id:
        text = f"The tenant '{named}' of the profile does not match the tenant of the organization."
        return Missing("profile.tenant", text)
    if exchange.ews_enabled is False:
        text = "X-EWS-Policy-Reason: EWS is disabled for this user or tenant"
        return Missing("exchange.ews", text)
    allowed = [part.strip() for part in (exchange.ews_allowed_app_ids or "").split(",")]
    if exchange.ews_enabled and CRM_APP_ID not in allowed:
        text = "X-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant"
        return Missing("exchange.allowlist", text)
    found: ExchangeMailbox | None = exchange.mailboxes.get(address)
    if found is None:
        text = (
            "Email Server Error Code: Exchange server returned ErrorNonExistentMailbox error: The"
            f" SMTP address has no mailbox associated with it ({address})."
        )
        return Missing("exchange.mailbox", text)
    if not found.is_ews_enabled:
        text = "X-EWS-Policy-Reason: EWS is disabled for this user or tenant"
        return Missing("exchange.mailbox_ews", text)
    return None
