"""The thirteen functions of the SssPortal endpoint, contract 1.0; most have a file of their own."""

from __future__ import annotations
