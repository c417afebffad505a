"""``addresses.json``: where everything listens and who may sign in, for whoever starts the simulator."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path

from simulator.default_world import ADFS_CLIENT, PILOT, SERVICE_PILOT
from simulator.entra.administration import PATH
from simulator.entra.default_tenants import (
    BARE_APP,
    OTHER_APP,
    OTHER_TENANT_ID,
    SETUP_APP,
    SIGN_IN_APP,
    TENANT_ID,
)
from simulator.running import Simulator
from simulator.sample_certificates import write_samples


def write_addresses(simulator: Simulator, file: Path) -> None:
    """Write the file in one step; it exists only once everything listens."""
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    text = json.dumps(addresses(simulator), ensure_ascii=False, indent=1)
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(file)


def addresses(simulator: Simulator) -> dict[str, object]:
    """All addresses and credentials of this simulator."""
    world, places = simulator.world, simulator.simulation.places
    ca = simulator.folder / "ca.pem"
    ca.write_bytes(simulator.pki.bundle_pem)
    tenant = world.tenants[0]
    found: dict[str, object] = {
        name: value for name, value in dataclasses.asdict(places).items() if value
    }
    setup = simulator.setup_certificate
    return found | {
        "servers": [
            {"name": server.name, "host": "localhost", "port": server.port}
            for server in simulator.crm_servers
        ],
        "ca": str(ca),
        "samples": [
            {
                "title": sample.title,
                "path": str(sample.path),
                "password": sample.password,
                "verdict": sample.verdict,
            }
            for sample in write_samples(
                simulator.folder / "samples", simulator.pki, datetime.datetime.now(datetime.UTC)
            )
        ],
        "tenant_id": tenant.id,
        "administration": f"{places.authorize}{PATH}",
        "tenant_domain": tenant.domains[0],
        "organizations": list(world.databases),
        "pilots": {"ContosoSales": PILOT, "ContosoService": SERVICE_PILOT},
        "people": [
            {"username": p.username, "name": p.name, "roles": p.roles} for p in tenant.people
        ],
        "sign_in_app": _application(simulator, SIGN_IN_APP, TENANT_ID),
        "setup_app": _application(simulator, SETUP_APP, TENANT_ID)
        | {
            "certificate": str(setup.certificate_path),
            "key": str(setup.key_path),
        },
        "setup_app_without_permission": _application(simulator, BARE_APP, TENANT_ID),
        "other_tenant": _application(simulator, OTHER_APP, OTHER_TENANT_ID),
        "adfs_client": {"client_id": ADFS_CLIENT, "resource": f"{places.crm}/"},
        "crm_user": _account(simulator, "svc-sssportal"),
        "crm_reader": _account(simulator, "svc-sssreader"),
        "winrm_user": {
            "look": _account(simulator, "svc-ssslook"),
            "change": _account(simulator, "svc-ssschange"),
            "none": _account(simulator, "svc-sssnothing"),
        },
        "deployment_administrator": _account(simulator, "crmadmin"),
    }


def _application(simulator: Simulator, client_id: str, tenant_id: str) -> dict[str, str]:
    tenant = simulator.world.tenant(tenant_id)
    application = tenant.application(client_id) if tenant else None
    secret = application.secrets[0].value if application and application.secrets else ""
    return {"client_id": client_id, "client_secret": secret, "tenant_id": tenant_id}


def _account(simulator: Simulator, name: str) -> dict[str, str]:
    """User name in both spellings, password and, where one is mapped, the client certificate."""
    for account in simulator.world.accounts:
        domain, _, own = account.name.partition("\\")
        if own != name:
            continue
        found = {
            "username": account.name,
            "upn": f"{own}@{domain.lower()}.example",
            "password": account.password,
        }
        if account.certificate_name:
            kept = simulator.certificate_of(account.certificate_name)
            found |= {"certificate": str(kept.certificate_path), "key": str(kept.key_path)}
        return found
    raise KeyError(name)
