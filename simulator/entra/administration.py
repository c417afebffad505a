"""The page on which the tenant's administrator works: the app registrations, deleted and brought back.

A plain http page without a sign-in, as the simulated sign-in itself: who opens it plays the administrator.
"""

from __future__ import annotations

import html

from simulator.entra.html_page import page
from simulator.entra.state import Application, Tenant
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

PATH = "/administration"


def answer(request: Request, simulation: Simulation) -> Response:
    """Show the first tenant's app registrations; POST deletes one or brings it back. Hold the world's lock.

    A deleted registration is kept for being restored, as Entra ID keeps it for 30 days.
    Source: https://learn.microsoft.com/entra/identity-platform/delete-recover-app
    """
    tenant = simulation.world.tenants[0]
    if request.method == "POST":
        asked = request.form()
        _move(tenant, asked.get("delete", ""), asked.get("restore", ""))
        simulation.world.changed()
        return Response.redirect(PATH)
    rows = [_row(application, "delete", "Delete") for application in tenant.applications]
    gone = [_row(application, "restore", "Restore") for application in tenant.deleted_applications]
    content = (
        f"<p>Tenant {html.escape(tenant.name)}, {html.escape(tenant.id)}</p>"
        f"<form method='post' action='{PATH}'><ul>{''.join(rows)}</ul>"
        + (f"<h2>Deleted</h2><ul>{''.join(gone)}</ul>" if gone else "")
        + "</form>"
    )
    return page("App registrations", content)


def _move(tenant: Tenant, delete: str, restore: str) -> None:
    for client_id, source, target in (
        (delete, tenant.applications, tenant.deleted_applications),
        (restore, tenant.deleted_applications, tenant.applications),
    ):
        for application in [row for row in source if row.client_id == client_id]:
            source.remove(application)
            target.append(application)


def _row(application: Application, name: str, word: str) -> str:
    return (
        f"<li><button name='{name}' value='{html.escape(application.client_id)}'>{word} "
        f"{html.escape(application.name)}<small>{html.escape(application.client_id)}</small>"
        "</button></li>"
    )
