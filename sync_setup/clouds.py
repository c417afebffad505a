"""The clouds of this installation: the built-in table, and what CLOUDS_FILE adds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from portal.errors import NotFound
from sync_setup.gateways.clouds import Cloud, load_clouds


@lru_cache(maxsize=4)
def _table(path: str, changed_at: float, proxy: str) -> dict[str, Cloud]:
    return {
        key: cloud.through(proxy=proxy or None) for key, cloud in load_clouds(path or None).items()
    }


def clouds() -> dict[str, Cloud]:
    """Give every cloud by its key."""
    path = Path(settings.CLOUDS_FILE)
    changed_at = path.stat().st_mtime if path.exists() else 0.0
    return _table(str(path) if changed_at else "", changed_at, settings.OUTBOUND_PROXY)


def cloud_of(key: str) -> Cloud:
    """Give one cloud.

    :raises NotFound: when the table has no such key.
    """
    try:
        return clouds()[key]
    except KeyError:
        raise NotFound(f"There is no cloud {key!r}.", code="SSS-CLOUD") from None
