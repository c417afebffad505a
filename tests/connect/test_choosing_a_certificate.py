from __future__ import annotations

import pytest

from portal.errors import BadInput
from sync_setup.certificates import StoredCertificate, choose_certificate
from sync_setup.gateways.contract import Certificate
from sync_setup.models import TokenCertificate
from tests.connect.at_hand import AtHand


def _as_told(found: Certificate) -> StoredCertificate:
    return StoredCertificate(found.thumbprint, found.sha256, found.subject, found.issuer, found.raw)


@pytest.mark.parametrize(("fact", "lie"), [("thumbprint", "A" * 40), ("sha256", "B" * 64)])
def test_a_server_that_gives_another_thumbprint_than_its_bytes_have_is_refused(
    at_hand: AtHand, fact: str, lie: str
) -> None:
    before = TokenCertificate.objects.count()
    at_hand.install("CRM-APP02", at_hand.good, **{fact: lie})
    with at_hand.context() as context:
        stored = context.server(context.server_named("CRM-APP02")).get_certificates()
    lying = next(row for row in stored if row.raw == at_hand.good.der)
    assert getattr(lying, fact) == lie

    with pytest.raises(BadInput) as refused:
        choose_certificate(at_hand.organization, _as_told(lying), by=at_hand.requester)

    assert refused.value.code == "SSS-CERT-MISMATCH"
    assert "not the one that its thumbprint names" in refused.value.message
    assert "administrator" in refused.value.remedy
    assert TokenCertificate.objects.count() == before


def test_one_that_tells_the_truth_is_taken(at_hand: AtHand) -> None:
    at_hand.install("CRM-APP02", at_hand.good)
    with at_hand.context() as context:
        stored = context.server(context.server_named("CRM-APP02")).get_certificates()
    honest = next(row for row in stored if row.raw == at_hand.good.der)

    kept = choose_certificate(at_hand.organization, _as_told(honest), by=at_hand.requester)

    assert kept.thumbprint == at_hand.good.thumbprint_sha1
