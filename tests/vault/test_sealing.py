"""What is sealed comes back byte for byte, in a worker, and only on the row it was sealed for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.errors import NotFound
from portal.vault.actions import open_secret, seal_secret
from portal.vault.models import Secret
from tests.vault.conftest import again, sealed

pytestmark = pytest.mark.usefixtures("database_url", "worker")

ODD = [
    b"",
    b"\x00",
    b"\x00" * 64,
    b"\xff\xfe\x00",
    b"$encrypted$AAAA$not-ours",
    b"gAAAAABlooks-like-a-fernet-token==",
    "pässwörd 🔑".encode(),
    bytes(range(256)) * 256,
]
# One database for all examples: every example seals a row of its own.
BOUNDED = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def refused(secret: Secret) -> None:
    with pytest.raises(NotFound) as caught:
        open_secret(secret)
    assert caught.value.code == "SSS-SECRET-KEY"


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_odd_bytes_come_back_as_they_were(value: bytes) -> None:
    assert open_secret(again(sealed(value))).reveal() == value


@BOUNDED
@given(value=st.binary(max_size=2048))
def test_any_bytes_come_back_as_they_were(value: bytes) -> None:
    assert open_secret(again(sealed(value))).reveal() == value


@BOUNDED
@given(
    value=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=64),
    label=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=64),
)
def test_any_text_comes_back_whatever_the_label(value: str, label: str) -> None:
    assert open_secret(again(sealed(value.encode(), label=label))).text() == value


def test_the_row_holds_neither_the_value_nor_two_equal_ciphertexts() -> None:
    value = b"one and the same value, long enough to be seen"

    first, second = again(sealed(value)), again(sealed(value))

    for secret in (first, second):
        assert value not in bytes(secret.ciphertext or b"")
        assert value not in bytes(secret.sealed_data_key or b"")
    assert bytes(first.ciphertext or b"") != bytes(second.ciphertext or b"")
    assert bytes(first.sealed_data_key or b"") != bytes(second.sealed_data_key or b"")


def test_history_tells_of_the_sealing_without_the_value(mira: Person, scope: Scope) -> None:
    secret = seal_secret(
        b"hunter2-hunter2", kind=Secret.Kind.JOB, label="PFX password", by=mira, scope=scope
    )

    line = Entry.objects.get(event="secret.sealed", subject=f"vault.secret:{secret.pk}")
    assert (line.actor, line.scope) == (mira, scope)
    assert line.detail == {"label": "PFX password", "kind": "job"}


def test_opening_is_noted_on_the_row() -> None:
    secret = sealed()
    assert again(secret).used_at is None

    open_secret(again(secret))

    assert again(secret).used_at is not None


@pytest.mark.parametrize("column", ["ciphertext", "sealed_data_key"])
def test_a_part_of_another_row_does_not_open(column: str) -> None:
    one, other = sealed(b"one"), sealed(b"other")

    Secret.objects.filter(pk=one.pk).update(**{column: getattr(again(other), column)})

    refused(again(one))
    assert again(one).used_at is None
    assert open_secret(again(other)).reveal() == b"other"


def test_both_parts_of_another_row_do_not_open_either() -> None:
    one, other = sealed(b"one"), again(sealed(b"other"))

    Secret.objects.filter(pk=one.pk).update(
        ciphertext=other.ciphertext, sealed_data_key=other.sealed_data_key, key_id=other.key_id
    )

    refused(again(one))


@pytest.mark.parametrize(
    ("column", "value"),
    [("label", "Client secret"), ("kind", "connection"), ("label", "PFX file|"), ("label", "")],
)
def test_a_row_that_says_something_else_does_not_open(column: str, value: str) -> None:
    secret = sealed()

    Secret.objects.filter(pk=secret.pk).update(**{column: value})

    refused(again(secret))


def test_a_row_of_another_scope_does_not_open(scope: Scope) -> None:
    fabrikam = Scope.objects.create(kind="organization", slug="fabrikam", title="Fabrikam")
    of_contoso, of_nobody = sealed(scope=scope), sealed()

    Secret.objects.filter(pk=of_contoso.pk).update(scope=fabrikam)
    Secret.objects.filter(pk=of_nobody.pk).update(scope=scope)

    refused(again(of_contoso))
    refused(again(of_nobody))
    Secret.objects.filter(pk=of_contoso.pk).update(scope=None)
    refused(again(of_contoso))


def test_a_copy_of_a_row_under_another_id_does_not_open() -> None:
    secret = sealed()
    copy = again(secret)
    copy.pk = uuid.uuid4()
    copy.save(force_insert=True)

    refused(again(copy))
    assert open_secret(again(secret)).reveal() == b"the value"


@BOUNDED
@given(data=st.data())
def test_no_changed_bit_and_no_cut_part_opens(data: Any) -> None:
    secret = again(sealed())
    column = data.draw(st.sampled_from(["ciphertext", "sealed_data_key"]))
    whole = bytearray(bytes(getattr(secret, column)))
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(whole) * 8 - 1))
        whole[place // 8] ^= 1 << place % 8
    else:
        whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
    setattr(secret, column, bytes(whole))

    refused(secret)
