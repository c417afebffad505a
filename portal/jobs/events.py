from __future__ import annotations

from portal.audit import events

events.register(
    {
        "job.drafted": "drafted a job",
        "job.inputs_changed": "changed what the job is to do",
        "job.checks_asked": "asked for the checks",
        "job.checked": "finished the checks",
        "job.planned": "made the plan",
        "job.sent": "sent the plan for approval",
        "job.discarded": "discarded the draft",
        "job.withdrawn": "took the plan back",
        "job.approved": "approved exactly this plan",
        "job.sent_back": "sent the plan back",
        "job.rejected": "rejected the plan",
        "job.started": "started the job",
        "job.needs_person": "paused for a person",
        "job.continued": "let the job go on",
        "job.cancel_asked": "asked for the job to end",
        "job.cancelled": "cancelled the job",
        "job.retried": "had the job go on at the step it stopped at",
        "job.settled": "recorded what became of a change of unknown outcome",
        "job.plan_stale": "stopped: the plan is out of date",
        "job.failed": "ended the job: failed",
        "job.outcome_unknown": "stopped: the outcome of a change is unknown",
        "job.succeeded": "ended the job: done and verified",
        "policy.changed": "changed how many people approve",
        "step.intended": "is about to change something",
        "step.kept": "verified a step",
        "step.lost": "found a step whose worker was lost",
        "engine.drained": "told the engine to take nothing new",
        "engine.resumed": "let the engine go on",
    }
)
