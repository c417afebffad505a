"""An opened secret gives nothing away by accident: not in text, logs, JSON, copies or reports of errors."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import pprint
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.template import Context, Engine
from django.views.debug import ExceptionReporter

from portal.vault.actions import open_secret, seal_secret
from portal.vault.models import Secret
from portal.vault.sealed import Sealed
from tests.vault.conftest import Role, again, sealed

VALUE = "correct-horse-battery-staple"
MASK = "Sealed(…)"


@pytest.fixture
def secret() -> Sealed:
    return Sealed(VALUE.encode())


def test_only_by_name_one_gets_to_the_value(secret: Sealed) -> None:
    assert secret.reveal() == VALUE.encode()
    assert secret.text() == VALUE


TEXTS: dict[str, Callable[[Sealed], str]] = {
    "str": str,
    "repr": repr,
    "ascii": lambda secret: ascii(secret).replace("\\u2026", "…"),
    "format": format,
    "f-string": lambda secret: f"{secret}",
    "f-string with !r": lambda secret: f"{secret!r}",
    "f-string with a width": lambda secret: f"{secret:>40}",
    "percent": lambda secret: "%s" % secret,  # noqa: UP031
    "str.format": lambda secret: "{}".format(secret),  # noqa: UP032
    "in a list": lambda secret: str([secret]),
    "in a dict": lambda secret: repr({"password": secret}),
    "pprint": lambda secret: pprint.pformat({"password": (secret,)}),
    "template": lambda secret: Engine().from_string("{{ s }}").render(Context({"s": secret})),
}


@pytest.mark.parametrize("way", TEXTS)
def test_every_way_to_write_it_masks_it(secret: Sealed, way: str) -> None:
    text = TEXTS[way](secret)

    assert MASK in text
    assert VALUE not in text


REFUSALS: dict[str, Callable[[Any], Any]] = {
    "json": json.dumps,
    "json in a dict": lambda secret: json.dumps({"password": secret}),
    "json of history": lambda secret: json.dumps([secret], cls=DjangoJSONEncoder),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy in a dict": lambda secret: copy.deepcopy({"password": secret}),
    "iteration": iter,
    "list": list,
    "bytes": bytes,
    "length": len,
    "index": lambda secret: secret[0],
    "contains": lambda secret: b"c" in secret,
    "concatenation": lambda secret: b"" + secret,
    "vars": vars,
    "join": "".join,
    "pickle": pickle.dumps,
    "oldest pickle": lambda secret: pickle.dumps(secret, 0),
}


@pytest.mark.parametrize("way", REFUSALS)
def test_every_way_to_carry_it_off_is_refused_without_the_value(secret: Sealed, way: str) -> None:
    with pytest.raises(TypeError) as caught:
        REFUSALS[way](secret)

    assert VALUE not in str(caught.value)


def test_json_that_falls_back_to_text_has_the_mask(secret: Sealed) -> None:
    assert json.loads(json.dumps({"password": secret}, default=str)) == {"password": MASK}


def test_it_takes_no_attributes_and_has_no_guessable_one(secret: Sealed) -> None:
    with pytest.raises(AttributeError):
        secret.note = "x"  # type: ignore[attr-defined]
    for name in ("value", "_value", "__value", "__dict__"):
        assert not hasattr(secret, name)


def test_two_of_the_same_value_do_not_compare_as_equal(secret: Sealed) -> None:
    assert secret != Sealed(VALUE.encode())
    others: list[object] = [VALUE, VALUE.encode()]
    assert secret not in others


def test_a_log_has_the_mask(secret: Sealed) -> None:
    stream = io.StringIO()
    log = logging.getLogger("tests.vault")
    log.propagate = False
    handler = logging.StreamHandler(stream)
    log.addHandler(handler)

    log.warning("opened %s and %r", secret, {"password": secret})
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("failed with %s", secret)
    log.removeHandler(handler)

    assert MASK in stream.getvalue()
    assert VALUE not in stream.getvalue()


def _fail(password: Sealed) -> None:
    inside = {"nested": [password]}
    raise RuntimeError(f"cannot use {password} of {inside}")


@pytest.mark.parametrize("debug", [False, True])
def test_a_report_of_an_error_with_all_locals_has_the_mask(
    secret: Sealed, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    try:
        _fail(secret)
    except RuntimeError:
        told = _report()
        locals_told = "".join(
            traceback.TracebackException(*sys.exc_info(), capture_locals=True).format()
        )

    assert MASK in told
    assert MASK in locals_told
    assert VALUE not in told + locals_told


def _report() -> str:
    """What Django would show or send about the error at hand, with the locals of every frame."""
    reporter = ExceptionReporter(None, *sys.exc_info())
    return reporter.get_traceback_text() + reporter.get_traceback_html()


@pytest.mark.usefixtures("database_url")
def test_a_report_of_a_failed_sealing_has_not_the_value(
    settings: Any, tmp_path: Path, sealing_with: Callable[[Path], None]
) -> None:
    settings.DEBUG = False
    sealing_with(tmp_path / "missing.pem")

    try:
        _seal()
    except ImproperlyConfigured:
        told = _report()

    assert "sealing_key" in told
    assert VALUE not in told


def _seal() -> None:
    # Not a local of this frame: what callers hold is for them to mask.
    seal_secret(VALUE.encode(), kind=Secret.Kind.JOB, label="PFX file", by=None)


@pytest.mark.usefixtures("database_url")
def test_a_report_of_a_failed_opening_has_not_the_value(settings: Any, become: Role) -> None:
    settings.DEBUG = False
    become("command")
    secret = again(sealed(VALUE.encode()))

    try:
        open_secret(secret)
    except ImproperlyConfigured:
        told = _report()

    assert "opening_key" in told
    assert VALUE not in told
