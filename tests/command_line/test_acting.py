"""Who acts: --as where everything is simulated, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.jobs.models import Approval, Installation, Job
from tests.command_line.running import refused, sss


def test_in_a_rehearsal_a_name_is_enough(mira: Person) -> None:
    ended = sss("who-am-i", "--as", "mira", "--json")

    assert ended.code == 0
    assert ended.json == {
        "username": "mira",
        "name": "Mira",
        "is_active": True,
        "roles": [{"role": "requester", "organization": None, "source": "portal"}],
    }


def test_in_production_a_name_is_refused_whatever_the_verb(
    waiting: Job, jonas: Person, settings: Any
) -> None:
    Installation.objects.update(mode="production")
    # The environment of whoever starts the command decides nothing.
    settings.PORTAL_MODE = "rehearsal"
    assert waiting.plan is not None

    for verb in (
        ("approve", "J-1", "--digest", waiting.plan.digest, "--sent", "", "--proof", "7E42"),
        ("status",),
        ("who-am-i",),
        ("grant-role", "jonas", "admin"),
    ):
        code, error = refused(*verb, "--as", "jonas")

        assert (code, error["code"]) == (3, "SSS-AS")
        assert "not simulated" in error["message"]
        assert error["state_now"] == "Nothing was changed."
    assert not Approval.objects.exists()


def test_one_real_target_is_enough_to_refuse_names(mira: Person, scope: Scope) -> None:
    Scope.objects.create(kind="organization", slug="real", title="Real", is_simulated=False)

    assert refused("status", "--as", "mira")[0] == 3


@pytest.mark.parametrize("name", ["nobody", "MIRA", "mira ", "mira' OR 1=1 --"])
def test_a_name_that_nobody_has_is_unknown(mira: Person, name: str) -> None:
    code, error = refused("status", "--as", name)

    assert code == 2
    assert repr(name) in error["message"]


def test_a_disabled_account_acts_no_more(mira: Person) -> None:
    Person.objects.update(is_active=False)

    code, error = refused("status", "--as", "mira")

    assert (code, error["message"]) == (3, "This account is disabled in the portal.")


def test_without_an_identity_provider_nobody_can_sign_in(database_url: str, settings: Any) -> None:
    settings.SIGN_IN_AUTHORITY = ""

    code, error = refused("status")

    assert (code, error["code"]) == (2, "SSS-SIGN-IN-NOT-SET")


def test_history_says_that_a_command_did_it(waiting: Job, mira: Person) -> None:
    assert sss("withdraw", "J-1", "--as", "mira").code == 0

    entry = Entry.objects.get(event="job.withdrawn")
    assert (entry.actor, entry.via) == (mira, "command")
    assert entry.request_number
