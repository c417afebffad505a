from __future__ import annotations

import base64

import pytest

from portal.access.models import Person
from portal.jobs.models import Job, PlanStep
from portal.jobs.shown import plan_shown
from simulator.metadata import dynamics_rules
from sync_setup.command_line.words import plan_text
from sync_setup.presentation.plan_words import MAILBOX_OPTIONS, certificate_words
from sync_setup.presentation.profiles import OPTIONS
from sync_setup.steps.prove_pilot_mailbox import METHODS
from tests.web_setup.conftest import As
from tests.web_setup.world import Samples, plan


def planned(job: Job, key: str, **fields: object) -> Job:
    """Give the job a plan of one step with these fields and this evidence, and send it."""
    made = plan(job)
    PlanStep.objects.create(
        plan=made, position=1, key=key, title="Title", system="Toy", group="Group", **fields
    )
    Job.objects.update(state="awaiting_approval")
    return Job.objects.get(pk=job.pk)


def test_the_certificate_before_is_told_in_words_and_its_bytes_stay_kept(
    draft: Job, jonas: Person, as_: As, samples: Samples
) -> None:
    issued = samples.issued("before.contoso.example", 90)
    raw = base64.b64encode(issued.der).decode()
    job = planned(
        draft,
        "set-token-issuer",
        before={"S2STokenIssuer": issued.thumbprint_sha1},
        wanted={"S2STokenIssuer": "B" * 40},
        shown={"public certificate before": raw},
    )

    page = as_(jonas).get(f"/jobs/{job.name}/review/").content.decode()
    assert job.plan is not None
    text = plan_text(job.plan)

    ends = f"ends {issued.certificate.not_valid_after_utc:%-d %b %Y}"
    for told in (page, text):
        assert raw[:40] not in told
        assert "CN=before.contoso.example" in told
        assert ends in told
    assert PlanStep.objects.get().shown["public certificate before"] == raw


def test_what_is_no_certificate_is_written_as_any_other_value() -> None:
    assert certificate_words("AAAA") is None
    assert certificate_words(None) is None


def test_a_mailboxs_fields_have_labels_and_words_on_page_and_command_line(
    draft: Job, jonas: Person, as_: As
) -> None:
    job = planned(
        draft,
        "prove-pilot-mailbox",
        before={"incomingemaildeliverymethod": 1, "actdeliverymethod": 0},
        wanted={"incomingemaildeliverymethod": 2, "actdeliverymethod": 1},
        shown={},
    )

    page = as_(jonas).get(f"/jobs/{job.name}/review/").content.decode()
    assert job.plan is not None
    text = plan_text(job.plan)

    assert "Incoming email<small>incomingemaildeliverymethod</small>" in page
    words = "Server-Side Synchronization or Email Router [2]"
    assert words in page
    assert f"~ Incoming email (incomingemaildeliverymethod): {OUTLOOK} → {words}" in text


OUTLOOK = "Microsoft Dynamics 365 for Outlook [1]"


def test_the_numbers_say_what_the_entity_reference_says() -> None:
    for entity, tables in (("mailbox", MAILBOX_OPTIONS), ("emailserverprofile", OPTIONS)):
        rules = dynamics_rules()[entity]["options"]
        for name, table in tables.items():
            known = {int(value): word.lower() for value, word in rules[name].items()}
            assert known.items() <= {v: w.lower() for v, w in table.items()}.items(), name


@pytest.mark.parametrize("name", [*METHODS, "emailrouteraccessapproval"])
def test_every_field_of_the_pilot_that_is_written_has_words(draft: Job, name: str) -> None:
    job = planned(draft, "prove-pilot-mailbox", before={name: None}, wanted={name: 1}, shown={})

    assert job.plan is not None
    (line,) = plan_shown(job.plan).steps[0].lines
    assert line.raw == name
    assert (line.new or "").endswith(" [1]")
