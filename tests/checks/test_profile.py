from __future__ import annotations

import json

from portal.jobs.states import Verdict
from sync_setup.checks.profile import ProfileName, ProfileOwner
from sync_setup.plans import PROFILE_NAME
from tests.checks.company import PILOT, Company, expect

NAME, OWNER = ProfileName(), ProfileOwner()


def test_a_free_name_passes(company: Company) -> None:
    expect(company.find(NAME), Verdict.PASS, "is free")


def test_its_own_profile_passes(company: Company) -> None:
    company.add_profile(name=PROFILE_NAME, servertype=3, statecode=0)
    expect(company.find(NAME), Verdict.PASS, "will be changed")


def test_an_inactive_profile_is_a_warning(company: Company) -> None:
    company.add_profile(name=PROFILE_NAME, servertype=3, statecode=1)
    expect(company.find(NAME), Verdict.WARN, "activates it")


def test_a_profile_of_another_kind_blocks(company: Company) -> None:
    company.add_profile(name=PROFILE_NAME, servertype=1, statecode=0)
    expect(company.find(NAME), Verdict.BLOCK, "POP3/SMTP")


def test_two_profiles_of_the_name_block(company: Company) -> None:
    company.add_profile(name=PROFILE_NAME, servertype=3, statecode=0)
    company.add_profile(name=PROFILE_NAME, servertype=3, statecode=0)
    expect(company.find(NAME), Verdict.BLOCK, "2 profiles")


def test_another_spelling_is_a_warning(company: Company) -> None:
    company.add_profile(name=PROFILE_NAME.upper(), servertype=3, statecode=0)
    expect(company.find(NAME), Verdict.WARN, PROFILE_NAME.upper(), "upper and lower case")


def test_a_named_person_owns_the_profile(company: Company) -> None:
    company.inputs["profile_owner"] = PILOT
    found = expect(company.find(OWNER), Verdict.PASS, "SSS Pilot")
    assert found.evidence["owner"] == company.pilot_user_id


def test_the_portals_own_user_is_a_warning(company: Company) -> None:
    expect(company.find(OWNER), Verdict.WARN, "nobody reads")


def test_a_name_that_fits_nobody_blocks(company: Company) -> None:
    company.inputs["profile_owner"] = "nobody@contoso.example"
    expect(company.find(OWNER), Verdict.BLOCK, "0 enabled users")


def test_a_disabled_owner_blocks(company: Company) -> None:
    company.add_profile(
        name=PROFILE_NAME, servertype=3, statecode=0, _ownerid_value=company.pilot_user_id
    )
    company.arrange_user(company.pilot_user_id, isdisabled=True)
    expect(company.find(OWNER), Verdict.BLOCK, "disabled")


def test_an_owner_without_an_address_is_a_warning(company: Company) -> None:
    user = company.pilot_user_id
    company.add_profile(name=PROFILE_NAME, servertype=3, statecode=0, _ownerid_value=user)
    company.arrange_user(user, internalemailaddress=None)
    expect(company.find(OWNER), Verdict.WARN, "no email address")


def test_a_team_may_own_it(company: Company) -> None:
    team = "7d9b2f3c-4a1e-4c56-9b0d-2f1e3a4b5c6d"
    assert json.dumps(team) not in json.dumps(company.table("systemuser"))
    company.add_profile(name=PROFILE_NAME, servertype=3, statecode=0, _ownerid_value=team)
    expect(company.find(OWNER), Verdict.PASS, "team")
