from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Done, Gap, Look, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.directory import KeyCredential
from sync_setup.gateways.identifiers import KeyId, ServicePrincipalId
from sync_setup.settling import settling


class RegisterTokenCertificate(Step[SetupContext]):
    """Let Entra ID recognise the CRM servers by the new certificate. Only the public key is sent.

    Every key that is there stays: Graph replaces the whole list, so the list is read, extended and
    sent back.

    Source: https://learn.microsoft.com/graph/api/serviceprincipal-update
    """

    key = "register-token-certificate"
    title = "Add the public key to the CRM application"
    group = "Entra ID: application Dynamics CRM"
    system = "Microsoft Graph"
    undo = (
        "A plan of its own can remove the added key by its key id, once CRM signs with another one. "
        "The other keys are not taken away."
    )
    takes_back = True
    settle_s = settling(300.0)
    reads_may_be_stale = True
    seen_until = "hand-back-tenant-access"

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.tenant.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        certificate = context.chosen_certificate()
        principal = context.graph.service_principal()
        keys = context.graph.key_credentials(principal.id)
        ours = [key for key in keys if key.thumbprint == certificate.thumbprint]
        others = sorted(_entry(key) for key in keys if key.thumbprint != certificate.thumbprint)
        return Look(
            fields={
                "keyCredentials, others": others,
                _field_of(context): "present" if ours else None,
            },
            shown={"keys": [_shown(key) for key in keys], "principal": principal.id},
            made={"key_id": ours[0].key_id} if ours else {},
        )

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return dict(look.fields) | {_field_of(context): "present"}

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        certificate = context.chosen_certificate()
        order.log(f"Adds the key of …{certificate.thumbprint[-4:]}; keeps every other key.")
        context.graph.add_key_credential(
            ServicePrincipalId(look.shown["principal"]),
            # The same id at every attempt: a repeated PATCH cannot add a second entry.
            key_id=KeyId(str(order.operation("key"))),
            certificate_der=bytes(certificate.public_der),
            # Graph cuts names at 90 characters, and refuses updates of names with special ones.
            display_name=f"SSS Portal {certificate.thumbprint}",
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            # A list read anew without one of these is an older one, and would take it away.
            known=_ids(look),
        )

    def back(self, context: SetupContext, look: Look, done: Done) -> Mapping[str, Value]:
        ours = _field_of(context)
        stays = {ours: look.fields[ours]} if self._is_anothers(context, look, done) else {}
        return dict(super().back(context, look, done)) | stays

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        order.log(f"Removes the key {_key_id(done)}; keeps every other key.")
        principal = ServicePrincipalId(look.shown["principal"])
        context.graph.remove_key_credential(principal, _key_id(done), known=_ids(look))

    def foreign(self, context: SetupContext, look: Look, done: Done) -> list[str]:
        anothers = [_field_of(context)] if self._is_anothers(context, look, done) else []
        return sorted({*super().foreign(context, look, done), *anothers})

    def _is_anothers(self, context: SetupContext, look: Look, done: Done) -> bool:
        """Tell whether the certificate stands there by an entry that this job did not add."""
        thumbprint = context.chosen_certificate().thumbprint
        ids = {key["id"] for key in look.shown["keys"] if key["thumbprint"] == thumbprint}
        return bool(ids - {_key_id(done)})


def _field_of(context: SetupContext) -> str:
    return f"keyCredentials, {context.chosen_certificate().thumbprint}"


def _key_id(done: Done) -> KeyId:
    # Without a look after it, the id is still the one it was added with.
    return KeyId(done.made.get("key_id") or str(done.operation("key")))


def _ids(look: Look) -> list[KeyId]:
    return [KeyId(key["id"]) for key in look.shown["keys"]]


def _entry(key: KeyCredential) -> str:
    return f"{key.thumbprint or 'no thumbprint'} {key.key_id}"


def _shown(key: KeyCredential) -> dict[str, str]:
    return {
        "id": key.key_id,
        "thumbprint": key.thumbprint or "",
        "name": key.display_name,
        "ends": key.ends_at.isoformat() if key.ends_at else "",
    }
