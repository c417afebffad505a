from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from portal.access.models import Person
from portal.audit.models import Entry
from portal.audit.record import record
from portal.jobs.models import Job
from portal.paging import SIZE
from tests.web.conftest import As


def test_the_history_says_who_did_what_in_both_zones(approved: Job, ana: Person, as_: As) -> None:
    text = as_(ana).get(reverse("audit:list")).text

    assert "approved exactly this plan" in text
    assert "sent the plan for approval" in text
    assert "Jonas<small>command line</small>" in text
    assert " UTC</time></small>" in text
    assert "Time (Europe/Berlin)" in text
    assert approved.plan is not None
    assert f"plan {approved.plan.digest[:8]}" in text


def test_it_keeps_what_is_asked_for(approved: Job, mira: Person, ana: Person, as_: As) -> None:
    browser = as_(ana)

    def count(**query: str) -> int:
        return browser.get(reverse("audit:list"), query).text.count('class="act"')

    total = Entry.objects.count()
    assert count() == total
    assert count(job=approved.name) == total
    assert count(job=str(approved.number + 1)) == 0
    assert count(event="job.approved") == 1
    assert count(person="mira") == Entry.objects.filter(actor=mira).count()
    assert count(scope="contoso") == total
    assert count(since=str(timezone.localdate() + timedelta(days=2))) == 0
    assert count(until=str(timezone.localdate() - timedelta(days=2))) == 0
    assert count(since=str(timezone.localdate() - timedelta(days=2))) == total


def test_a_filter_that_is_not_understood_says_so(approved: Job, ana: Person, as_: As) -> None:
    text = as_(ana).get(reverse("audit:list"), {"job": "x9"}).text

    assert "<title>Error: History" in text
    assert "Write it like J-1042." in text


def test_pages_go_on_by_key_so_that_new_lines_shift_nothing(
    approved: Job, mira: Person, ana: Person, as_: As
) -> None:
    browser = as_(ana)

    def more() -> None:
        with transaction.atomic():
            for _ in range(SIZE):
                record("job.drafted", approved, by=mira, scope=approved.scope)

    more()
    newest = Entry.objects.latest("pk").pk
    first = browser.get(reverse("audit:list")).context["page"]
    more()
    second = browser.get(reverse("audit:list"), {"before": first.older}).context["page"]
    back = browser.get(reverse("audit:list"), {"after": second.newer}).context["page"]

    assert first.rows[0].pk == newest
    assert second.rows[0].pk == first.rows[-1].pk - 1
    assert second.older is None
    assert [row.pk for row in back.rows] == [row.pk for row in first.rows]
    assert back.newer == newest


def test_a_line_that_changed_something_shows_before_and_after(
    approved: Job, ana: Person, as_: As
) -> None:
    step = approved.steps.select_related("planned").get(position=1)
    with transaction.atomic():
        line = record(
            "step.kept",
            step,
            by=None,
            scope=approved.scope,
            job_number=approved.number,
            position=1,
            before={"colour": "red"},
            after={"colour": "green"},
        )

    text = as_(ana).get(reverse("audit:entry", args=[line.pk])).text

    assert "SSS Portal verified a step" in text
    assert "Before → after" in text
    assert "<del>red</del> → <ins>green</ins>" in text
    assert f'href="/history/?job={approved.name}"' in text


def test_lines_of_no_organization_are_for_auditors(mira: Person, ana: Person, as_: As) -> None:
    with transaction.atomic():
        line = record("person.signed_in", mira, by=mira, roles=["Sss.Requester"])
    address = reverse("audit:entry", args=[line.pk])

    assert as_(mira).get(address).status_code == 404
    assert "Sss.Requester" in as_(ana).get(address).text
