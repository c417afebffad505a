"""The reverse proxies, read by nginx itself; the one of a VM runs before a real web process."""

from __future__ import annotations

import datetime
import http.client
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.production.shipped import PRODUCTION
from tests.production.web_process import address_of, start_web
from tests.stack import Stack
from tests.waiting import wait_until

NAME = "sss.contoso.example"
pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="nginx is not on this machine"
)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Certificate, key and authority of the portal's name."""
    authority = trustme.CA()
    issued = authority.issue_cert(NAME, not_after=datetime.datetime(2099, 1, 1))  # noqa: DTZ001
    files = (tmp_path / "tls.pem", tmp_path / "tls.key", tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(files[0])
    issued.private_key_pem.write_to_path(files[1])
    authority.cert_pem.write_to_path(files[2])
    return files


def _main(folder: Path, site: str) -> Path:
    """Write a whole nginx configuration around a site, keeping every file in the folder."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log info;\ndaemon off;\nuser root;\n"
        f"events {{}}\nhttp {{\n{temporary}{site}\n}}\n"
    )
    return main


def _approves(main: Path) -> str:
    done = subprocess.run(["nginx", "-t", "-c", str(main)], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr


def test_nginx_reads_the_compose_configuration(
    tmp_path: Path, certificate: tuple[Path, Path, Path]
) -> None:
    text = (PRODUCTION / "nginx-compose.conf").read_text()
    # The image has a newer nginx, which wants this as a directive; before 1.25 there is none.
    text = text.replace("        http2 on;\n", "").replace("/tmp/", f"{tmp_path}/")  # noqa: S108
    text = text.replace("/run/secrets/tls_certificate", str(certificate[0]))
    text = text.replace("/run/secrets/tls_key", str(certificate[1]))
    main = tmp_path / "compose.conf"
    main.write_text(text)
    assert _approves(main) == ""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Proxy:
    plain_port: int
    tls_port: int
    authority: Path
    folder: Path

    def ask(
        self, method: str, path: str, body: bytes = b"", *, tls: bool = True, **headers: str
    ) -> Answer:
        """Ask as a browser would that resolves the portal's name to this machine."""
        wire = socket.create_connection(
            ("127.0.0.1", self.tls_port if tls else self.plain_port), 10
        )
        if tls:
            context = ssl.create_default_context(cafile=str(self.authority))
            wire = context.wrap_socket(wire, server_hostname=NAME)
        connection = http.client.HTTPConnection(NAME)
        connection.sock = wire
        connection.request(
            method,
            path,
            body or None,
            {name.replace("_", "-"): text for name, text in headers.items()},
        )
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Answer(answer.status, answer.headers, body)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def proxy(stack: Stack, tmp_path: Path, certificate: tuple[Path, Path, Path]) -> Iterator[Proxy]:
    """The VM's proxy on free ports before a real web process with production settings."""
    stack.environment |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_VAR": str(tmp_path / "var"),
        "PORTAL_ORIGIN": f"https://{NAME}",
        "TLS_ENDS_AT_PROXY": "yes",
        "LOG_LEVEL": "DEBUG",
    }
    stack.command("collectstatic", "--noinput")
    address = address_of(start_web(stack))
    plain, tls = _free_port(), _free_port()
    site = (PRODUCTION / "nginx-vm.conf").read_text()
    site = re.sub(r"(?m)^ *listen \[::\].*\n", "", site)
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"),
        ("http://127.0.0.1:8000", f"http://{address}"),
        ("/etc/sss-portal/secrets/tls_certificate.pem", str(certificate[0])),
        ("/etc/sss-portal/secrets/tls_key.pem", str(certificate[1])),
        ("/var/log/nginx/", f"{tmp_path}/"),
    ):
        assert old in site, old
        site = site.replace(old, new)
    main = _main(tmp_path, site)
    assert _approves(main) == ""
    server = subprocess.Popen(["nginx", "-c", str(main)], stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", tls)) == 0

    try:
        wait_until(listens)
        yield Proxy(plain, tls, certificate[2], tmp_path)
    finally:
        server.terminate()
        server.wait(20)


def test_proxy_and_portal_together(proxy: Proxy) -> None:
    moved = proxy.ask("GET", "/history/?a=b", tls=False)
    assert moved.status == 308
    assert moved.headers["Location"] == f"https://{NAME}/history/?a=b"

    page = proxy.ask("GET", "/sign-in/?code=canary-of-a-code", X_Forwarded_Proto="http")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Request-Id"]
    assert "__Host-" in page.headers["Set-Cookie"]

    style = re.search(rb'href="(/static/portal[^"]*\.css)"', page.body)
    assert style
    assert proxy.ask("GET", style.group(1).decode()).status == 200

    assert proxy.ask("GET", "/health/").status == 404

    large = proxy.ask("POST", "/sign-in/begin/", b"canary-of-a-key" * 140_000)
    assert large.status == 413
    assert b"choose the right file" in large.body

    # Nearly as large as is taken, and nothing of it on a disk.
    refused = proxy.ask("POST", "/sign-in/begin/", b"canary-of-a-key" * 60_000)
    assert refused.status == 403  # no CSRF token
    kept = [path for path in proxy.folder.rglob("*") if path.is_file()]
    assert not any(b"canary" in path.read_bytes() for path in kept)
    assert "buffered to a temporary file" not in (proxy.folder / "error.log").read_text()
    assert "GET /sign-in/ 200" in (proxy.folder / "sss-portal.log").read_text()
