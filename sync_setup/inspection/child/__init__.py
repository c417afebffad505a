"""What runs inside the isolated process. It knows no Django, no database and no network."""

from __future__ import annotations
