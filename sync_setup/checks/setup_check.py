"""The base of this app's checks: they judge what one run has read."""

from __future__ import annotations

from abc import abstractmethod

from portal.jobs.checks import Check, Found
from sync_setup.checks.readings import Readings, readings_of
from sync_setup.context import SetupContext

CERTIFICATE = "Certificate"
CALENDAR = "Cloud and calendar"
TENANT = "Entra ID tenant"
SERVERS = "CRM servers"
DEPLOYMENT = "CRM deployment"
DYNAMICS = "Dynamics organization"
PROOF = "Server profile and pilot mailbox"
ANSWERS = "Recorded answers"


class SetupCheck(Check[SetupContext]):
    """One prerequisite of a setup."""

    def find(self, context: SetupContext) -> Found:
        return self.judge(readings_of(context))

    @abstractmethod
    def judge(self, seen: Readings) -> Found:
        """Judge what was read.

        :raises PortalError: it could not be read: then nothing is known, and the answer says why.
        """
