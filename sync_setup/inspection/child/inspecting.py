"""The inspection itself: from bytes to codes and facts, in the order that risks least."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sync_setup.inspection.child import ber
from sync_setup.inspection.child.answer import Answer, Given, refused
from sync_setup.inspection.child.container import (
    SHORTEST_SALT,
    Bag,
    Container,
    begins_like_pfx,
    is_too_costly,
    is_too_full,
    iterations,
    looks_like_pfx,
    open_bags,
    read_container,
)
from sync_setup.inspection.child.opening import Opened, open_safes, ways_in
from sync_setup.inspection.forms import LIMIT_BYTES, Form, unpack

_DAMAGED = "wrong_password_or_damaged"
_JAVA_KEYSTORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


class OpenPfx(NamedTuple):
    """A PFX that its password opened."""

    form: Form
    container: Container
    opened: Opened


def inspect_pfx(given: Given) -> Answer:
    """Judge a PFX. Whatever the file is like, an answer comes back, or the cage ends the process."""
    pfx = open_pfx(given)
    return judge(pfx, given) if isinstance(pfx, OpenPfx) else pfx


def judge(pfx: OpenPfx, given: Given) -> Answer:
    """The answer for an opened PFX."""
    # Imported late: half of the start-up time, and what cannot be opened does not need it.
    from sync_setup.inspection.child.reporting import report_pfx  # noqa: PLC0415

    bags = pfx.opened.bags
    codes = container_codes(pfx.container, bags, given.password) | set(pfx.form.notes)
    about = describe_container(pfx.container, bags, pfx.form)
    return {**report_pfx(pfx.opened, codes, given), "container": about}


def open_pfx(given: Given) -> OpenPfx | Answer:
    """The opened file, or the answer that says why it stays closed."""
    if len(given.data) > LIMIT_BYTES:
        return refused("file_too_large")
    form = unpack(given.data)
    if form.has_private_key:
        return refused("private_key_in_public_file")
    data = form.blocks[0][1]
    if not looks_like_pfx(data):
        return _not_a_pfx(form, data)
    try:
        container = read_container(data)
        bags = open_bags(container)
    except NotImplementedError as error:
        return refused("unsupported_algorithm", "container", unsupported=str(error))
    except ValueError:
        return refused(_DAMAGED, _damage(data))
    code = preflight(container, bags)
    opened = refused(code) if code else open_container(container, given.password)
    if isinstance(opened, Opened):
        return OpenPfx(form, container, opened)
    return {**opened, "container": describe_container(container, bags, form)}


def preflight(container: Container, bags: list[Bag]) -> str:
    """The code that the structure alone earns, no key derived; empty for none."""
    if is_too_costly(iterations(container, bags)):
        return "kdf_iterations_too_high"
    if sum(bag.is_key for bag in bags) > 1:
        return "several_private_keys"
    return "too_many_entries" if is_too_full(bags) else ""


def open_container(container: Container, password: str) -> Opened | Answer:
    """The opened container, or the answer that says why not."""
    try:
        ways = ways_in(container, password)
    except NotImplementedError as error:
        return refused("unsupported_algorithm", "container", unsupported=str(error))
    except ValueError:
        return refused(_DAMAGED, "mac_unusable")
    if not ways:
        return refused(_DAMAGED)
    try:
        opened = open_safes(container, ways)
    except NotImplementedError as error:
        return refused("unsupported_algorithm", "container", unsupported=str(error))
    except OverflowError:
        return refused("inspection_timeout", "hidden")
    except ValueError:
        # The MAC, where there is one, has already said that the password is right.
        return refused(_DAMAGED, "content" if container.mac else "")
    code = preflight(container, opened.bags)
    return refused(code) if code else opened


def inspect_public(given: Given) -> Answer:
    """Judge a certificate file without a key, such as one exported from a server."""
    # Imported late: see judge.
    from sync_setup.inspection.child.reporting import report_public  # noqa: PLC0415

    if len(given.data) > LIMIT_BYTES:
        return refused("file_too_large")
    form = unpack(given.data)
    if form.has_private_key:
        return refused("private_key_in_public_file")
    if len(form.certificates) > 1:
        return refused("several_certificates")
    return report_public(form, given)


def inspect_either(given: Given) -> Answer:
    """Judge a file by what it is: a certificate where it looks like one, else a PFX."""
    form = unpack(given.data[: LIMIT_BYTES + 1])
    labels = {label for label, _ in form.blocks}
    is_text = any("CERTIFICATE" in label for label in labels)
    inspect: Callable[[Given], Answer] = inspect_pfx
    if is_text or _is_certificate(form.blocks[0][1]):
        inspect = inspect_public
    return inspect(given)


def describe_container(container: Container, bags: list[Bag], form: Form) -> Answer:
    """What the file's packing is made of, for the report."""
    encryptions = [safe.encryption for safe in container.safes] + [bag.encryption for bag in bags]
    labels = [each.label for each in encryptions if each]
    mac = container.mac
    return {
        "algorithms": list(dict.fromkeys(labels)) or ["none"],
        "iterations": [each.stretch.iterations for each in encryptions if each],
        "mac": mac.label if mac else "none",
        "mac_iterations": mac.stretch.iterations if mac else 0,
        "encoding": ("DER" if container.is_der else "BER") if not form.notes else form.notes[0],
    }


def container_codes(container: Container, bags: list[Bag], password: str) -> set[str]:
    """Remarks on the packing."""
    encryptions = [safe.encryption for safe in container.safes] + [bag.encryption for bag in bags]
    used = [each for each in encryptions if each]
    salts = [each.stretch.salt for each in used]
    if container.mac:
        salts.append(container.mac.stretch.salt)
    said = {
        "legacy_rc2_40_container": any(each.cipher.strength == 40 for each in used),
        "pbes2_container_needs_ws2019_or_rewrap": any(each.is_pbes2 for each in used),
        "ber_or_trailing_data": not container.is_der,
        "empty_password": not password or not (used or container.mac),
        "short_salt": any(len(salt) < SHORTEST_SALT for salt in salts),
    }
    return {code for code, applies in said.items() if applies}


def _not_a_pfx(form: Form, data: bytes) -> Answer:
    if _is_certificate(data) or any("CERTIFICATE" in label for label, _ in form.blocks):
        return refused("no_private_key", "certificate_file")
    if not data:
        return refused(_DAMAGED, "empty")
    if data.startswith(_JAVA_KEYSTORES):
        return refused(_DAMAGED, "java_keystore")
    return refused(_DAMAGED, _damage(data) if begins_like_pfx(data) else "not_pkcs12")


def _damage(data: bytes) -> str:
    return "cut_off" if ber.missing_bytes(data) else "structure"


def _is_certificate(data: bytes) -> bool:
    """A sequence of a sequence, an algorithm and a bit string."""
    try:
        members = ber.children(ber.read_only(data))
    except ValueError:
        return False
    return [member.tag for member in members] == [ber.SEQUENCE, ber.SEQUENCE, ber.BIT_STRING]
