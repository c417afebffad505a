"""How states, instants, durations and thumbprints are written on every page."""

from __future__ import annotations

from django import template

register = template.Library()
