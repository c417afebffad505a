"""Who still uses a secret. Whatever the end of one job lets go of, these are asked about first."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db.models import Exists, ForeignObjectRel, OuterRef, QuerySet

from portal.vault.models import Secret

# Takes ids of secrets, gives those of them that it uses.
Question = Callable[[frozenset[str]], Collection[str]]
_questions: list[Question] = []


def register_use(question: Question) -> None:
    """Have ``question`` asked before secrets are let go of: an app that names secrets elsewhere than by a foreign key."""
    if question not in _questions:
        _questions.append(question)


def still_used(secret_ids: Collection[str]) -> set[str]:
    """Give those of the ids that something unfinished names."""
    asked = frozenset(secret_ids)
    found: set[str] = set()
    for question in _questions:
        if left := asked - found:
            found |= set(question(left))
    return found & asked


def without_a_row() -> QuerySet[Secret]:
    """Give the secrets that no row of any app points at by a foreign key."""
    found = Secret.objects.all()
    for relation in Secret._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):
            rows = relation.related_model._default_manager.filter(
                **{relation.field.name: OuterRef("pk")}
            )
            found = found.exclude(Exists(rows))
    return found
