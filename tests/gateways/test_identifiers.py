from __future__ import annotations

import pytest

from portal.errors import BadInput
from sync_setup.gateways.identifiers import guid, tenant_id, thumbprint

CANONICAL = "11111111-2222-3333-4444-55555555abcd"


@pytest.mark.parametrize(
    "text",
    [
        "11111111-2222-3333-4444-55555555ABCD",
        " {11111111-2222-3333-4444-55555555abcd} ",
        "1111111122223333444455555555abcd",
    ],
)
def test_a_guid_is_read_in_its_usual_spellings(text: str) -> None:
    assert guid(text) == tenant_id(text) == CANONICAL


@pytest.mark.parametrize("text", ["", "contoso.com", "11111111-2222", "' or 1 eq 1"])
def test_what_is_no_guid_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        guid(text)


def test_a_thumbprint_is_read_as_the_certificate_dialog_shows_it() -> None:
    assert thumbprint("\u200e01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67") == (
        "0123456789ABCDEF0123456789ABCDEF01234567"
    )
    with pytest.raises(BadInput):
        thumbprint("0123")
