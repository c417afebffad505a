"""Test & Enable Mailboxes: an asynchronous service that takes a few mailboxes at a time."""

from __future__ import annotations

import collections
import threading
import time

from simulator.chain import Missing, missing_link, running_async_servers
from simulator.dynamics import alerts
from simulator.dynamics.database import Record
from simulator.entra.state import ExchangeMailbox
from simulator.ledger import instant
from simulator.simulation import Simulation
from simulator.state import World

SYNCHRONIZATION = {
    "incoming": (
        "incomingemaildeliverymethod",
        2,
        "incomingemailstatus",
        "enabledforincomingemail",
    ),
    "outgoing": (
        "outgoingemaildeliverymethod",
        2,
        "outgoingemailstatus",
        "enabledforoutgoingemail",
    ),
    "act": ("actdeliverymethod", 1, "actstatus", "enabledforact"),
}
"""Per direction: delivery method, its value for server-side synchronization, status, switch."""

NOT_RUN, SUCCESS, FAILURE = 0, 1, 2
CALLER = "Microsoft Dynamics 365 asynchronous service"


class MailboxTests:
    """Runs the tests that were scheduled, and the synchronization cycle of what passed.

    Dials: ``crm/test_seconds`` (1.5), ``crm/tests_at_once`` (4), ``crm/cycle_seconds`` (10.0).
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._waiting: collections.deque[tuple[str, str]] = collections.deque()
        self._running: dict[tuple[str, str], float] = {}
        self._synchronized_at = time.monotonic()
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="async service", daemon=True)

    def start(self) -> None:
        """Take up what an earlier simulator left scheduled, and begin."""
        self.resume()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait until it has ended."""
        self._is_stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def resume(self) -> None:
        """Forget what is running and queue whatever the world has scheduled."""
        with self._simulation.world.lock:
            self._waiting.clear()
            self._running.clear()
            for name, database in self._simulation.world.databases.items():
                for key, record in database.table("mailbox").items():
                    if record.get("testemailconfigurationscheduled"):
                        self._waiting.append((name, key))
        self._wake.set()

    def schedule(self, organization: str, mailbox_id: str) -> None:
        """Queue a mailbox; one that is queued already keeps its place. Hold the world's lock."""
        place = (organization, mailbox_id)
        if place not in self._running and place not in self._waiting:
            self._waiting.append(place)
        self._wake.set()

    def _run(self) -> None:
        while not self._is_stopping:
            self._wake.clear()
            pause = self._step()
            self._wake.wait(pause)

    def _step(self) -> float:
        """Finish what is due, start what fits, and return the seconds until there is more to do."""
        dials, now = self._simulation.dials, time.monotonic()
        seconds = dials.setting("crm/test_seconds", 1.5)
        slots = dials.setting("crm/tests_at_once", 4)
        with self._simulation.world.lock:
            world = self._simulation.world
            if not running_async_servers(world.deployment):
                # Nothing finishes while no asynchronous service runs; it is looked at again soon.
                return 0.2
            for place in [p for p, ends_at in self._running.items() if ends_at <= now]:
                del self._running[place]
                self._finish(world, *place)
            while self._waiting and len(self._running) < slots:
                place = self._waiting.popleft()
                if not self._is_stuck(world, place):
                    self._running[place] = now + seconds
            if now - self._synchronized_at >= dials.setting("crm/cycle_seconds", 10.0):
                self._synchronized_at = now
                self._synchronize(world)
        due = min(self._running.values(), default=now + 0.5)
        return max(0.0, min(due - now, 0.5))

    def _is_stuck(self, world: World, place: tuple[str, str]) -> bool:
        """Whether a test would never end: the organization synchronizes by the Email Router."""
        organization = next(iter(world.databases[place[0]].table("organization").values()))
        return organization.get("emailconnectionchannel") == 1

    def _finish(self, world: World, organization: str, mailbox_id: str) -> None:
        database = world.databases.get(organization)
        record = database.find("mailbox", mailbox_id) if database else None
        if database is None or record is None or not record.get("testemailconfigurationscheduled"):
            return
        missing = missing_link(world, organization, record)
        new = dict(record)
        new["testemailconfigurationscheduled"] = False
        new["testmailboxaccesscompletedon"] = instant()[:-5] + "Z"
        if missing is None:
            self._pass(world, organization, new)
        else:
            self._fail(world, organization, new, missing)
        chosen = [new[status] for _, _, status, _ in _chosen(new)]
        worst = FAILURE if FAILURE in chosen else SUCCESS
        new["mailboxstatus"] = worst if chosen else NOT_RUN
        database.touch("mailbox", new, mailbox_id)
        world.records_changed()
        self._simulation.ledger.record(
            "crm",
            "mailbox.tested",
            f"{organization}/mailboxes({mailbox_id})",
            CALLER,
            _results(record),
            _results(new),
            missing=missing.link if missing else None,
        )

    def _pass(self, world: World, organization: str, new: Record) -> None:
        """Every chosen direction works, except ACT of a mailbox that belongs to another organization."""
        new["testemailconfigurationretrycount"] = 0
        new["lastsyncerror"] = None
        for direction, (method, value, status, switch) in SYNCHRONIZATION.items():
            is_chosen = new.get(method) == value
            new[status] = SUCCESS if is_chosen else NOT_RUN
            new[switch] = is_chosen
            if is_chosen and direction == "act" and not self._own_act(world, organization, new):
                new[status], new[switch] = FAILURE, False
                alerts.other_organization(world, organization, new)
        if not any(new.get(status) == FAILURE for _, _, status, _ in SYNCHRONIZATION.values()):
            alerts.connected(world, organization, new)

    def _own_act(self, world: World, organization: str, new: Record) -> bool:
        """Take the mailbox for this organization, or say that another one has it.

        A mailbox synchronizes appointments, contacts and tasks with one organization only; a second
        one gets it where it is marked as primary. Source: "When would I want to use this check box?".
        """
        mailbox = exchange_mailbox(world, organization, new)
        own = next(iter(world.databases[organization].table("organization")))
        if mailbox is None:
            return False
        owner = mailbox.synchronizing_organization
        if owner in (None, own) or new.get("orgmarkedasprimaryforexchangesync"):
            if owner != own:
                mailbox.synchronizing_organization = own
                world.changed()
            new["isactsyncorgflagset"] = True
            return True
        return False

    @staticmethod
    def _fail(world: World, organization: str, new: Record, missing: Missing) -> None:
        count = new.get("testemailconfigurationretrycount")
        new["testemailconfigurationretrycount"] = (count if isinstance(count, int) else 0) + 1
        new["lastsyncerror"] = missing.text[:2048]
        new["lastsyncerrormachinename"] = missing.machine
        new["lastsyncerroroccurredon"] = instant()[:-5] + "Z"
        for method, value, status, switch in SYNCHRONIZATION.values():
            is_chosen = new.get(method) == value
            new[status] = FAILURE if is_chosen else NOT_RUN
            if is_chosen and missing.is_permanent:
                new[switch] = False
        alerts.failed(world, organization, new, missing)

    def _synchronize(self, world: World) -> None:
        """One cycle: what passed its test is synchronized, or gets an alert."""
        for name, database in world.databases.items():
            for key, record in list(database.table("mailbox").items()):
                if record.get("mailboxstatus") != SUCCESS or record.get("statecode") != 0:
                    continue
                new, now = dict(record), instant()[:-5] + "Z"
                new["lastsyncstartedon"] = now
                missing = missing_link(world, name, record)
                if missing is None:
                    times = record.get("processedtimes")
                    new["processedtimes"] = (times if isinstance(times, int) else 0) + 1
                    new["lastsuccessfulsynccompletedon"] = now
                else:
                    self._fail(world, name, new, missing)
                    new["mailboxstatus"] = FAILURE
                database.touch("mailbox", new, key)
            world.records_changed()


def exchange_mailbox(world: World, organization: str, record: Record) -> ExchangeMailbox | None:
    """The mailbox in Exchange Online behind a mailbox record."""
    for entry in world.deployment.organizations:
        if entry.unique_name == organization and entry.tenant_id:
            tenant = world.tenant(entry.tenant_id)
            address = str(record.get("emailaddress")).lower()
            return tenant.exchange.mailboxes.get(address) if tenant else None
    return None


def _chosen(record: Record) -> list[tuple[str, int, str, str]]:
    return [entry for entry in SYNCHRONIZATION.values() if record.get(entry[0]) == entry[1]]


def _results(record: Record) -> dict[str, object]:
    names = [status for _, _, status, _ in SYNCHRONIZATION.values()]
    return {name: record.get(name) for name in [*names, "mailboxstatus"]}
