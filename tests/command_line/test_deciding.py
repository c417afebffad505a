"""Sending, approving and turning down at a command line: the rules of the pages, word for word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from portal.access.models import Person, Role
from portal.jobs import actions
from portal.jobs.actions import sending_of
from portal.jobs.claim import database_clock
from portal.jobs.models import Approval, Job
from portal.jobs.states import JobState
from sync_setup.command_line.deciding import instant_of
from tests.command_line.conftest import Draft
from tests.command_line.running import refused, sss
from tests.web.paper import carry_out_checks


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def digest_of(job: Job) -> str:
    assert job.plan is not None
    return job.plan.digest


def read_of(job: Job) -> tuple[str, ...]:
    """The options by which an approver names what they have read."""
    job.refresh_from_db(fields=["sent_at"])
    return ("--digest", digest_of(job), "--sent", sending_of(job))


def test_a_plan_is_sent_and_approved(draft: Draft, mira: Person, jonas: Person) -> None:
    job = draft()

    sent = sss("request", "J-1", "--reason", "The red hurts.", "--ticket", "CHG-1", "--as", "mira")
    done = sss(
        *("approve", "1", *read_of(job), "--proof", "7e42"),
        *("--comment", "Tonight.", "--as", "jonas", "--json"),
    )

    assert sent.code == 0
    assert sent.out.startswith("J-1 sent for approval.\n\nJ-1  Awaiting approval  Paint: Contoso")
    assert done.code == 0
    told = done.json
    assert (told["job"], told["state"], told["state_word"]) == ("J-1", "approved", "Approved")
    assert (told["reason"], told["ticket"]) == ("The red hurts.", "CHG-1")
    (decision,) = told["decisions"]
    assert (decision["decision"], decision["approver"]) == ("approved", "jonas")
    assert decision["comment"] == "Tonight."
    assert decision["decided_at"].endswith("Z")
    approval = Approval.objects.get()
    assert (approval.approver, approval.digest) == (jonas, digest_of(job))


def test_nobody_approves_what_they_asked_for(waiting: Job, mira: Person) -> None:
    mira.grants.create(role=Role.APPROVER, source="portal")
    mira.grants.create(role=Role.ADMIN, source="portal")

    code, error = refused("approve", "J-1", *read_of(waiting), "--proof", "7E42", "--as", "mira")

    assert (code, error["code"]) == (3, "SSS-OWN-REQUEST")
    assert error["state_now"] == "Nothing was changed."
    assert state_of(waiting) == JobState.AWAITING_APPROVAL
    assert not Approval.objects.exists()


def test_nobody_approves_a_certificate_they_brought(
    draft: Draft, mira: Person, jonas: Person
) -> None:
    job = actions.send_for_approval(draft(uploader=jonas.pk), by=mira, reason="because")

    code, error = refused("approve", "J-1", *read_of(job), "--proof", "7E42", "--as", "jonas")

    assert (code, error["code"]) == (3, "SSS-OWN-CERTIFICATE")


@pytest.mark.parametrize("proof", ["", "0000", "7E4", "7E421"])
def test_a_wrong_proof_approves_nothing(waiting: Job, jonas: Person, proof: str) -> None:
    code, error = refused("approve", "J-1", *read_of(waiting), "--proof", proof, "--as", "jonas")

    assert (code, error["code"], error["field"]) == (2, "SSS-PROOF", "proof")
    assert state_of(waiting) == JobState.AWAITING_APPROVAL


@pytest.mark.parametrize("cut", [0, 8, 63])
def test_a_digest_counts_in_full(waiting: Job, jonas: Person, cut: int) -> None:
    code, error = refused(
        *("approve", "J-1", "--digest", digest_of(waiting)[:cut], "--sent", sending_of(waiting)),
        *("--proof", "7E42", "--as", "jonas"),
    )

    assert (code, error["code"]) == (4, "SSS-PLAN-CHANGED")
    assert state_of(waiting) == JobState.AWAITING_APPROVAL


def test_a_plan_that_was_made_anew_is_not_the_one_that_was_read(
    waiting: Job, mira: Person, jonas: Person
) -> None:
    read = read_of(waiting)
    job = actions.withdraw_job(waiting, by=mira)
    job = actions.change_inputs(job, by=mira, colour="blue")
    job = carry_out_checks(actions.ask_for_checks(job, by=mira))
    actions.send_for_approval(job, by=mira, reason="because")

    code, error = refused("approve", "J-1", *read, "--proof", "7E42", "--as", "jonas")

    assert (code, error["code"]) == (4, "SSS-PLAN-CHANGED")
    assert state_of(waiting) == JobState.AWAITING_APPROVAL


def test_the_same_plan_sent_again_is_not_what_was_read(
    waiting: Job, mira: Person, jonas: Person
) -> None:
    def approve() -> list[str]:
        told = sss("show", "J-1", "--as", "jonas").out.splitlines()[-1]
        assert told.endswith(" --proof …")
        return [*told.removesuffix("…").split()[2:], "7E42", "--as", "jonas"]

    read = approve()
    actions.send_for_approval(actions.withdraw_job(waiting, by=mira), by=mira, reason="Another.")

    code, error = refused(*read)
    again = sss(*approve())

    assert (code, error["code"]) == (4, "SSS-PLAN-CHANGED")
    assert again.code == 0


def test_what_was_sent_when_is_to_be_named(waiting: Job, jonas: Person) -> None:
    with pytest.raises(CommandError, match="--sent"):
        sss("approve", "J-1", "--digest", digest_of(waiting), "--proof", "7E42", "--as", "jonas")

    assert state_of(waiting) == JobState.AWAITING_APPROVAL


def test_a_window_that_has_passed_is_said_before_and_at_the_approval(
    waiting: Job, jonas: Person
) -> None:
    ended = timezone.now() - timedelta(minutes=1)
    start = ended - timedelta(hours=1)
    Job.objects.update(window_starts_at=start, window_ends_at=ended)

    told = sss("show", "J-1", "--as", "jonas").out
    code, error = refused("approve", "J-1", *read_of(waiting), "--proof", "7E42", "--as", "jonas")

    assert "The change window has passed" in told
    assert "sss approve" not in told
    assert (code, error["code"], error["field"]) == (2, "SSS-WINDOW-PASSED", "window")
    assert "Send it back" in " ".join(error["fix"])
    assert state_of(waiting) == JobState.AWAITING_APPROVAL


def test_an_unknown_outcome_is_looked_at_again_or_settled_by_what_a_person_found(
    approved: Job, jonas: Person, vera: Person
) -> None:
    Job.objects.update(state=JobState.OUTCOME_UNKNOWN)

    again = sss("continue", "J-1", "--as", "jonas")
    short = refused("settle", "J-1", "--found", "there", "--as", "jonas")
    other = refused("settle", "J-1", "--found", "The profile is there.", "--as", "vera")
    done = sss("settle", "J-1", "--found", "The profile is there.", "--as", "jonas", "--json")

    assert "looks again; nothing is changed by it" in again.out
    assert (short[0], short[1]["field"]) == (2, "found")
    assert (other[0], other[1]["code"]) == (3, "SSS-ROLE")
    assert done.code == 0
    assert (done.json["state"], done.json["note"]) == ("failed", "The profile is there.")


def test_a_plan_is_decided_once(waiting: Job, jonas: Person) -> None:
    given, sent = ("--digest", digest_of(waiting), "--as", "jonas"), sending_of(waiting)
    assert sss("reject", "J-1", "--comment", "No.", *given).code == 0

    code, error = refused("approve", "J-1", "--sent", sent, "--proof", "7E42", *given)

    assert (code, error["code"]) == (4, "SSS-PLAN-CHANGED")
    assert state_of(waiting) == JobState.REJECTED


def test_deciding_needs_the_role(waiting: Job, vera: Person) -> None:
    for verb in ("reject", "send-back"):
        code, error = refused(
            verb, "J-1", "--comment", "No.", "--digest", digest_of(waiting), "--as", "vera"
        )

        assert (code, error["code"]) == (3, "SSS-ROLE")


def test_jobs_of_others_are_not_there(waiting: Job, outsider: Person) -> None:
    verbs = (
        ("approve", "J-1", *read_of(waiting), "--proof", "7E42"),
        ("settle", "J-1", "--found", "It is there."),
        ("show", "J-1"),
        ("status", "J-1"),
        ("withdraw", "J-1"),
        ("continue", "J-1"),
        ("history", "J-1"),
        ("checks", "J-1", "--again"),
    )

    for verb in verbs:
        code, error = refused(*verb, "--as", "outsider")

        assert (code, error["message"]) == (2, "There is no job J-1 for you.")
    assert sss("status", "--as", "outsider", "--json").json == {"jobs": []}


def test_a_plan_goes_back_and_is_discarded(waiting: Job, mira: Person, jonas: Person) -> None:
    given = ("--digest", digest_of(waiting), "--comment", "Use green ink.", "--as", "jonas")

    back = sss("send-back", "J-1", *given)
    gone = sss("discard", "J-1", "--as", "mira")

    assert "Sent back by Jonas" in back.out
    assert "Use green ink." in back.out
    assert gone.out.startswith("J-1 discarded.")
    assert state_of(waiting) == JobState.CANCELLED


def test_a_draft_without_a_plan_is_not_sent(draft: Draft, mira: Person) -> None:
    draft(wet=True)

    code, error = refused("request", "J-1", "--reason", "because", "--as", "mira")

    assert (code, error["message"]) == (4, "There is no plan to send.")


def test_a_reason_is_more_than_blanks(draft: Draft, mira: Person) -> None:
    job = draft()

    code, error = refused("request", "J-1", "--reason", "  ", "--as", "mira")

    assert (code, error["field"]) == (2, "reason")
    assert state_of(job) == JobState.DRAFT


def test_a_change_window_is_kept_as_that_instant(draft: Draft, mira: Person) -> None:
    job = draft()
    day = database_clock() + timedelta(days=2)
    window = (f"{day:%Y-%m-%d}T13:00", f"{day:%Y-%m-%d}T14:30")

    ended = sss(
        *("request", "J-1", "--reason", "because", "--window", *window),
        *("--time-zone", "America/New_York", "--as", "mira", "--json"),
    )

    wanted = [instant_of(text, "America/New_York").astimezone(UTC) for text in window]
    kept = Job.objects.get(pk=job.pk)
    assert [kept.window_starts_at, kept.window_ends_at] == wanted
    assert ended.json["window"]["starts_at"] == f"{wanted[0]:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("2000-01-01T20:00Z", "2000-01-01T22:00Z", ""),
        ("9998-01-01T20:00Z", "9998-01-01T22:00Z", ""),
        ("2026-11-28T20:00", "2026-11-28T22:00", ""),
        ("tonight", "2026-11-28T22:00", "Europe/Berlin"),
        ("2026-11-28T20:00", "2026-11-28T22:00", "Middle/Earth"),
        ("2026-11-28T20:00", "2026-11-28T22:00", "../../etc/passwd"),
    ],
)
def test_a_change_window_that_lies_wrong_sends_nothing(
    draft: Draft, mira: Person, start: str, end: str, zone: str
) -> None:
    job = draft()
    zones = ("--time-zone", zone) if zone else ()

    code, error = refused(
        *("request", "J-1", "--reason", "because", "--window", start, end, *zones, "--as", "mira")
    )

    assert (code, error["field"]) == (2, "window")
    assert error["fix"]
    assert state_of(job) == JobState.DRAFT


@pytest.mark.parametrize("text", ["2026-10-25T02:30", "2027-03-28T02:30"])
def test_the_hour_that_clocks_repeat_or_skip_needs_its_offset(text: str) -> None:
    with pytest.raises(Exception, match="twice, or never"):
        instant_of(text, "Europe/Berlin")

    assert instant_of("2026-10-25T02:30+02:00", "Europe/Berlin").astimezone(UTC) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert instant_of("2026-10-25T03:00", "Europe/Berlin").astimezone(UTC) == datetime(
        2026, 10, 25, 2, 0, tzinfo=UTC
    )
