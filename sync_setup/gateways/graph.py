"""Microsoft Graph: the tenant, its licences, and the principal of Dynamics CRM on-premises."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from portal.errors import Conflict, Missing, Rejected
from sync_setup.gateways.clouds import Cloud
from sync_setup.gateways.directory import KeyCredential, ServicePrincipal, Sku, Tenant
from sync_setup.gateways.failures import garbled
from sync_setup.gateways.graph_session import GRAPH, GraphSession, read
from sync_setup.gateways.identifiers import CRM_APP_ID, AppId, KeyId, ServicePrincipalId
from sync_setup.gateways.key_list import (
    as_metadata,
    as_public_keys,
    is_not_updatable,
    new_entry,
    refuse_other_certificate,
)
from sync_setup.gateways.odata import Query, checked_id, compare
from sync_setup.gateways.tokens import TokenSource

MISSING_PRINCIPAL = (
    "Acquire the free Dynamics 365 Hybrid Connector for this tenant, wait until its principal has "
    "appeared, and check again."
)


class Graph:
    """What the portal asks of Microsoft Graph."""

    def __init__(self, cloud: Cloud, tokens: TokenSource) -> None:
        self._session = GraphSession(cloud, tokens)

    def organization(self) -> Tenant:
        """The tenant that the token is for.

        :raises Refused: the app lacks Organization.Read.All.
        :source: https://learn.microsoft.com/graph/api/organization-list
        """
        select = ("id", "displayName", "verifiedDomains", "tenantType", "onPremisesSyncEnabled")
        rows = list(self._session.rows(f"/organization{Query(select=select).encoded()}"))
        if len(rows) != 1:
            raise garbled(GRAPH, f"it lists {len(rows)} organizations, not one")
        return read(Tenant.read, rows[0])

    def subscribed_skus(self) -> tuple[Sku, ...]:
        """The licences of the tenant.

        :raises Refused: the app lacks Organization.Read.All.
        :source: https://learn.microsoft.com/graph/api/subscribedsku-list
        """
        return tuple(read(Sku.read, row) for row in self._session.rows("/subscribedSkus"))

    def service_principal(self, app_id: AppId = CRM_APP_ID) -> ServicePrincipal:
        """The principal of an application in this tenant.

        :raises Missing: there is none; for Dynamics CRM this means that the Hybrid Connector was
            never acquired.
        :raises Refused: the app lacks Application.Read.All.
        :source: https://learn.microsoft.com/graph/api/serviceprincipal-list
        """
        select = ("id", "appId", "displayName", "accountEnabled", "servicePrincipalNames")
        query = Query(select=select, filter=compare("appId", "eq", app_id))
        found = list(self._session.rows(f"/servicePrincipals{query.encoded()}"))
        if not found:
            raise Missing(
                f"The tenant has no principal for the application {app_id}.",
                remedy=MISSING_PRINCIPAL if app_id == CRM_APP_ID else "Check the application id.",
                code=GRAPH.code("NO-PRINCIPAL"),
                system=GRAPH.system,
                detail={"app_id": app_id},
            )
        return read(ServicePrincipal.read, found[0])

    def principal_names(self, principal: ServicePrincipalId) -> tuple[str, ...]:
        """The servicePrincipalNames of a principal."""
        query = Query(select=("id", "servicePrincipalNames")).encoded()
        row = self._session.get(f"/servicePrincipals/{checked_id(principal)}{query}")
        return read(ServicePrincipal.read, row).names

    def key_credentials(self, principal: ServicePrincipalId) -> tuple[KeyCredential, ...]:
        """The key credentials of a principal, with the public bytes.

        Asked of the single object: in a list, and without $select, Graph gives ``key`` as null.

        :source: https://learn.microsoft.com/graph/api/resources/keycredential
        """
        query = Query(select=("id", "keyCredentials", "servicePrincipalNames")).encoded()
        row = self._session.get(f"/servicePrincipals/{checked_id(principal)}{query}")
        keys = row.get("keyCredentials")
        if not isinstance(keys, list):
            raise garbled(GRAPH, "it has no list of key credentials")
        return tuple(read(KeyCredential.read, key) for key in keys)

    def add_key_credential(
        self,
        principal: ServicePrincipalId,
        *,
        key_id: KeyId,
        certificate_der: bytes,
        display_name: str,
        not_before: datetime,
        not_after: datetime,
        known: Collection[KeyId] = (),
    ) -> bool:
        """Let a principal be recognised by this certificate too.

        Keeps every credential already there: Graph replaces the whole list on PATCH, so the list is
        read, extended and sent back (see `key_list`). Graph has no ETag for this: whoever calls
        holds the tenant's lock and looks again afterwards, until the list is stable.

        :param key_id: chosen by the caller, the same on every try, so that a repeated call cannot
            add a second entry.
        :param certificate_der: the public certificate; the private key is never sent.
        :param not_before: the certificate's own dates, with time zone; Graph refuses others.
        :param known: keys that the caller has seen; a list without one of them is an old one.
        :return: whether anything was sent.
        :raises Conflict: the list read now is older than what the caller saw, or the id is taken.
        :raises Refused: the app lacks Application.ReadWrite.All, or a policy forbids the credential.
        :raises Rejected: Graph takes neither encoding of the credentials that must stay.
        :source: https://learn.microsoft.com/graph/api/serviceprincipal-update
        """
        keys = self._complete(principal, known)
        entry = new_entry(key_id, certificate_der, display_name, not_before, not_after)
        if any(key.key_id == key_id for key in keys):
            refuse_other_certificate(keys, key_id, certificate_der)
            return False
        self._replace(principal, keys, [entry])
        return True

    def remove_key_credential(
        self, principal: ServicePrincipalId, key_id: KeyId, *, known: Collection[KeyId] = ()
    ) -> bool:
        """Take one credential away and keep all others.

        :return: whether it was there.
        :raises Conflict: the list read now is older than what the caller saw.
        """
        keys = self._complete(principal, known)
        kept = tuple(key for key in keys if key.key_id != key_id)
        if len(kept) == len(keys):
            return False
        self._replace(principal, kept, [])
        return True

    def add_principal_name(
        self, principal: ServicePrincipalId, name: str, *, known: Collection[str]
    ) -> bool:
        """Add one name to the servicePrincipalNames of a principal and keep all others.

        Graph replaces the whole list and has no ETag for it.

        :param known: all names, as the caller has seen them; they are what is sent back. A list read
            again here could be an older one, and names that it lacks would be lost.
        :return: whether anything was sent.
        """
        if name.lower() in {one.lower() for one in known}:
            return False
        self.set_principal_names(principal, (*known, name))
        return True

    def set_principal_names(self, principal: ServicePrincipalId, names: Sequence[str]) -> None:
        """Replace the servicePrincipalNames of a principal: all of them, for putting a list back."""
        payload = {"servicePrincipalNames": list(names)}
        self._session.patch(f"/servicePrincipals/{checked_id(principal)}", payload)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _complete(
        self, principal: ServicePrincipalId, known: Collection[KeyId]
    ) -> tuple[KeyCredential, ...]:
        keys = self.key_credentials(principal)
        if lost := set(known) - {key.key_id for key in keys}:
            raise Conflict(
                "Microsoft Graph still answers with an older list of key credentials.",
                remedy="Wait a minute and look again; nothing was changed.",
                code=GRAPH.code("OLD-LIST"),
                system=GRAPH.system,
                detail={"not_listed": ", ".join(sorted(lost))},
            )
        return keys

    def _replace(
        self,
        principal: ServicePrincipalId,
        keys: Sequence[KeyCredential],
        more: Sequence[Mapping[str, object]],
    ) -> None:
        path = f"/servicePrincipals/{checked_id(principal)}"
        try:
            self._session.patch(path, {"keyCredentials": [*as_metadata(keys), *more]})
        except Rejected as error:
            if not is_not_updatable(error):
                raise
            again = as_public_keys(keys)
            if again is None:
                raise
            self._session.patch(path, {"keyCredentials": [*again, *more]})
