"""Verbs by which a plan is sent, decided about, taken back, and let go on."""

from __future__ import annotations

import zoneinfo
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime

from portal.command_line.outcome import Outcome
from portal.errors import BadInput
from portal.jobs import actions, steering
from portal.jobs.models import Approval, Job
from portal.jobs.states import JobState
from sync_setup.command_line.facts import decision_facts, job_facts
from sync_setup.command_line.places import job_for
from sync_setup.command_line.verb import Call, Verb, add_job
from sync_setup.command_line.waiting import fresh
from sync_setup.command_line.words import job_text, moment


def _request_arguments(parser: ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument("--reason", required=True, help="why; the approver decides by it")
    parser.add_argument("--ticket", default="", help="number of the change ticket")
    parser.add_argument(
        "--window",
        nargs=2,
        metavar=("START", "END"),
        help="change window, such as 2026-11-28T20:00 2026-11-28T23:00; at most 7 days ahead",
    )
    parser.add_argument(
        "--time-zone",
        metavar="ZONE",
        help="zone of the window, such as Europe/Berlin; needed unless both times carry an offset",
    )


def _request(call: Call) -> Outcome:
    window = call.options["window"]
    zone = call.options["time_zone"]
    job = actions.send_for_approval(
        job_for(call.by, call.options["job"]),
        by=call.by,
        reason=call.options["reason"],
        ticket=call.options["ticket"],
        window=(instant_of(window[0], zone), instant_of(window[1], zone)) if window else None,
    )
    return _told(job, f"{job.name} sent for approval.")


def instant_of(text: str, zone: str | None) -> datetime:
    """Read a time of a change window.

    :param zone: IANA name of the zone of a time without an offset.
    :raises BadInput: for what is no time, has no zone, or falls into the hour that clocks skip or repeat.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_window(f"{text!r} is no time.", "Write it like 2026-11-28T20:00.") from None
    if read.tzinfo is not None:
        return read
    if not zone:
        raise _bad_window(
            f"{text} could be the time of any place.",
            "Name its zone: --time-zone Europe/Berlin. Or add the offset: 2026-11-28T20:00+01:00.",
        )
    try:
        there = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise _bad_window(
            f"There is no time zone {zone!r}.", "Write it like Europe/Berlin."
        ) from None
    local = read.replace(tzinfo=there)
    if local.utcoffset() != local.replace(fold=1).utcoffset() or not _exists(local):
        raise _bad_window(
            f"At {text} the clocks of {zone} are changed: this time is twice, or never.",
            "Give it with its offset: 2026-10-25T02:30+02:00.",
        )
    return local


def _exists(local: datetime) -> bool:
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def _bad_window(message: str, remedy: str) -> BadInput:
    return BadInput(message, remedy=remedy, field="window")


def _add_digest(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--digest", required=True, metavar="SHA256", help="of the plan you have read, in full"
    )


def _approve_arguments(parser: ArgumentParser) -> None:
    add_job(parser)
    _add_digest(parser)
    parser.add_argument(
        "--proof",
        default="",
        metavar="XXXX",
        help="last 4 characters of the new certificate's thumbprint, from whoever issued it",
    )
    parser.add_argument(
        "--sent",
        required=True,
        metavar="INSTANT",
        help="when what you have read was sent, as sss show tells it",
    )
    parser.add_argument("--comment", default="", help="the requester reads it")


def _approve(call: Call) -> Outcome:
    job = job_for(call.by, call.options["job"])
    approval = actions.approve_job(
        job,
        by=call.by,
        digest=call.options["digest"],
        proof=call.options["proof"],
        comment=call.options["comment"],
        sent=call.options["sent"],
    )
    text = f"{job.name} approved: exactly this plan, for one run, begun by {moment(approval.start_by)}."
    return _told(job, text)


def _turn_down_arguments(parser: ArgumentParser) -> None:
    add_job(parser)
    _add_digest(parser)
    parser.add_argument("--comment", required=True, help="the requester reads it")


def _turn_down(action: Callable[..., Approval], word: str) -> Callable[[Call], Outcome]:
    def carry_out(call: Call) -> Outcome:
        job = job_for(call.by, call.options["job"])
        action(job, by=call.by, digest=call.options["digest"], comment=call.options["comment"])
        return _told(job, f"{job.name} {word}.")

    return carry_out


def _withdraw(call: Call) -> Outcome:
    job = actions.withdraw_job(job_for(call.by, call.options["job"]), by=call.by)
    return _told(job, f"{job.name} taken back. It is a draft again.")


def _discard(call: Call) -> Outcome:
    job = actions.discard_draft(job_for(call.by, call.options["job"]), by=call.by)
    return _told(job, f"{job.name} discarded.")


def _continue(call: Call) -> Outcome:
    job = steering.continue_job(job_for(call.by, call.options["job"]), by=call.by)
    only_looks = job.state == JobState.OUTCOME_UNKNOWN
    words = "looks again; nothing is changed by it." if only_looks else "goes on: it looks first."
    return _told(job, f"{job.name} {words}")


def _settle_arguments(parser: ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument(
        "--found",
        required=True,
        metavar="TEXT",
        help="what is there now, as you saw it at the system itself; at least 10 characters",
    )


def _settle(call: Call) -> Outcome:
    job = job_for(call.by, call.options["job"])
    steering.settle_by_person(job, by=call.by, found=call.options["found"])
    return _told(job, f"{job.name} has ended with what you found.")


def _told(job: Job, text: str) -> Outcome:
    found = fresh(job)
    facts = job_facts(found) | {"decisions": decision_facts(found)}
    return Outcome(facts, f"{text}\n\n{job_text(found)}")


VERBS = (
    Verb("request", "Send a plan to the approvers.", _request_arguments, _request),
    Verb("withdraw", "Take a plan back before anybody decided.", add_job, _withdraw),
    Verb("discard", "Throw a draft away, and its secrets.", add_job, _discard),
    Verb("approve", "Approve exactly one plan, as its approver.", _approve_arguments, _approve),
    Verb(
        "send-back",
        "Give a plan back to its requester.",
        _turn_down_arguments,
        _turn_down(actions.send_back_job, "sent back"),
    ),
    Verb(
        "reject",
        "Say no to a plan; the job ends.",
        _turn_down_arguments,
        _turn_down(actions.reject_job, "rejected"),
    ),
    Verb(
        "continue",
        "Say that what the job asked for is done, or have it look again.",
        add_job,
        _continue,
    ),
    Verb(
        "settle",
        "Record what you found where the outcome is unknown; the job ends.",
        _settle_arguments,
        _settle,
    ),
)
