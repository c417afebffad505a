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
