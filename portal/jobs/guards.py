"""What the database itself refuses about plans and approvals, whoever asks."""

from __future__ import annotations

from portal.audit import append_only

append_only.protect("jobs_plan", "jobs_planstep", "jobs_approval", "jobs_approvaluse")
append_only.guard_insert(
    "jobs_plan_names_its_requester",
    "jobs_plan",
    refuse_when="(SELECT requester_id FROM jobs_job WHERE number = NEW.job_id) <> NEW.requester_id",
    message="A plan carries the requester of its job",
)
append_only.guard_insert(
    "jobs_plan_asks_for_an_approval",
    "jobs_plan",
    refuse_when=(
        "NEW.writes AND NEW.approvers = 0 AND NOT (SELECT s.is_simulated FROM access_scope s"
        " JOIN jobs_job j ON j.scope_id = s.id WHERE j.number = NEW.job_id)"
    ),
    message="Only against the simulator does a plan need nobody to approve it",
)
append_only.guard_insert(
    "jobs_approval_is_of_its_plan",
    "jobs_approval",
    refuse_when=(
        "NOT EXISTS (SELECT 1 FROM jobs_plan p WHERE p.id = NEW.plan_id AND p.digest = NEW.digest"
        " AND p.requester_id = NEW.requester_id"
        " AND COALESCE(p.uploader_id, 0) = COALESCE(NEW.uploader_id, 0))"
    ),
    message="An approval carries digest, requester and uploader of its plan",
)
append_only.guard_insert(
    "jobs_approval_use_is_of_its_job",
    "jobs_approvaluse",
    refuse_when=(
        "NOT EXISTS (SELECT 1 FROM jobs_approval a JOIN jobs_plan p ON p.id = a.plan_id"
        " WHERE a.id = NEW.approval_id AND a.decision = 'approved' AND p.job_id = NEW.job_id)"
    ),
    message="An approval is used by the job of its plan",
)
append_only.guard_update(
    "jobs_job_keeps_who_asked",
    "jobs_job",
    *("requester_id", "kind", "scope_id"),
    refuse_when=(
        "OLD.requester_id <> NEW.requester_id OR OLD.kind <> NEW.kind OR OLD.scope_id <> NEW.scope_id"
    ),
    message="A job keeps its requester, its kind and its scope",
)
append_only.guard_update(
    "jobs_job_keeps_what_was_sent",
    "jobs_job",
    *("inputs", "plan_id"),
    # What was sent back loses its plan; nothing else changes once a plan was sent.
    refuse_when=(
        "OLD.state NOT IN ('draft', 'changes_requested', 'checking')"
        " AND (OLD.inputs <> NEW.inputs OR COALESCE(OLD.plan_id, 0) <> COALESCE(NEW.plan_id, 0))"
        " AND NOT (OLD.state = 'awaiting_approval' AND NEW.state = 'changes_requested'"
        " AND OLD.inputs = NEW.inputs)"
    ),
    message="The choices and the plan of a job that was sent stay",
)
