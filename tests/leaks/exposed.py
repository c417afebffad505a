"""The portal at work with known secrets, and everything that anybody could read of it."""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from portal.access.models import Person, Role, Scope
from portal.jobs.models import Job
from simulator.pki import Issued, Pki
from simulator.sample_certificates import good_certificate
from sync_setup.models import EntraTenant
from tests.conftest import make_person
from tests.connect.company import Company
from tests.environment import FOLDER
from tests.leaks.needles import Canary
from tests.leaks.stored import crawl, database_bytes, database_log
from tests.leaks.visitor import Visitor
from tests.leaks.watching import Watcher, monitor
from tests.production.web_process import address_of, start_web
from tests.simulator_process import SimulatorProcess
from tests.stack import Process, Stack
from tests.waiting import wait_until

SLICE = 48
# Of the portal's folder: keys, files of pages, and what belongs to the simulator.
APART = ("keys", "static", "leaks-simulator", "simulator", "journey-simulator", "wsman.jsonl")


class Exposed:
    """One portal of real processes before the simulated company, watched from its start.

    :ivar planted: no secret, but a word put on purpose into every place, to see that it is searched.
    """

    def __init__(self, stack: Stack, company: Company, folder: Path, wsman: Path) -> None:
        self.stack, self.company, self.simulator = stack, company, company.simulator
        self._began = time.time() - 1
        self.planted = f"planted{secrets.token_hex(16)}"
        self.wrong_password = new_secret()
        self.pfx_password, self.client_secret = new_secret(), new_secret()
        self.issued = company_certificate(self.simulator)
        self.pfx = self.issued.to_pfx(self.pfx_password, friendly_name="CRM server to server")
        self._wsman, self._wsman_from = wsman, wsman.stat().st_size
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        # With Redis nobody makes it; nothing may come into it then either.
        (FOLDER / "broker").mkdir(exist_ok=True)
        stack.environment |= {"TMPDIR": str(self.temporary), "LOG_LEVEL": "DEBUG"}
        self.visitors: list[Visitor] = []
        self.watcher = Watcher(
            lambda: [process.popen.pid for process in stack.processes],
            [self.temporary, FOLDER / "broker"],
        )
        self.monitor = monitor()
        self.watcher.start()
        self.web = start_web(stack, PORTAL_ORIGIN="http://localhost", PORTAL_HOSTS="*")
        self.origin = f"http://{address_of(self.web)}"

    def worker(self) -> Process:
        """Start a worker that says as much as it can."""
        environment = self.stack.environment | {
            "PORTAL_ROLE": "worker",
            "OPENING_KEY_FILE": str(self.stack.private_key),
        }
        arguments = [
            *(sys.executable, "-m", "celery", "-A", "portal", "worker"),
            *("-Q", "sss", "-c", "1", "--loglevel", "DEBUG"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
        log = self.stack.folder / f"worker-{len(self.stack.processes)}.log"
        process = Process(arguments, environment, log)
        self.stack.processes.append(process)
        process.wait_for(" ready.")
        return process

    def visitor(self, person: Person) -> Visitor:
        self.visitors.append(Visitor(self.origin, person))
        return self.visitors[-1]

    def enter_client_secret(self, admin: Visitor) -> None:
        """The tenant's administrator gives the setup app a new secret; an admin enters it."""
        tenant = EntraTenant.objects.get()
        page = f"/settings/tenants/{tenant.pk}/"
        app = self.company.addresses["setup_app"]["client_id"]
        path = f"tenants/0/applications/{app}"
        self.simulator.set_world(f"{path}/secrets/0/value", self.client_secret)
        # What is put back after a job must have the new one too.
        self.company.setup_app["secrets"][0]["value"] = self.client_secret
        form = {"client_id": app, "access": "secret", "secret": self.client_secret}
        assert admin.post(page, data=form | {"access": "neither"}).status_code == 422
        assert admin.post(page, data=form).status_code == 302

    def upload(self, visitor: Visitor, page: str, password: str, **more: Any) -> int:
        """Send the certificate file and a password to a draft; give the status."""
        files = {"pfx": ("crm.pfx", self.pfx)}
        return visitor.post(page, data={"password": password}, files=files, **more).status_code

    @property
    def canaries(self) -> list[Canary]:
        addresses, key = self.company.addresses, self.issued.private_key
        assert isinstance(key, rsa.RSAPrivateKey)
        numbers = key.private_numbers()
        opening = self.stack.private_key.read_bytes().splitlines()
        found = [
            Canary("PFX password", self.pfx_password.encode()),
            Canary("wrong PFX password", self.wrong_password.encode()),
            Canary("client secret", self.client_secret.encode()),
            Canary("CRM password", addresses["crm_user"]["password"].encode()),
            Canary("WinRM password", addresses["winrm_user"]["change"]["password"].encode()),
            Canary("SECRET_KEY", settings.SECRET_KEY.encode()),
            Canary("opening key", b"".join(opening[1:-1])),
            Canary("private key, p", numbers.p.to_bytes(128, "big")[:SLICE]),
            Canary("private key, d", numbers.d.to_bytes(256, "big")[:SLICE]),
        ]
        for part in (1, 2, 3):
            begin = len(self.pfx) * part // 4
            found.append(Canary(f"PFX file at {part}/4", self.pfx[begin : begin + SLICE]))
        return found

    def messages(self) -> dict[str, bytes]:
        """What WinRM carried in this test, by kind; parameters by their function and name."""
        found: dict[str, bytearray] = defaultdict(bytearray)
        with self._wsman.open("rb") as file:
            file.seek(self._wsman_from)
            for line in file:
                row = json.loads(line)
                kind = row["name"] if row["kind"] == "parameter" else row["kind"]
                found[kind] += base64.b64decode(row["data"]) + b"\n"
        return {kind: bytes(data) for kind, data in found.items()}

    def plant(self, requester: Visitor) -> None:
        """Put the planted word wherever the run itself does not bring it. Call it while all runs."""
        word = self.planted
        for folder in (FOLDER, self.temporary, FOLDER / "broker"):
            (folder / f"{word}.part").write_text(word)
        decoy = Process(
            [sys.executable, "-c", "import time; time.sleep(60)", word],
            self.stack.environment | {"PLANTED": word},
            self.stack.folder / "decoy.log",
        )
        self.stack.processes.append(decoy)
        wait_until(lambda: self.searched(self.watcher.arguments, self.watcher.environments))
        wait_until(lambda: self.searched(list(self.watcher.files.values())))
        decoy.kill_tree()
        self.stack.processes.remove(decoy)
        if self.monitor is not None:
            self._plant_in_redis(word)
        assert requester.get(f"/{word}/").status_code == 404
        self.simulator.session.get(f"{self.company.addresses['entra']}/{word}", timeout=30)

    def _plant_in_redis(self, word: str) -> None:
        assert self.monitor is not None
        url = settings.REDIS_URL.removeprefix("redis+socket://")
        with redis.Redis(unix_socket_path=url) as client:
            client.set(word, word, ex=60)
        wait_until(lambda: word.encode() in (self.monitor.heard if self.monitor else b""))

    def searched(self, *collections: Any) -> bool:
        word = self.planted.encode()
        return all(any(word in data for data in list(found)) for found in collections)

    def close(self) -> None:
        """Stop watching."""
        self.watcher.stop()
        if self.monitor is not None:
            self.monitor.stop()
        for visitor in self.visitors:
            visitor.close()

    def places(self, people: dict[str, Person | None], seeds: list[str]) -> dict[str, bytes]:
        """Everything that anybody could read, by where it is. In each the planted word must stand."""
        places = {
            "database": database_bytes(self.stack.environment["DATABASE_URL"]),
            "answers of the web process": b"\n".join(
                answer for visitor in self.visitors for answer in visitor.answers
            ),
            "process arguments": b"\n".join(self.watcher.arguments),
            "environments": b"\n".join(self.watcher.environments),
            "the portal's folder": b"\n".join(self._left_in_folder()),
            "exported history": self._exported(),
            "ledger": json.dumps(self.simulator.ledger()).encode(),
            "calls": json.dumps(self.simulator.calls()).encode(),
            "folders while it ran": b"\n".join(
                [*self.watcher.files.values(), *(path.encode() for path, _ in self.watcher.files)]
            ),
        }
        for process in self.stack.processes:
            with process.log_file.open("a") as log:
                log.write(f"{self.planted}\n")
            places[f"log {process.log_file.name}"] = process.log_file.read_bytes()
        if self.monitor is not None:
            places["redis"] = bytes(self.monitor.heard)
        for role, person in people.items():
            pages = crawl(person, [*seeds, f"/history/?q={self.planted}"])
            places[f"pages of {role}"] = b"\n".join(pages.values())
        return places

    def _exported(self) -> bytes:
        """History and jobs as programs read them."""
        said = [
            self.stack.command("sss", *verb, "--json", "--as", "mira")
            for verb in (["history", "--limit", "10000"], ["show", Job.objects.earliest("pk").name])
        ]
        return "\n".join(done.stdout + done.stderr for done in said).encode()

    def _left_in_folder(self) -> Iterator[bytes]:
        """Names and contents of what this test left in the portal's folder, database and keys apart."""
        for path in FOLDER.rglob("*"):
            apart = path.relative_to(FOLDER).parts[0] in APART or path.suffix.startswith(".sqlite3")
            if not apart and path.is_file() and path.stat().st_mtime >= self._began:
                yield str(path).encode() + b"\n" + path.read_bytes()

    def others(self) -> dict[str, bytes]:
        """Places into which nothing can be planted safely."""
        return {"PostgreSQL's log": database_log()}


def new_secret() -> str:
    """A secret with everything that some way of writing escapes."""
    return f"{secrets.token_hex(12)}\"<&>'ü\\/+ ={secrets.token_hex(12)}"


def company_certificate(simulator: SimulatorProcess) -> Issued:
    """A certificate of the simulated company's own authority, made for this test alone."""
    pki = Pki.load_or_create(simulator.state_dir / "pki")
    return good_certificate(pki, dt.datetime.now(dt.UTC))


def people_of_every_role(scope: Scope) -> dict[str, Person | None]:
    """One person for each role, and nobody."""
    people: dict[str, Person | None] = {
        role: make_person(f"{role}-here", role, None) for role in Role.values
    }
    return people | {"nobody": None, "a viewer": make_person("vera", Role.VIEWER, scope)}
