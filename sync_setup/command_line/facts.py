"""What the verbs tell programs. Keys stay as they are; new ones may come. ``docs/command-line.md`` lists them."""

from __future__ import annotations

from typing import Any

from portal.access.models import Person
from portal.audit import wording
from portal.audit.models import Entry
from portal.jobs import plans, shown
from portal.jobs.actions import sending_of
from portal.jobs.lines import Line
from portal.jobs.models import Approval, CheckResult, Job, JobStep, LogLine, Plan
from portal.jobs.states import JobState, StepState, Verdict, look_of
from sync_setup.models import CrmServer, Deployment, EntraTenant, Organization


def job_facts(job: Job) -> dict[str, Any]:
    """Tell of a job; needs ``scope``, ``plan`` and ``requester`` loaded."""
    steps = shown.steps_of(job)
    progress = shown.progress_shown(job, steps)
    has_window = job.window_starts_at is not None
    return {
        "job": job.name,
        "kind": job.kind,
        "title": shown.headline(job),
        "organization": job.scope.title,
        "state": job.state,
        "state_word": look_of(JobState(job.state)).word,
        "is_final": job.is_final,
        "note": job.note,
        "failure": job.failure,
        "requester": job.requester.username,
        "reason": job.reason,
        "ticket": job.ticket,
        "window": {"starts_at": job.window_starts_at, "ends_at": job.window_ends_at}
        if has_window
        else None,
        "digest": job.plan.digest if job.plan else None,
        "sending": sending_of(job),
        "steps_done": progress.done,
        "steps": progress.total,
        "made_at": job.made_at,
        "sent_at": job.sent_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


def check_facts(job: Job) -> list[dict[str, Any]]:
    """Tell of the checks of a job, in their order."""
    return [
        {
            "key": row.key,
            "group": row.group,
            "title": row.title,
            "verdict": row.verdict,
            "verdict_word": look_of(Verdict(row.verdict)).word,
            "finding": row.finding,
            "evidence": row.evidence,
            "fix": [line.strip() for line in row.fix.splitlines() if line.strip()],
            "source": row.source,
            "checked_at": row.checked_at,
        }
        for row in CheckResult.objects.filter(job=job).order_by("position")
    ]


def plan_facts(plan: Plan | None) -> dict[str, Any] | None:
    """Tell what a plan writes, step by step: old → new. What an approver types as proof is not in it."""
    if plan is None:
        return None
    found = shown.plan_shown(plan)
    kind = plans.kind_or_none(plan.kind)
    return {
        "digest": plan.digest,
        "made_at": plan.made_at,
        "kind": plan.kind,
        "summary": found.words,
        "asks_for_proof": bool(plan.proof),
        "who_notices": kind.who_notices if kind else "",
        "not_touched": kind.not_touched if kind else "",
        "steps": [
            {
                "position": step.position,
                "key": step.key,
                "title": step.title,
                "system": step.system,
                "changes": [_line(line) for line in step.lines],
                "undo": step.undo,
                "is_reversible": step.is_reversible,
                "notice": step.notice,
                "evidence": dict(step.evidence),
            }
            for step in found.steps
        ],
    }


def _line(line: Line) -> dict[str, Any]:
    found: dict[str, Any] = {
        "op": line.op.name.lower(),
        "field": line.raw or line.field,
    }
    if line.raw:
        found["label"] = line.field
    found |= {"old": line.old, "new": line.new}
    if line.after:
        found["known_after"] = line.after
    if line.kept:
        found["kept"] = list(line.kept)
    return found


def run_facts(steps: list[JobStep]) -> list[dict[str, Any]]:
    """Tell how far each step is, and what was read back."""
    return [
        {
            "position": step.position,
            "key": step.planned.key,
            "title": step.planned.title,
            "state": step.state,
            "state_word": look_of(StepState(step.state)).word,
            "changed": step.changed,
            "note": step.note,
            "before": step.planned.before,
            "wanted": step.planned.wanted,
            "read_back": step.after,
            "started_at": step.started_at,
            "ended_at": step.ended_at,
            "seconds": step.seconds,
        }
        for step in steps
    ]


def log_facts(line: LogLine) -> dict[str, Any]:
    """Tell one line of a job's log."""
    return {
        "seq": line.seq,
        "at": line.at,
        "step": line.position,
        "level": line.level,
        "text": line.text,
    }


def decision_facts(job: Job) -> list[dict[str, Any]]:
    """Tell who decided what about this job's plans; ``digest`` says about which."""
    rows = Approval.objects.filter(plan__job=job).select_related("approver")
    return [
        {
            "decision": row.decision,
            "digest": row.digest,
            "approver": row.approver.username,
            "decided_at": row.decided_at,
            "start_by": row.start_by,
            "comment": row.comment,
        }
        for row in rows.order_by("decided_at")
    ]


def entry_facts(entry: Entry) -> dict[str, Any]:
    """Tell one line of the history; needs ``actor`` and ``scope`` loaded."""
    return {
        "id": entry.pk,
        "at": entry.at,
        "actor": entry.actor.username if entry.actor else None,
        "via": entry.via,
        "event": entry.event,
        "words": wording.shown(entry).words,
        "subject": entry.subject,
        "organization": entry.scope.title if entry.scope else None,
        "job": f"J-{entry.job_number}" if entry.job_number else None,
        "request": entry.request_number,
        "detail": entry.detail,
    }


def organization_facts(organization: Organization) -> dict[str, Any]:
    """Tell of an organization; needs ``scope``, ``deployment`` and ``tenant`` loaded."""
    return {
        "organization": organization.unique_name,
        "environment": organization.environment,
        "deployment": organization.deployment.name,
        "tenant": str(organization.tenant.tenant_id),
        "tenant_name": organization.tenant.name,
        "address": organization.deployment.organization_url(organization.unique_name),
        "scope": organization.scope.slug,
        "is_simulated": organization.deployment.is_simulated,
    }


def person_facts(person: Person) -> dict[str, Any]:
    """Tell of a person, with every role and where it counts; None: everywhere."""
    grants = person.grants.select_related("scope").order_by("role", "scope__title")
    return {
        "username": person.username,
        "name": person.name,
        "is_active": person.is_active,
        "roles": [
            {
                "role": grant.role,
                "organization": grant.scope.title if grant.scope else None,
                "source": grant.source,
            }
            for grant in grants
        ],
    }


def tenant_facts(tenant: EntraTenant) -> dict[str, Any]:
    """Tell of a tenant; of its setup app only which one it is."""
    return {
        "tenant": str(tenant.tenant_id),
        "name": tenant.name,
        "cloud": tenant.cloud,
        "access": tenant.access if tenant.credential_id else None,
        "client_id": str(tenant.client_id) if tenant.client_id else None,
        "keeps_access": tenant.keeps_access,
    }


def deployment_facts(deployment: Deployment) -> dict[str, Any]:
    """Tell of a deployment and its servers; of its accounts only their names."""
    return {
        "deployment": deployment.name,
        "web_api_url": deployment.web_api_url,
        "is_simulated": deployment.is_simulated,
        "crm_username": deployment.crm_username,
        "winrm_username": deployment.winrm_username,
        "winrm_sign_in": deployment.winrm_sign_in,
        "servers": [_server_facts(row) for row in deployment.servers.order_by("name")],
    }


def _server_facts(server: CrmServer) -> dict[str, Any]:
    return {
        "name": server.name,
        "host": server.host,
        "port": server.port,
        "has_deployment_tools": server.has_deployment_tools,
    }
