from __future__ import annotations

import uuid
from typing import Any

import pytest

from portal.errors import BadInput, Garbled, Refused, Unreachable
from sync_setup.gateways.dynamics_sign_in import (
    DynamicsCredential,
    DynamicsTarget,
    probe,
)
from tests.gateways.simulated import Simulator


@pytest.fixture
def claims(simulator: Simulator) -> Simulator:
    """Claims-based authentication and OAuth are on."""
    simulator.arrange("deployment/claims_enabled", True)
    simulator.arrange("deployment/oauth_enabled", True)
    return simulator


def target(simulator: Simulator, **more: Any) -> DynamicsTarget:
    url = f"{simulator.addresses['crm']}/ContosoSales"
    return DynamicsTarget(url, simulator.route(), **more)


def client_id(simulator: Simulator) -> str:
    return str(simulator.addresses["adfs_client"]["client_id"])


def test_without_claims_negotiate_is_asked_for(simulator: Simulator) -> None:
    assert probe(target(simulator)).kind == "negotiate"


def test_with_claims_the_organization_names_ad_fs_and_itself(claims: Simulator) -> None:
    challenge = probe(target(claims))

    assert challenge.kind == "oauth"
    assert challenge.authority == claims.addresses["adfs2019"]
    assert challenge.resource == f"{claims.addresses['crm']}/"


def test_an_ad_fs_that_was_entered_is_used_instead_of_the_named_one(claims: Simulator) -> None:
    other = claims.addresses["adfs2016"]

    assert probe(target(claims, authority=other)).authority == other
    with pytest.raises(BadInput):
        probe(target(claims, authority="http://sts.contoso.com"))


@pytest.mark.parametrize("kind", ["auto", "2019", "2016"])
def test_each_ad_fs_gives_a_token_in_its_own_way(claims: Simulator, kind: str) -> None:
    place = claims.addresses["adfs2016" if kind == "2016" else "adfs2019"]

    dynamics = claims.dynamics(upn=True, client_id=client_id(claims), authority=place, adfs=kind)

    assert dynamics.who_am_i().user_id
    assert dynamics.current_organization().unique_name == "ContosoSales"


def test_ad_fs_2016_does_not_understand_what_msal_sends(claims: Simulator) -> None:
    place = claims.addresses["adfs2016"]

    with pytest.raises(Refused):
        claims.dynamics(
            upn=True, client_id=client_id(claims), authority=place, adfs="2019"
        ).who_am_i()


def test_a_token_about_to_end_is_renewed(claims: Simulator) -> None:
    claims.set("adfs/token_seconds", 60)
    dynamics = claims.dynamics(upn=True, client_id=client_id(claims))
    dynamics.who_am_i()
    claims.dial("adfs2019", "status", status=503, times=-1)

    with pytest.raises(Exception, match="AD FS"):
        dynamics.who_am_i()


def test_a_fresh_token_is_used_again(claims: Simulator) -> None:
    dynamics = claims.dynamics(upn=True, client_id=client_id(claims))
    dynamics.who_am_i()
    claims.dial("adfs2019", "status", status=503, times=-1)

    assert dynamics.version()


@pytest.mark.parametrize("kind", ["auto", "2019"])
def test_refusals_of_ad_fs_keep_their_number_and_no_password(claims: Simulator, kind: str) -> None:
    known = client_id(claims)
    with pytest.raises(Refused) as unknown:
        claims.dynamics(upn=True, client_id=str(uuid.uuid4()), adfs=kind).who_am_i()
    with pytest.raises(Refused) as wrong:
        claims.dynamics(upn=True, client_id=known, password="wrong-password", adfs=kind).who_am_i()

    assert unknown.value.code == "SSS-ADFS-MSIS9223"
    assert wrong.value.code == "SSS-ADFS-MSIS9659"
    assert "wrong-password" not in f"{wrong.value} {wrong.value.detail}"


