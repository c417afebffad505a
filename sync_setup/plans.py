"""The order of every plan. One line a step."""

from __future__ import annotations

from portal.jobs.plans import PlanKind

KINDS: tuple[PlanKind, ...] = ()
