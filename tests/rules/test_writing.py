"""Who may write to the database, and that every decision names who decided."""

from __future__ import annotations

import ast
from pathlib import PurePath

import pytest

from tests.rules.sources import PRODUCT, calls, python, tree

# Besides every actions.py.
WRITERS = {
    "portal/access/break_glass.py": "makes the break-glass account, from the command line only",
    "portal/access/sessions.py": "deletes sessions that have ended",
    "portal/audit/record.py": "adds the lines of history",
    "portal/jobs/claim.py": "the fence: every write of a worker names it",
    "portal/jobs/closing.py": "lets go of what a job that has ended still holds",
    "portal/jobs/draining.py": "stops and starts the claiming of jobs for an upgrade",
    "portal/jobs/duties.py": "takes turns at what recurs",
    "portal/jobs/ends.py": "ends a turn of a job: state, steps and history in one transaction",
    "portal/jobs/installation.py": "one row that says which installation this database is of",
    "portal/jobs/lease.py": "renews the lease of a claim",
    "portal/jobs/moving.py": "changes a job's state if it is still what was read: what people's deeds are made of",
    "portal/jobs/policy.py": "sets how many people approve",
    "portal/jobs/preparation.py": "keeps what a worker looked at: check results and the plan",
    "portal/jobs/runner.py": "commits the intent of a step, under its fence",
    "portal/jobs/steering.py": "people's deeds about a job under way or at its end",
    "portal/management/commands/grant_rights.py": "gives the portal's database role its rights",
    "sync_setup/certificates.py": "keeps an uploaded or chosen certificate",
    "sync_setup/management/commands/demo.py": "the people of the demo",
    "sync_setup/reading.py": "keeps what a reading job read",
    "sync_setup/rehearsal/rehearsal.py": "the people of a rehearsal",
    "sync_setup/servers.py": "adds, changes and pins the servers of a deployment",
}
# A public function of an actions.py that takes no ``by``, and who is the one instead.
WITHOUT_A_PERSON = {
    ("portal/access/actions.py", "sign_in"): "it finds out who the person is",
    ("portal/access/actions.py", "replace_grants"): "the identity provider decides at sign-in",
    ("portal/jobs/actions.py", "sending_of"): "only reads",
    ("portal/vault/actions.py", "open_secret"): "a worker carries an approved plan out",
    ("portal/vault/actions.py", "keep_for_plan"): "a worker keeps what a plan names",
    ("portal/vault/actions.py", "destroy_after_job"): "the end of a job decides",
    ("portal/vault/actions.py", "destroy_due_secrets"): "the clock decides",
    ("portal/vault/actions.py", "destroy_retired_secrets"): "nothing points at them any more",
    ("portal/vault/actions.py", "missing"): "only reads",
    ("portal/vault/actions.py", "waiting_life"): "only reads",
}
_WRITES = {
    *("save", "delete", "create", "bulk_create", "bulk_update", "get_or_create"),
    *("update_or_create", "_raw_delete", "asave", "adelete", "acreate", "aupdate"),
}


def _writes(call: ast.Call) -> bool:
    """Tell whether a call writes through the ORM or sends SQL that is not a question.

    ``QuerySet.update`` takes keywords alone; what is updated otherwise is a dict, a digest or a cipher.
    """
    if not isinstance(call.func, ast.Attribute):
        return False
    name = call.func.attr
    if name == "update":
        return bool(call.keywords) and not call.args
    if name in {"execute", "executemany"}:
        return bool(call.args) and not _asks(call.args[0])
    return name in _WRITES


def _asks(statement: ast.expr) -> bool:
    return (
        isinstance(statement, ast.Constant)
        and isinstance(statement.value, str)
        and statement.value.lstrip().upper().startswith("SELECT")
    )


# Installs triggers and reads the catalogue of the database; nothing that it sends touches a row.
_STRUCTURE = {"portal/audit/append_only.py", "portal/rights.py"}
_SOURCES = tuple(name for name in python(*PRODUCT) if "migrations" not in PurePath(name).parts)


def _is_writer(name: str) -> bool:
    return any(_writes(call) for call in calls(name))


def test_only_the_named_modules_write_to_the_database() -> None:
    strangers = [
        name
        for name in _SOURCES
        if PurePath(name).name != "actions.py" and name not in _STRUCTURE and _is_writer(name)
    ]

    assert sorted(set(strangers) - set(WRITERS)) == []


def test_every_named_writer_still_writes() -> None:
    assert [name for name in WRITERS if name not in _SOURCES or not _is_writer(name)] == []


@pytest.mark.parametrize(
    "line",
    [
        "row.save()",
        "Job.objects.create(kind=kind)",
        "rows.filter(pk=1).update(state=x)",
        "Job.objects.all().delete()",
        "cursor.execute('DELETE FROM job')",
        "cursor.execute(statement)",
    ],
)
def test_the_rule_sees_a_write(line: str) -> None:
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _writes(call)


def _decisions() -> dict[tuple[str, str], ast.FunctionDef]:
    return {
        (name, node.name): node
        for name in _SOURCES
        if PurePath(name).name == "actions.py"
        for node in tree(name).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def test_every_decision_names_who_decided() -> None:
    nobody = [
        where
        for where, node in _decisions().items()
        if "by" not in {argument.arg for argument in node.args.kwonlyargs}
    ]

    assert sorted(nobody) == sorted(WITHOUT_A_PERSON)


def test_views_forms_and_steps_are_not_among_the_writers() -> None:
    rooms = {"views", "views.py", "forms", "forms.py", "urls.py", "steps", "checks", "gateways"}

    assert [name for name in WRITERS if rooms & set(PurePath(name).parts)] == []
