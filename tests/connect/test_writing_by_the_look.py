"""Between a look and the change somebody else changes the same thing: the change is by the look, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from portal.errors import Conflict, Refused
from portal.jobs.step import Step
from sync_setup.context import SetupContext
from sync_setup.gateways.dynamics import MAILBOXES, ORGANIZATIONS, PROFILES
from sync_setup.gateways.identifiers import KeyId, ProfileId, RecordId
from sync_setup.plans import PROFILE_NAME
from sync_setup.server_profiles import ACTIVE, INACTIVE, OWNER, STATE, to_write
from sync_setup.steps.change_server_profile import ChangeServerProfile
from sync_setup.steps.prove_pilot_mailbox import ProvePilotMailbox
from sync_setup.steps.register_token_certificate import RegisterTokenCertificate
from sync_setup.steps.restart_async_services import RestartAsyncServices
from sync_setup.steps.write_authorization_server import PRINCIPAL, WriteAuthorizationServer
from sync_setup.steps.write_organization_defaults import WriteOrganizationDefaults
from sync_setup.steps.write_server_profile import WriteServerProfile
from tests.connect.at_hand import AtHand, gaps_of, order_of

NEW_PROFILE = "11111111-2222-4333-8444-555555555555"


def _touch(context: SetupContext, entity_set: str, record_id: str, **fields: Any) -> None:
    """What somebody else does meanwhile."""
    context.dynamics.update(entity_set, RecordId(record_id), fields, "*")


def _change(
    step: Step[SetupContext], context: SetupContext, look: Any, wanted: Mapping[str, Any]
) -> None:
    order = order_of(step, step.mark(context, look))
    step.change(context, look, gaps_of(look, wanted), order)


def test_a_stale_list_of_keys_takes_no_key_away(at_hand: AtHand) -> None:
    step = RegisterTokenCertificate()
    other = at_hand.issue("somebody-elses.contoso.example", key=at_hand.good.private_key)
    with at_hand.at_work() as context:
        graph = context.graph
        principal = graph.service_principal().id
        graph.add_key_credential(
            principal,
            key_id=KeyId("99999999-0000-4000-8000-000000000009"),
            certificate_der=other.der,
            display_name="somebody else",
            not_before=other.certificate.not_valid_before_utc,
            not_after=other.certificate.not_valid_after_utc,
        )
        look = step.look(context, None)
        wanted = step.wanted(context, look, [])
        at_hand.simulator.add_dial(
            where="graph", match="^GET .*servicePrincipals/", fault="stale", seconds=60, times=1
        )

        with pytest.raises(Conflict) as stale:
            _change(step, context, look, wanted)
        assert stale.value.code == "SSS-GRAPH-OLD-LIST"
        _change(step, context, look, wanted)

        seen = [key["id"] for key in look.shown["keys"]]
        assert set(seen) < {key.key_id for key in graph.key_credentials(principal)}


def test_settings_are_expected_as_the_look_saw_them(at_hand: AtHand) -> None:
    step = WriteAuthorizationServer()
    with at_hand.at_work() as context:
        look = step.look(context, None)
        wanted = step.wanted(context, look, [])
        at_hand.arrange("deployment/authorization_server_principal_id", "somebody else's")

        with pytest.raises(Conflict) as unexpected:
            _change(step, context, look, wanted)

    assert unexpected.value.code == "SSS-WINRM-UnexpectedState"
    assert unexpected.value.detail["changed"] == "No"
    assert look.fields[PRINCIPAL] is None
    assert at_hand.effects() == []


def test_a_profile_is_written_in_the_version_of_the_look(at_hand: AtHand) -> None:
    profile = at_hand.add_profile(name=PROFILE_NAME, servertype=3, statecode=INACTIVE)
    step = WriteServerProfile()
    with at_hand.at_work() as context:
        look = step.look(context, None)
        wanted = step.wanted(context, look, [])
        _touch(context, PROFILES, profile, incomingportnumber=993)
        with pytest.raises(Conflict):
            _change(step, context, look, wanted)

        look = step.look(context, None)
        _change(step, context, look, step.wanted(context, look, []))

        after = step.look(context, None).fields
    assert after == wanted
    assert after[STATE] == ACTIVE


def test_a_plan_may_change_nothing_but_the_owner(at_hand: AtHand) -> None:
    profile = at_hand.add_profile(name="Second", _ownerid_value=at_hand.portal_user_id)
    at_hand.inputs = {
        "profile_id": profile,
        "values": {},
        "profile_owner": "sss.pilot@contoso.example",
    }
    step = ChangeServerProfile()
    with at_hand.at_work() as context:
        look = step.look(context, None)
        wanted = step.wanted(context, look, [])
        assert list(gaps_of(look, wanted)) == [OWNER]

        _change(step, context, look, wanted)

        assert step.look(context, None).fields[OWNER] == at_hand.pilot_user_id


def test_defaults_are_written_in_the_version_of_the_look(at_hand: AtHand) -> None:
    at_hand.inputs["set_defaults"] = True
    step = WriteOrganizationDefaults()
    with at_hand.at_work() as context:
        look = step.look(context, None)
        profile = next(iter(at_hand.table("emailserverprofile")))
        wanted = dict(step.wanted(context, look, [])) | {"default email server profile": profile}
        _touch(
            context, ORGANIZATIONS, look.shown["organization"], requireapprovalforqueueemail=False
        )

        with pytest.raises(Conflict):
            _change(step, context, look, wanted)

        assert step.look(context, None).fields == look.fields


def test_the_pilot_is_written_in_the_version_of_the_look(at_hand: AtHand) -> None:
    step = ProvePilotMailbox()
    with at_hand.at_work() as context:
        context.dynamics.create_server_profile(
            ProfileId(RecordId(NEW_PROFILE)), to_write({"name": "New", "servertype": 3})
        )
        look = step.look(context, None)
        wanted = dict(step.wanted(context, look, [])) | {"_emailserverprofile_value": NEW_PROFILE}
        _touch(context, MAILBOXES, look.fields["mailbox"], actdeliverymethod=0)
        with pytest.raises(Conflict):
            _change(step, context, look, wanted)
        assert not context.pilot().fields["testemailconfigurationscheduled"]

        look = step.look(context, None)
        _change(step, context, look, wanted)

        assert context.pilot().fields["_emailserverprofile_value"] == NEW_PROFILE
        assert context.pilot().fields["testemailconfigurationscheduled"]


def test_an_approval_that_is_refused_does_not_take_the_rest_with_it(at_hand: AtHand) -> None:
    at_hand.arrange_mailbox(at_hand.pilot_id, emailrouteraccessapproval=2)
    step = ProvePilotMailbox()
    with at_hand.at_work() as context:
        look = step.look(context, None)
        profile = next(iter(at_hand.table("emailserverprofile")))
        wanted = dict(step.wanted(context, look, [])) | {"_emailserverprofile_value": profile}
        for skip in (0, 2):  # both together, and the approval alone
            at_hand.simulator.add_dial(
                where="crm", match="^PATCH ", fault="status", status=403, skip=skip
            )

        with pytest.raises(Refused):
            _change(step, context, look, wanted)

        assert context.pilot().fields["_emailserverprofile_value"] == profile
        assert not context.pilot().fields["testemailconfigurationscheduled"]


def test_the_restart_goes_by_the_look(at_hand: AtHand) -> None:
    step = RestartAsyncServices()
    with at_hand.at_work() as context:
        look = step.look(context, None)
        mark = step.mark(context, look)
        names = {tuple(effect) for effect in look.shown["services"].values()}
        assert ("CRM-APP02", "MSCRMAsyncService", "Async") in names

        step.change(
            context,
            look,
            gaps_of(look, dict.fromkeys(look.fields, "restarted")),
            order_of(step, mark),
        )

        assert set(step.look(context, mark).fields.values()) == {"restarted"}
