"""People, what they answer for (scopes) and what they may do there (roles)."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q


class Role(models.TextChoices):
    """What a person may do, in a scope or in all."""

    VIEWER = "viewer", "Viewer"
    REQUESTER = "requester", "Requester"
    APPROVER = "approver", "Approver"
    AUDITOR = "auditor", "Auditor"
    ADMIN = "admin", "Admin"


class People(BaseUserManager["Person"]):
    """Finds people by their user name, as Django's sign-in asks for them."""

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(username=username)


class Person(AbstractBaseUser):
    """Somebody who signs in. There is no superuser: roles say everything, and nobody stands above them."""

    username = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=150)
    # Issuer and subject of the identity provider name a person for good; user names can be given to others.
    issuer = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    is_break_glass = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[People] = People()
    USERNAME_FIELD = "username"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"],
                condition=~Q(subject=""),
                name="person_is_one_subject_of_one_issuer",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def initials(self) -> str:
        words = self.name.split() or [self.username]
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


class ScopeQuerySet(models.QuerySet["Scope"]):
    """Scopes, kept to those that somebody answers for."""

    def for_person(self, person: Person, *roles: str) -> ScopeQuerySet:
        """Keep the scopes in which this person holds any role, or one of ``roles`` where some are named."""
        grants = RoleGrant.objects.filter(person=person)
        if roles:
            grants = grants.filter(role__in=roles)
        if not person.is_active:
            return self.none()
        if grants.filter(scope=None).exists():
            return self
        return self.filter(pk__in=grants.values("scope_id"))


class Scope(models.Model):
    """What people answer for. An app makes one for each thing of its own; here: an organization.

    Jobs, history and roles point at scopes, so the platform need not know what they are.
    """

    kind = models.CharField(max_length=32)
    slug = models.SlugField(max_length=96, unique=True)
    title = models.CharField(max_length=200)
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopeQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title


class RoleGrant(models.Model):
    """A role of a person, in one scope or (scope empty) in all of them."""

    class Source(models.TextChoices):
        SIGN_IN = "sign-in", "Token of the last sign-in"
        PORTAL = "portal", "Given in the portal"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=16, choices=Role)
    scope = models.ForeignKey(
        Scope, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    source = models.CharField(max_length=8, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role", "scope", "source"],
                name="grant_once_in_a_scope",
            ),
            models.UniqueConstraint(
                fields=["person", "role", "source"],
                condition=Q(scope=None),
                name="grant_once_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} is {self.role} of {self.scope or 'everything'}"
