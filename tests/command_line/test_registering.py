"""Tenants, deployments, organizations, accounts and roles, entered at a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import load_command_class
from django.db import connection

from portal.access.models import Person, Role, RoleGrant, Scope
from portal.audit.models import Entry
from portal.jobs.models import Installation
from portal.vault.models import Secret
from sync_setup.models import CrmServer, Deployment, EntraTenant, Organization, RecordedAnswer
from tests.command_line.running import readable, refused, sss
from tests.conftest import make_person

TENANT = "11111111-2222-3333-4444-555555555555"
CLOUD = """{"clouds": [{"key": "simulated", "title": "Simulated", "simulated": true, "documented": true,
"authority": "https://localhost:1", "graph": "https://localhost:1", "server_table": "Global",
"ews_url": "https://localhost:1/EWS", "metadata_url": "https://localhost:1/m"}]}"""
DEPLOYMENT = (
    *("register-deployment", "Contoso CRM", "--web-api-url", "https://localhost:4443"),
    *("--server", "CRM-APP01=localhost:5001", "--server", "CRM-APP02=localhost:5002"),
)


@pytest.fixture
def clouds(tmp_path: Path, settings: Any) -> None:
    settings.CLOUDS_FILE = str(tmp_path / "clouds.json")
    (tmp_path / "clouds.json").write_text(CLOUD)


@pytest.fixture
def registered(clouds: None, tom: Person) -> None:
    """A tenant and a deployment."""
    as_tom = ("--as", "tom")
    assert sss("register-tenant", TENANT, "Contoso", "--cloud", "simulated", *as_tom).code == 0
    assert sss(*DEPLOYMENT, "--tools", "CRM-APP01", *as_tom).code == 0


def counted() -> tuple[int, ...]:
    """Count every row that a refusal must not leave behind."""
    models = (EntraTenant, Deployment, CrmServer, Organization, Scope, Secret, RoleGrant, Entry)
    return tuple(model._default_manager.count() for model in models)


def test_what_the_portal_reaches_is_registered(registered: None) -> None:
    ended = sss(
        *("register-organization", "Contoso CRM", "Contoso", "ContosoSales"),
        *("--environment", "test", "--as", "tom", "--json"),
    )

    assert ended.json == {
        "organization": "ContosoSales",
        "environment": "test",
        "deployment": "Contoso CRM",
        "tenant": TENANT,
        "tenant_name": "Contoso",
        "address": "https://localhost:4443/ContosoSales",
        "scope": "contososales",
        "is_simulated": True,
    }
    servers = CrmServer.objects.order_by("name").values_list("name", "port", "has_deployment_tools")
    assert list(servers) == [("CRM-APP01", 5001, True), ("CRM-APP02", 5002, False)]
    listed = sss("organizations", "--as", "tom", "--json").json
    assert [row["organization"] for row in listed["organizations"]] == ["ContosoSales"]
    via = set(Entry.objects.values_list("via", flat=True))
    assert via == {"command"}


@pytest.mark.parametrize(
    "name",
    [
        "Contoso'Sales",
        "Contoso\nSales",
        "$(whoami)",
        "Contoso;Remove-Item C:\\",
        "Sales) or (1 eq 1",
        "Contoso Sales",
        "ContosoSales ",
        "",
        "x" * 65,
        "Contoso\u200bSales",
    ],
)
def test_a_name_that_dynamics_could_not_have_is_refused(registered: None, name: str) -> None:
    before = counted()

    code, error = refused("register-organization", "Contoso CRM", "Contoso", name, "--as", "tom")

    assert (code, error["field"]) == (2, "unique_name")
    assert "Get-CrmOrganization" in error["fix"][0]
    assert counted() == before


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (("register-tenant", "contoso.onmicrosoft.com", "C", "--cloud", "simulated"), "tenant_id"),
        (("register-tenant", TENANT, "A\nB", "--cloud", "simulated"), "name"),
        (("register-tenant", TENANT, "C", "--cloud", "moon"), "SSS-CLOUD"),
        (("register-tenant", TENANT, "C", "--cloud", "global"), "SSS-MODE"),
        ((*DEPLOYMENT, "--tools", "CRM-APP03"), "servers"),
        ((*DEPLOYMENT, "--tools", "CRM-APP01", "--server", "A B=localhost"), "servers"),
        (("register-organization", "Other", TENANT, "X"), "There is no deployment 'Other'."),
        (("tenant-access", "Other", "--client-id", TENANT), "There is no tenant 'Other'."),
    ],
)
def test_what_cannot_be_used_leaves_nothing_behind(
    clouds: None, tom: Person, given: tuple[str, ...], part: str
) -> None:
    before = counted()

    code, error = refused(*given, "--as", "tom")

    assert code == 2
    assert part in (error.get("field"), error["code"], error["message"]), error
    assert counted() == before


def test_only_admins_register(clouds: None, mira: Person, scope: Scope) -> None:
    before = counted()
    verbs = (
        ("register-tenant", TENANT, "C", "--cloud", "simulated"),
        (*DEPLOYMENT, "--tools", "CRM-APP01"),
        ("register-organization", "Contoso CRM", TENANT, "X"),
        ("tenant-access", TENANT, "--client-id", TENANT),
        ("deployment-access", "Contoso CRM", "--crm-user", "x"),
        ("add-server", "Contoso CRM", "A=localhost"),
        ("grant-role", "mira", "admin"),
    )

    for verb in verbs:
        code, error = refused(*verb, "--as", "mira")

        assert (code, error["code"]) == (3, "SSS-ROLE"), verb
    assert counted() == before


def test_secrets_come_from_files_and_are_sealed(registered: None, tmp_path: Path) -> None:
    secret = readable(tmp_path, "secret", "Canary-Client-Secret\nnot this line\n")
    password = readable(tmp_path, "password", "Canary-Password\n")

    tenant = sss(
        *("tenant-access", TENANT, "--client-id", TENANT, "--secret-file", secret),
        *("--as", "tom", "--json"),
    )
    deployment = sss(
        *("deployment-access", "Contoso CRM", "--crm-user", r"CONTOSO\svc"),
        *("--crm-password-file", password, "--winrm-user", r"CONTOSO\winrm"),
        *("--winrm-password-file", password, "--as", "tom", "--json"),
    )

    assert (tenant.code, deployment.code) == (0, 0)
    assert tenant.json["access"] == "secret"
    assert deployment.json["crm_username"] == r"CONTOSO\svc"
    assert Secret.objects.filter(kind="connection").count() == 3
    for ended in (tenant, deployment):
        assert "Canary" not in ended.out + ended.err
    if django_settings.EMBEDDED:
        database = Path(str(connection.settings_dict["NAME"]))
        kept = [path.read_bytes() for path in database.parent.glob(f"{database.name}*")]
        assert kept
        assert not any(b"Canary" in data for data in kept)


def test_no_verb_takes_a_secret_as_an_argument() -> None:
    """Whatever is secret has an option that names a file."""
    parser = load_command_class("sync_setup", "sss").create_parser("manage.py", "sss")
    verbs = next(action for action in parser._actions if action.dest == "verb")
    assert verbs.choices is not None
    for verb in verbs.choices.values():  # type: ignore[attr-defined]
        for action in verb._actions:
            if any(word in action.dest for word in ("password", "secret", "credential")):
                assert action.dest.endswith("_file"), (verb.prog, action.dest)


@pytest.mark.parametrize(
    ("file", "words"),
    [("missing", "cannot be read"), ("binary", "not UTF-8"), ("empty", "secret or certificate")],
)
def test_a_secret_that_cannot_be_read_changes_nothing(
    registered: None, tmp_path: Path, file: str, words: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00secret")
    (tmp_path / "empty").write_bytes(b"")
    before = counted()

    code, error = refused(
        *("tenant-access", TENANT, "--client-id", TENANT),
        *("--secret-file", str(tmp_path / file), "--as", "tom"),
    )

    assert code == 2
    assert words in error["message"]
    assert counted() == before


def test_a_certificate_of_the_setup_app_needs_its_key(registered: None, tmp_path: Path) -> None:
    pem = readable(tmp_path, "app.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")

    code, error = refused(
        *("tenant-access", TENANT, "--client-id", TENANT, "--certificate-file", pem),
        *("--as", "tom"),
    )

    assert (code, error["field"]) == (2, "credential")


def test_a_winrm_certificate_belongs_to_its_way_of_signing_in(
    registered: None, tmp_path: Path
) -> None:
    pem = readable(tmp_path, "winrm.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")
    given = ("deployment-access", "Contoso CRM", "--crm-user", "x", "--as", "tom")

    for more in (
        ("--winrm-certificate-file", pem),
        ("--winrm-sign-in", "certificate"),
    ):
        code, error = refused(*given, *more)

        assert (code, error["field"]) == (2, "winrm-certificate-file")


def test_a_server_is_added_later(registered: None) -> None:
    ended = sss("add-server", "Contoso CRM", "CRM-APP03=localhost:5003", "--as", "tom", "--json")

    assert [row["name"] for row in ended.json["servers"]] == ["CRM-APP01", "CRM-APP02", "CRM-APP03"]


def test_production_takes_no_simulated_target(registered: None) -> None:
    Installation.objects.update(mode="production")

    assert refused("register-organization", "Contoso CRM", TENANT, "X", "--as", "tom")[0] == 3


@pytest.mark.parametrize("name", ["contososales", "CONTOSOSALES", "ContosoSales' or 1 eq 1"])
def test_upper_and_lower_case_of_an_organization_count(registered: None, name: str) -> None:
    sss("register-organization", "Contoso CRM", TENANT, "ContosoSales", "--as", "tom")

    code, error = refused("look", name, "--as", "tom")

    assert (code, error["code"]) == (2, "SSS-NOT-FOUND")
    is_alike = name.lower() == "contososales"
    assert ("ContosoSales" in error["fix"][0]) == is_alike


def test_a_role_is_given_where_it_counts(registered: None, tom: Person) -> None:
    sss("register-organization", "Contoso CRM", TENANT, "ContosoSales", "--as", "tom")
    olga = Person.objects.create(username="olga", name="Olga")
    given = ("grant-role", "olga", "requester", "--as", "tom")

    first = sss(*given, "--organization", "ContosoSales", "--json")
    again = sss(*given, "--organization", "ContosoSales", "--json")

    assert first.json["roles"] == [
        {"role": "requester", "organization": "ContosoSales", "source": "portal"}
    ]
    assert again.json == first.json
    grant = RoleGrant.objects.get(person=olga)
    assert grant.scope == Organization.objects.get().scope
    assert Entry.objects.filter(event="person.role_given", actor=tom).count() == 1


def test_a_role_is_given_to_people_who_signed_in(tom: Person) -> None:
    assert refused("grant-role", "nobody", "viewer", "--as", "tom")[0] == 2


def test_an_answer_is_recorded_in_the_name_of_whoever_acts(registered: None) -> None:
    sss("register-organization", "Contoso CRM", TENANT, "ContosoSales", "--as", "tom")
    mira = make_person("mira", Role.REQUESTER)
    given = ("record-answer", "ContosoSales", "ews-allow-list")

    done = sss(*given, "yes", "--remark", "Anna looked.", "--ticket", "CHG-7", "--as", "mira")
    code, error = refused(*given, "perhaps", "--as", "mira")

    assert done.code == 0
    kept = RecordedAnswer.objects.get()
    assert (kept.person, kept.answer, kept.remark, kept.ticket) == (
        *(mira, "yes"),
        *("Anna looked.", "CHG-7"),
    )
    assert (code, error["field"]) == (2, "answer")
