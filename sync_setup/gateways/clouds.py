"""The Microsoft clouds: where sign-in, Graph and Exchange are, one row each, a closed table."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import cast

from portal.errors import BadInput
from sync_setup.gateways.identifiers import guid
from sync_setup.gateways.route import Route, check_url

AUTHORIZATION_PRINCIPAL_ID = "00000001-0000-0000-c000-000000000000"
"""The Access Control Service, whose tokens Exchange Online takes from CRM on-premises."""


@dataclass(frozen=True)
class Cloud:
    """One cloud.

    :ivar key: how settings and rows name it.
    :ivar authority: sign-in host with scheme, without a tenant.
    :ivar graph: Microsoft Graph host with scheme, without a version.
    :ivar ews_url: what an email server profile of this cloud points at.
    :ivar metadata_url: what S2SDefaultAuthorizationServerMetadataUrl must be.
    :ivar authorization_principal_id: what S2SDefaultAuthorizationServerPrincipalId must be.
    :ivar server_table: "Global" or "GccHigh", the row of the CRM servers' own closed table; empty
        where they have none, so that nothing can be written for this cloud.
    :ivar documented: Microsoft documents server-side synchronization from on-premises for it.
    :ivar simulated: a stand-in; loopback addresses are allowed.
    """

    key: str
    title: str
    authority: str
    graph: str
    ews_url: str
    metadata_url: str
    authorization_principal_id: str = AUTHORIZATION_PRINCIPAL_ID
    server_table: str = ""
    documented: bool = False
    simulated: bool = False
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)  # may hold a user and a password

    def route(self) -> Route:
        """How this cloud's sign-in and Graph are reached."""
        return Route(ca_file=self.ca_file, proxy=self.proxy, simulated=self.simulated)

    def through(self, *, proxy: str | None = None, ca_file: str | None = None) -> Cloud:
        """The same cloud behind an outbound proxy or with another trust; what is set already stays."""
        return replace(self, proxy=self.proxy or proxy, ca_file=self.ca_file or ca_file)


# Hosts: https://learn.microsoft.com/graph/deployments. Metadata URLs: "Connect Dynamics 365
# (on-premises) to Exchange Online", which names Global (with GCC) and GCC High and no other cloud.
CLOUDS: dict[str, Cloud] = {
    cloud.key: cloud
    for cloud in (
        Cloud(
            key="global",
            title="Microsoft 365 (worldwide)",
            authority="https://login.microsoftonline.com",
            graph="https://graph.microsoft.com",
            ews_url="https://outlook.office365.com/EWS/Exchange.asmx",
            metadata_url="https://accounts.accesscontrol.windows.net/metadata/json/1",
            server_table="Global",
            documented=True,
        ),
        Cloud(
            key="gcc",
            title="Microsoft 365 Government (GCC)",
            authority="https://login.microsoftonline.com",
            graph="https://graph.microsoft.com",
            ews_url="https://outlook.office365.com/EWS/Exchange.asmx",
            metadata_url="https://accounts.accesscontrol.windows.net/metadata/json/1",
            server_table="Global",
            documented=True,
        ),
        Cloud(
            key="gcc-high",
            title="Microsoft 365 Government (GCC High)",
            authority="https://login.microsoftonline.us",
            graph="https://graph.microsoft.us",
            # GUESS: the EWS host of GCC High is not on the page that documents its metadata URL.
            ews_url="https://outlook.office365.us/EWS/Exchange.asmx",
            metadata_url="https://login.microsoftonline.us/metadata/json/1",
            server_table="GccHigh",
            documented=True,
        ),
        Cloud(
            key="dod",
            title="Microsoft 365 Government (DoD)",
            authority="https://login.microsoftonline.us",
            graph="https://dod-graph.microsoft.us",
            # GUESS: nothing documents this cloud for server-side synchronization.
            ews_url="https://outlook-dod.office365.us/EWS/Exchange.asmx",
            metadata_url="https://login.microsoftonline.us/metadata/json/1",
        ),
        Cloud(
            key="china",
            title="Microsoft 365 operated by 21Vianet",
            authority="https://login.partner.microsoftonline.cn",
            graph="https://microsoftgraph.chinacloudapi.cn",
            # GUESS: nothing documents this cloud for server-side synchronization.
            ews_url="https://partner.outlook.cn/EWS/Exchange.asmx",
            metadata_url="https://accounts.accesscontrol.chinacloudapi.cn/metadata/json/1",
        ),
    )
}


def load_clouds(path: str | Path | None = None) -> dict[str, Cloud]:
    """Give the built-in clouds and, after them, those of a JSON file.

    The file is ``{"clouds": [{"key": …, "title": …, …}]}`` with the fields of `Cloud`; those with a
    default may be left out. A relative ``ca_file`` is looked up beside the file.

    :raises BadInput: the file cannot be read, has an unknown or missing field, a wrong type, a
        built-in key, or an address that is not allowed.
    """
    if not path:
        return dict(CLOUDS)
    file = Path(path)
    clouds = dict(CLOUDS)
    for row in _rows(file):
        cloud = _read_cloud(row, file.parent)
        if cloud.key in clouds:
            raise _bad_file(f"the key {cloud.key!r} is taken")
        clouds[cloud.key] = cloud
    return clouds


def _rows(file: Path) -> list[dict[str, object]]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _bad_file(f"it cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise _bad_file("it is not JSON") from error
    rows = document.get("clouds") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _bad_file('it must be {"clouds": [{…}]}')
    return cast("list[dict[str, object]]", rows)


def _read_cloud(row: dict[str, object], folder: Path) -> Cloud:
    known = {own.name for own in fields(Cloud)}
    if unknown := sorted(set(row) - known):
        raise _bad_file(f"it has an unknown field {unknown[0]!r}")
    for name, value in row.items():
        wanted = bool if name in {"documented", "simulated"} else str
        if type(value) is not wanted and not (value is None and name in {"ca_file", "proxy"}):
            raise _bad_file(f"{name} must be {'true or false' if wanted is bool else 'text'}")
    try:
        cloud = Cloud(**cast("dict[str, str]", row))  # type: ignore[arg-type]
    except TypeError:
        raise _bad_file("a cloud lacks one of its fields") from None
    if cloud.server_table not in {"", "Global", "GccHigh"}:
        raise _bad_file('server_table must be "Global", "GccHigh" or left out')
    guid(cloud.authorization_principal_id, field="authorization_principal_id")
    for name in ("authority", "graph", "ews_url", "metadata_url"):
        check_url(getattr(cloud, name), simulated=cloud.simulated, field=name)
    ca_file = str(folder / cloud.ca_file) if cloud.ca_file else None
    return replace(
        cloud,
        authority=cloud.authority.rstrip("/"),
        graph=cloud.graph.rstrip("/"),
        ca_file=ca_file,
    )


def _bad_file(what: str) -> BadInput:
    return BadInput(
        f"The file of further clouds cannot be used: {what}.",
        remedy="Correct the file that CLOUDS_FILE names, or leave the setting empty.",
        code="SSS-INPUT-CLOUDS",
        field="CLOUDS_FILE",
    )
