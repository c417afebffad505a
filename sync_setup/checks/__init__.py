"""What must be so before anything is written, by subject, in the order it is looked at."""

from __future__ import annotations

from typing import Any

from portal.jobs.checks import Check

CONNECT_CHECKS: tuple[Check[Any], ...] = ()
