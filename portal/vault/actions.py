"""Seal, open, destroy."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from portal.access.models import Person, Scope
from portal.audit import events
from portal.audit.record import record
from portal.errors import NotFound
from portal.vault import keys
from portal.vault.models import Secret
from portal.vault.sealed import Sealed
from portal.vault.uses import still_used, without_a_row

events.register(
    {
        "secret.sealed": "sealed a secret",
        "secret.destroyed": "destroyed a secret",
    }
)
# A change window may lie seven days ahead; what nobody used by then is destroyed.
WAITING_LIFE = timedelta(days=8)
# A replaced connection secret is not looked for sooner, whatever transaction it was made in.
SETTLED = timedelta(minutes=10)
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


# Outermost, without names: it masks the frames of the transaction and of the ciphers too.
@sensitive_variables()
@transaction.atomic
def seal_secret(
    value: bytes, *, kind: str, label: str, by: Person | None, scope: Scope | None = None
) -> Secret:
    """Keep a secret that only workers can open again.

    :param label: what it is, in words for a person ("PFX file", "setup app client secret"); never a part of it.
    """
    public = keys.sealing_key()
    secret = Secret(kind=kind, label=label, scope=scope, made_by=by, key_id=keys.key_id(public))
    data_key, nonce = AESGCM.generate_key(256), os.urandom(12)
    secret.ciphertext = nonce + AESGCM(data_key).encrypt(nonce, value, secret.binding)
    secret.sealed_data_key = _SUITE.encrypt(data_key, public, info=secret.binding)
    secret.save(force_insert=True)
    if kind == Secret.Kind.JOB:
        keep_for_plan([str(secret.pk)])
    record("secret.sealed", secret, by=by, scope=scope, label=label, kind=kind)
    return secret


@sensitive_variables()
def open_secret(secret: Secret) -> Sealed:
    """Open a secret, in a worker, and note its use.

    :raises NotFound: when it was destroyed, or these keys do not open it.
    """
    if secret.sealed_data_key is None or secret.ciphertext is None:
        raise NotFound(
            f"The {secret.label} is gone: it was destroyed after its job, or because its plan waited too long.",
            remedy="Upload it again and make a new plan.",
            code="SSS-SECRET-GONE",
        )
    try:
        data_key = _SUITE.decrypt(
            bytes(secret.sealed_data_key), keys.opening_key(), info=secret.binding
        )
        sealed = bytes(secret.ciphertext)
        value = AESGCM(data_key).decrypt(sealed[:12], sealed[12:], secret.binding)
    except (InvalidTag, ValueError):  # ValueError: a part was cut short
        raise NotFound(
            f"The {secret.label} does not open with this worker's key.",
            remedy="Give the worker the opening key that belongs to the portal's sealing key.",
            code="SSS-SECRET-KEY",
        ) from None
    Secret.objects.filter(pk=secret.pk).update(used_at=Now())
    return Sealed(value)


def waiting_life() -> timedelta:
    """Give how long a job secret waits for the next thing to happen to its plan: to be sent, approved or started."""
    return max(WAITING_LIFE, timedelta(days=1, seconds=settings.APPROVAL_LIFE_S))


def keep_for_plan(secret_ids: Collection[str]) -> None:
    """Keep job secrets as long from now as a plan may wait for its next stage. Never shortens; repeat it at each.

    Inside the caller's transaction, before ``missing``: what is there then stays, because destroying
    what is due looks at the row's end again.
    """
    until = Now() + waiting_life()
    kept = Secret.objects.filter(pk__in=secret_ids, kind=Secret.Kind.JOB, destroyed_at=None)
    kept.filter(Q(destroy_at=None) | Q(destroy_at__lt=until)).update(destroy_at=until)


def missing(secret_ids: Collection[str]) -> list[str]:
    """Say which of the secrets that a plan names are destroyed: with one of them gone it cannot be carried out.

    :return: their labels ("PFX file"), in the order of ``secret_ids``; "secret" for one without a row.
    """
    rows = Secret.objects.in_bulk(list(secret_ids))
    found = {str(pk): row for pk, row in rows.items()}
    return [
        found[name].label if name in found else "secret"
        for name in map(str, secret_ids)
        if name not in found or found[name].destroyed_at is not None
    ]


def destroy_after_job(secret_ids: Collection[str]) -> None:
    """Note that job secrets are to go, JOB_SECRET_LIFE_S from now. Inside the transaction that ends the job.

    What another unfinished job names stays until that one ends.
    """
    let_go = set(secret_ids) - still_used(secret_ids)
    Secret.objects.filter(pk__in=let_go, kind=Secret.Kind.JOB, destroyed_at=None).update(
        destroy_at=Now() + timedelta(seconds=settings.JOB_SECRET_LIFE_S)
    )


@transaction.atomic
def destroy_secrets(secrets: Iterable[Secret], *, by: Person | None, only_due: bool = False) -> int:
    """Take the values out of these rows for good; the rows stay for history.

    :param only_due: spare those whose end has been moved on since they were read.
    :return: how many were destroyed now.
    """
    still = Q(destroy_at__lte=Now()) if only_due else Q()
    count = 0
    for secret in secrets:
        gone = Secret.objects.filter(still, pk=secret.pk, destroyed_at=None).update(
            sealed_data_key=None, ciphertext=None, destroyed_at=Now()
        )
        if gone:
            count += 1
            record("secret.destroyed", secret, by=by, scope=secret.scope, label=secret.label)
    return count


def destroy_due_secrets() -> int:
    """Destroy the job secrets whose time has come (a duty of the watch)."""
    due = Secret.objects.filter(destroy_at__lte=Now(), destroyed_at=None)[:500]
    return destroy_secrets(list(due), by=None, only_due=True)


def destroy_retired_secrets() -> int:
    """Destroy connection secrets that were replaced and that nothing unfinished names (a duty of the watch)."""
    retired = without_a_row().filter(
        kind=Secret.Kind.CONNECTION, destroyed_at=None, made_at__lt=Now() - SETTLED
    )
    found = {str(secret.pk): secret for secret in retired[:500]}
    used = still_used(found.keys())
    return destroy_secrets([row for pk, row in found.items() if pk not in used], by=None)
