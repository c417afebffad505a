from __future__ import annotations

from django.core.management import call_command
from django.db import connection

from portal.audit import append_only


def test_a_table_that_triggers_of_others_name_can_be_rebuilt(database_url: str) -> None:
    call_command("migrate", "jobs", "0001", verbosity=0)
    assert append_only.missing(connection) == []

    call_command("migrate", verbosity=0)

    assert append_only.missing(connection) == []
