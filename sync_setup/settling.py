from __future__ import annotations

from django.conf import settings


def settling(seconds: float) -> float:
    """Give how long a fresh look may take to show a change, in seconds; no longer than the installation allows."""
    return min(seconds, float(settings.SETTLE_AT_MOST_S))
