"""Sign in to a Dynamics organization in the way that it asks for.

An internal address where claims are off wants Negotiate. Where claims-based authentication is on, it
takes a bearer token of AD FS, for a *user*: on-premises there is no application user.

:source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/authenticate-web-api
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from portal.errors import Refused, Throttled, Unreachable
from sync_setup.gateways.failures import Origin
from sync_setup.gateways.http import Answer, HttpSession, failure
from sync_setup.gateways.route import Route, check_url

SQL_TIMEOUT = "0x80044151"
CRM = Origin(
    "Dynamics",
    "CRM",
    {
        "401": "Check the Dynamics user and password, and that the user may sign in over the Web API.",
        "403": "Give the Dynamics user a licence and the role System Administrator, or the privilege "
        "that the message names.",
        SQL_TIMEOUT: "Wait; the portal looks, and tries again with less at a time.",
    },
    # GUESS: these come with status 500 or 429, depending on the build.
    {SQL_TIMEOUT: Unreachable, "0x80072321": Throttled, "0x80072322": Throttled},
)
_OAUTH = (
    "Let the CRM administrator switch OAuth on (Get-CrmSetting OAuthClaimsSettings, .Enabled = $true, "
    "Set-CrmSetting), or use the organization's internal address."
)
AdfsKind = Literal["auto", "2019", "2016"]
_VERSION = re.compile(r"[89]\.\d")


@dataclass(frozen=True)
class DynamicsTarget:
    """Where an organization's Web API is and how it is reached.

    :ivar url: address of the organization, such as https://crm.contoso.com/Sales; with IFD
        https://sales.contoso.com.
    :ivar client_id: the client registered in AD FS (Add-AdfsClient); empty where claims are off.
    :ivar authority: address of AD FS, https://sts.contoso.com; empty: the one that the organization
        names when it asks for a sign-in.
    :ivar adfs: which AD FS that is: 2019 (or later), 2016, or auto: its configuration tells.
    :ivar api_version: 9.1, 9.0 …; 8.x may be asked only which version it is.
    :ivar kerberos: with Negotiate, accept nothing but Kerberos.
    """

    url: str
    route: Route = field(default_factory=Route)
    client_id: str = ""
    authority: str = ""
    adfs: AdfsKind = "auto"
    api_version: str = "9.0"
    kerberos: bool = False

    def base(self) -> str:
        """Address of the Web API, without a slash at the end.

        :raises BadInput: the address is not usable.
        """
        url = check_url(self.url, simulated=self.route.simulated)
        version = self.api_version if _VERSION.fullmatch(self.api_version) else "9.0"
        return f"{url}/api/data/v{version}"


@dataclass(frozen=True)
class DynamicsCredential:
    """A Dynamics user: DOMAIN\\name or name@domain."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Challenge:
    """How an organization wants its callers to sign in.

    :ivar authority: AD FS, such as https://sts.contoso.com; empty for Negotiate.
    :ivar resource: what a token must be for.
    """

    kind: str
    authority: str = ""
    resource: str = ""


def probe(target: DynamicsTarget, origin: Origin = CRM) -> Challenge:
    """Ask for WhoAmI without a credential and read what the organization asks for.

    :raises Refused: it asks for nothing the portal can do: a sign-in page (SSS-CRM-SIGN-IN-PAGE),
        claims without OAuth (SSS-CRM-NO-OAUTH), or it answers without any sign-in.
    :raises GatewayError: it cannot be reached or read.
    """
    session = HttpSession(origin, target.route)
    try:
        answer = session.request(
            "GET",
            f"{target.base()}/WhoAmI",
            headers={"Accept": "application/json"},
            accept=(301, 302, 303, 307, 308, 401),
        )
    finally:
        session.close()
    return _read_challenge(answer, target, origin)


def _read_challenge(answer: Answer, target: DynamicsTarget, origin: Origin) -> Challenge:
    # Several headers arrive joined by commas; the schemes are told apart by name.
    asked = answer.headers.get("WWW-Authenticate", "")
    schemes = {word.lower() for word in re.findall(r"(?:^|,\s*)([A-Za-z]+)(?=[\s,]|$)", asked)}
    if answer.status == 401 and "bearer" in schemes:
        return _bearer(asked, target, origin)
    if answer.status == 401 and schemes & {"negotiate", "ntlm"}:
        return Challenge("negotiate")
    if answer.status == 401:
        raise _refused(origin, "NO-OAUTH", "asks for claims and offers no OAuth", _OAUTH, answer)
    if answer.status >= 300:
        where = urlsplit(answer.headers.get("Location", "")).path
        if "/adfs/" in where.lower():
            what = "sends callers to the sign-in page of AD FS"
            raise _refused(origin, "SIGN-IN-PAGE", what, _OAUTH, answer)
        raise failure(origin, answer)
    if answer.is_html:
        what = "answers with a web page instead of asking for a sign-in"
        raise _refused(origin, "SIGN-IN-PAGE", what, _OAUTH, answer)
    what = "answers without any sign-in"
    remedy = "Check the address: a proxy or another system seems to answer in its place."
    raise _refused(origin, "NO-SIGN-IN", what, remedy, answer)


def _bearer(asked: str, target: DynamicsTarget, origin: Origin) -> Challenge:
    # GUESS: the parameters as online: authorization_uri and resource_id, quoted or not.
    found = dict(re.findall(r"(authorization_uri|resource_id)\s*=\s*\"?([^\s,\"]+)", asked))
    authority = target.authority or _before_adfs(found.get("authorization_uri", ""))
    if not authority:
        what = "asks for a token and does not say of whom"
        raise Refused(
            f"{origin.system} {what}.",
            remedy="Enter the address of AD FS with the organization.",
            code=origin.code("NO-AUTHORITY"),
            system=origin.system,
        )
    checked = check_url(authority, simulated=target.route.simulated, field="authority")
    return Challenge("oauth", checked, found.get("resource_id") or f"{target.url.rstrip('/')}/")


def _before_adfs(url: str) -> str:
    return url.partition("/adfs/")[0] if "/adfs/" in url else ""


def _refused(origin: Origin, ending: str, what: str, remedy: str, answer: Answer) -> Refused:
    return Refused(
        f"{origin.system} {what}.",
        remedy=remedy,
        code=origin.code(ending),
        system=origin.system,
        detail={"status": str(answer.status)} | answer.detail(),
    )
