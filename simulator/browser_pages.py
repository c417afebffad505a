"""Everything a person's browser opens, on one plain http listener: Entra ID's pages and AD FS's."""

from __future__ import annotations

from simulator.adfs.pages import AdfsPages
from simulator.entra.grants import Grants
from simulator.entra.pages import Pages
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

FARMS = {"/adfs2019/oauth2/authorize": "2019", "/adfs2016/oauth2/authorize": "2016"}


class BrowserPages:
    """The system behind the ``authorize`` listener."""

    def __init__(self, simulation: Simulation, grants: Grants) -> None:
        self._entra, self._adfs = Pages(simulation, grants), AdfsPages(simulation, grants)

    def answer(self, request: Request) -> Response:
        kind = FARMS.get(request.path.rstrip("/"))
        return self._adfs.answer(request, kind) if kind else self._entra.answer(request)

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        return self._entra.refusal(request, status, code, message)
