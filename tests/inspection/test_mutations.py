"""Any bytes at all: the inspector answers with codes it knows, and raises nothing on the way."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import cryptography_vectors
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.pki import Issued
from sync_setup.inspection.child.answer import Answer, Given
from sync_setup.inspection.child.inspecting import inspect_either, inspect_pfx, inspect_public
from sync_setup.inspection.report import report_of
from tests.inspection import making
from tests.inspection.conftest import AT

BOUNDED = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

Mutation = tuple[int, bytes, int]
MUTATIONS = st.lists(
    st.tuples(st.integers(0, 4000), st.binary(max_size=6), st.integers(0, 6)),
    min_size=1,
    max_size=6,
)


def _mutated(data: bytes, mutations: list[Mutation]) -> bytes:
    for position, inserted, removed in mutations:
        at = position % (len(data) + 1)
        data = data[:at] + inserted + data[at + removed :]
    return data


def _answers(inspect: Callable[[Given], Answer], data: bytes, password: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = inspect(Given(data, password, AT))
    assert report_of(answer, AT).verdict in ("accept", "warn", "reject")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("cert-none-key-none.p12", "cryptography"),
        ("no-password.p12", ""),
        ("java-truststore.p12", ""),
        ("name-all-no-pwd.p12", ""),
    ],
)
@BOUNDED
@given(mutations=MUTATIONS)
def test_a_changed_public_file_gets_an_answer(
    name: str, password: str, mutations: list[Mutation]
) -> None:
    with cryptography_vectors.open_vector_file(f"pkcs12/{name}", "rb") as file:
        data: bytes = file.read()

    _answers(inspect_pfx, _mutated(data, mutations), password)


@BOUNDED
@given(mutations=MUTATIONS)
def test_a_changed_file_without_mac_gets_an_answer(good: Issued, mutations: list[Mutation]) -> None:
    # Without a MAC the changes reach the readers of keys, certificates and attributes.
    data = making.without_protection(good)

    _answers(inspect_pfx, _mutated(data, mutations), "")


@BOUNDED
@given(mutations=MUTATIONS)
def test_a_changed_certificate_gets_an_answer(good: Issued, mutations: list[Mutation]) -> None:
    _answers(inspect_public, _mutated(good.der, mutations), "")
    _answers(inspect_either, _mutated(good.certificate_pem, mutations), "")


@BOUNDED
@given(data=st.binary(max_size=400), password=st.text(max_size=20))
def test_noise_gets_an_answer(data: bytes, password: str) -> None:
    for inspect in (inspect_pfx, inspect_public, inspect_either):
        _answers(inspect, b"\x30\x80\x02\x01\x03" + data, password)
        _answers(inspect, data, password)
