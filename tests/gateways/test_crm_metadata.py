from __future__ import annotations

import pytest

from portal.errors import Garbled
from sync_setup.gateways.crm_metadata import EntityNames, fingerprint, read_metadata
from sync_setup.gateways.failures import Origin

ORIGIN = Origin("Dynamics", "CRM")
DOCUMENT = b"""<?xml version="1.0"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"
 xmlns="http://docs.oasis-open.org/odata/ns/edm"><edmx:DataServices><Schema Namespace="mscrm">
<EntityType Name="mailbox"><Property Name="name" Type="Edm.String"/>
<NavigationProperty Name="emailserverprofile" Type="mscrm.emailserverprofile"/></EntityType>
<EntityType Name="other"><Property Name="x" Type="Edm.String"/></EntityType>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_the_names_of_the_asked_entities_are_read() -> None:
    names = read_metadata(ORIGIN, DOCUMENT, ["mailbox", "nothing"])

    expected = EntityNames(frozenset({"name"}), frozenset({"emailserverprofile"}))
    assert names == {"mailbox": expected}
    assert fingerprint(names) == fingerprint(dict(names))
    assert fingerprint(names) != fingerprint({})


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        DOCUMENT[:200],
    ],
)
def test_what_is_no_metadata_is_garbled(document: bytes) -> None:
    with pytest.raises(Garbled):
        read_metadata(ORIGIN, document, ["mailbox"])