def test_a_wrong_password_is_tried_once(claims: Simulator) -> None:
    with pytest.raises(Refused):
        claims.dynamics(upn=True, client_id=client_id(claims), password="x").who_am_i()

    posts = [
        c
        for c in claims.control("GET", "/calls")
        if c["system"] == "adfs2019" and c["method"] == "POST"
    ]
    assert len(posts) == 1


def test_without_a_client_id_the_remedy_says_how_to_get_one(claims: Simulator) -> None:
    with pytest.raises(Refused) as refused:
        claims.dynamics(upn=True).who_am_i()

    assert refused.value.code == "SSS-ADFS-NO-CLIENT"
    assert "Add-AdfsClient" in refused.value.remedy


def test_an_ad_fs_without_a_configuration_is_too_old(claims: Simulator) -> None:
    claims.dial("adfs2019", "status", status=404, match="openid-configuration")

    with pytest.raises(Refused) as refused:
        claims.dynamics(upn=True, client_id=client_id(claims)).who_am_i()

    assert refused.value.code == "SSS-ADFS-TOO-OLD"


def test_claims_without_oauth_are_explained(claims: Simulator) -> None:
    claims.arrange("deployment/oauth_enabled", False)

    with pytest.raises(Refused) as refused:
        probe(target(claims))

    assert refused.value.code == "SSS-CRM-NO-OAUTH"
    assert "OAuthClaimsSettings" in refused.value.remedy


@pytest.mark.parametrize(
    ("dial", "code"),
    [
        (
            {
                "fault": "status",
                "status": 302,
                "body": "",
                "headers": {"Location": "https://sts.contoso.com/adfs/ls/?wa=wsignin1.0"},
            },
            "SIGN-IN-PAGE",
        ),
        ({"fault": "html", "status": 200}, "SIGN-IN-PAGE"),
        ({"fault": "status", "status": 200, "body": {"UserId": "x"}}, "NO-SIGN-IN"),
        (
            {
                "fault": "status",
                "status": 401,
                "body": "",
                "headers": {"WWW-Authenticate": "Bearer realm=x"},
            },
            "NO-AUTHORITY",
        ),
    ],
)
def test_what_is_no_challenge_is_explained(
    simulator: Simulator, dial: dict[str, Any], code: str
) -> None:
    simulator.dial("crm", **dial)

    with pytest.raises(Refused) as refused:
        probe(target(simulator))

    assert refused.value.code == f"SSS-CRM-{code}"
    assert refused.value.remedy


def test_a_challenge_cannot_send_the_password_to_just_anywhere(simulator: Simulator) -> None:
    for where in ("http://sts.contoso.com", "https://169.254.169.254", "https://a@b"):
        header = f"Bearer authorization_uri={where}/adfs/oauth2/authorize, resource_id=https://x/"
        simulator.dial("crm", "status", status=401, body="", headers={"WWW-Authenticate": header})
        with pytest.raises(BadInput):
            probe(target(simulator))


def test_an_unreadable_answer_of_ad_fs_is_garbled(claims: Simulator) -> None:
    claims.dial("adfs2019", "html", match="POST")
    with pytest.raises(Garbled):
        claims.dynamics(upn=True, client_id=client_id(claims)).who_am_i()

    claims.dial("adfs2019", "refused")
    with pytest.raises(Unreachable) as unreachable:
        claims.dynamics(upn=True, client_id=client_id(claims)).who_am_i()
    assert not unreachable.value.sent


@pytest.mark.parametrize(
    "url", ["http://crm.contoso.com", "https://crm.contoso.com?x=1", "crm", "https://127.0.0.1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        DynamicsTarget(url).base()


def test_addresses_of_the_web_api() -> None:
    assert DynamicsTarget("https://crm.contoso.com/Sales/", api_version="9.1").base() == (
        "https://crm.contoso.com/Sales/api/data/v9.1"
    )
    assert DynamicsTarget("https://sales.contoso.com", api_version="../x").base().endswith("/v9.0")
    assert "s3cret" not in repr(DynamicsCredential("a", "s3cret"))
