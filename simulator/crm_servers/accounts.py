"""Who may sign in to the CRM servers, and what the SssPortal session configuration grants them."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Grant = Literal["Look", "Change", "None"]
UPN_SUFFIX = "contoso.example"


@dataclass(frozen=True)
class Account:
    """A Windows account of the simulated company.

    :ivar name: ``DOMAIN\\user``.
    :ivar grant: the role capability its AD group maps to; None = in neither group.
    :ivar certificate_name: subject common name or user principal name of the client certificate
        that WinRM maps to this account; empty for none.
    """

    name: str
    password: str = field(repr=False)
    grant: Grant = "None"
    certificate_name: str = ""

    @property
    def user_principal_name(self) -> str:
        """The other way to write the name: ``user@contoso.example``."""
        return f"{self.name.rpartition(chr(92))[2]}@{UPN_SUFFIX}"


@dataclass(frozen=True)
class Caller:
    """Who is on the other side of a shell."""

    account: str
    grant: Grant


class Accounts:
    """All accounts that a CRM server knows, however they sign in."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._by_name = {account.name.casefold(): account for account in accounts}
        self._by_name |= {account.user_principal_name.casefold(): account for account in accounts}
        self._by_certificate = {
            account.certificate_name.casefold(): account
            for account in accounts
            if account.certificate_name
        }
        _publish(accounts)

    def signed_in(self, name: str) -> Caller:
        """The caller that this authenticated name stands for."""
        account = self._by_name.get(name.casefold())
        return Caller(account.name, account.grant) if account else Caller(name, "None")

    def mapped(self, certificate_names: Iterable[str]) -> Caller | None:
        """The caller that a client certificate with these names is mapped to."""
        for name in certificate_names:
            account = self._by_certificate.get(name.casefold())
            if account:
                return Caller(account.name, account.grant)
        return None

    def password_fits(self, name: str, password: str) -> bool:
        """Whether the domain would sign this account in."""
        account = self._by_name.get(name.casefold())
        return account is not None and account.password == password


_published: dict[str, str] = {}
_file: list[Path] = []
_publishing = threading.Lock()


def _publish(accounts: Sequence[Account]) -> None:
    """Add accounts to the file from which pyspnego's NTLM acceptor takes its credentials.

    The acceptor knows no other way than the file named by NTLM_USER_FILE, so one file serves the
    whole process.
    """
    with _publishing:
        for account in accounts:
            domain, _, user = account.name.partition("\\")
            _published[f"{domain}:{user}"] = account.password
            _published[f":{account.user_principal_name}"] = account.password
        if not _file:
            handle, path = tempfile.mkstemp(prefix="simulator-accounts-")
            os.close(handle)
            _file.append(Path(path))
        lines = [f"{name}:{password}\n" for name, password in _published.items()]
        _file[0].write_text("".join(lines), encoding="utf-8")
        os.environ["NTLM_USER_FILE"] = str(_file[0])
