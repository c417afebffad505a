from __future__ import annotations

from portal.audit import events

events.register(
    job__drafted="drafted a job",
    job__inputs_changed="changed what the job is to do",
    job__checks_asked="asked for the checks",
    job__checked="finished the checks",
    job__planned="made the plan",
    job__sent="sent the plan for approval",
    job__withdrawn="took the plan back",
    job__approved="approved exactly this plan",
    job__sent_back="sent the plan back",
    job__rejected="rejected the plan",
    job__started="started the job",
    job__needs_person="paused for a person",
    job__continued="let the job go on",
    job__plan_stale="stopped: the plan is out of date",
    job__failed="ended the job: failed",
    job__outcome_unknown="stopped: the outcome of a change is unknown",
    job__succeeded="ended the job: done and verified",
    step__intended="is about to change something",
    step__kept="verified a step",
    step__lost="found a step whose worker was lost",
)
