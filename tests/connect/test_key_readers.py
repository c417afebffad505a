from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.jobs.compare import compare
from simulator.crm_servers.stored_certificate import StoredCertificate
from sync_setup.context import SetupContext
from sync_setup.steps.install_token_certificate import InstallTokenCertificate
from tests.connect.at_hand import AtHand, gaps_of, order_of

STEP = InstallTokenCertificate()
SERVER, READERS = "CRM-APP02", "CRM-APP02: key readers"
ACCOUNTS = f"{SERVER}: accounts of its services"
FOREIGN = "S-1-5-21-9-1140"


def _with_readers(at_hand: AtHand, *readers: dict[str, Any]) -> None:
    """The chosen certificate is on the async server, its key readable for these."""
    stored = StoredCertificate.from_der(at_hand.good.der)
    at_hand.install(SERVER, at_hand.good)
    place = len(at_hand.simulator.world("deployment", "servers", SERVER, "certificates")) - 1
    assert stored.thumbprint == at_hand.good.thumbprint_sha1
    at_hand.arrange(f"deployment/servers/{SERVER}/certificates/{place}/key_readers", list(readers))


def _reader(account: str, sid: str, rights: str = "Read") -> dict[str, Any]:
    return {"account": account, "sid": sid, "rights": rights, "added_by_portal": False}


def _service_sid(at_hand: AtHand) -> str:
    return str(at_hand.simulator.world("deployment", "servers", SERVER, "services", 0, "sid"))


def _planned(context: SetupContext) -> tuple[dict[str, Any], dict[str, Any]]:
    look = STEP.look(context, None)
    return dict(look.fields), dict(STEP.wanted(context, look, []))


def test_an_account_is_told_by_its_sid_and_shown_by_its_name(at_hand: AtHand) -> None:
    sid = _service_sid(at_hand)
    _with_readers(at_hand, _reader("contoso\\SVC-CRMASYNC", sid), _reader("CONTOSO\\adfs", FOREIGN))

    with at_hand.context() as context:
        before, wanted = _planned(context)

    assert before[READERS] == sorted(
        [f"CONTOSO\\adfs ({FOREIGN})", f"CONTOSO\\svc-crmasync ({sid})"]
    )
    assert wanted[READERS] == before[READERS]


def test_other_rights_and_those_of_windows_do_not_count(at_hand: AtHand) -> None:
    sid = _service_sid(at_hand)
    _with_readers(
        at_hand,
        _reader("NT-AUTORITÄT\\SYSTEM", "S-1-5-18", "FullControl"),
        _reader("CONTOSO\\svc-crmasync", sid, "Other"),
        _reader("CONTOSO\\adfs", FOREIGN, "FullControl"),
    )

    with at_hand.context() as context:
        look = STEP.look(context, None)
        wanted = STEP.wanted(context, look, [])
        assert look.fields[READERS] == [f"CONTOSO\\adfs ({FOREIGN})"]
        gaps = {READERS: gaps_of(look, wanted)[READERS]}
        STEP.change(context, look, gaps, order_of(STEP))
        assert STEP.look(context, None).fields[READERS] == wanted[READERS]


def test_a_renamed_account_is_no_drift(at_hand: AtHand) -> None:
    sid = _service_sid(at_hand)
    _with_readers(at_hand, _reader("CONTOSO\\svc-crmasync", sid), _reader("CONTOSO\\adfs", FOREIGN))
    with at_hand.context() as context:
        planned = STEP.look(context, None)

    _rename(at_hand, "VORDEFINIERT\\adfs")
    with at_hand.at_work() as context:
        again = STEP.look(replace(context, plan=at_hand.planned_with(STEP, planned)), None)

    assert again.fields == planned.fields


def test_a_service_that_runs_as_another_account_is_seen_before_anything_is_granted(
    at_hand: AtHand,
) -> None:
    sid = _service_sid(at_hand)
    _with_readers(at_hand, _reader("CONTOSO\\adfs", FOREIGN))
    with at_hand.context() as context:
        planned = STEP.look(context, None)
        wanted = STEP.wanted(context, planned, [])
    assert f"AsyncService: CONTOSO\\svc-crmasync ({sid})" in wanted[ACCOUNTS]
    assert wanted[ACCOUNTS] == planned.fields[ACCOUNTS]

    _run_service_as(at_hand, "CONTOSO\\somebody-else", "S-1-5-21-9-6666")
    with at_hand.at_work() as context:
        look = STEP.look(replace(context, plan=at_hand.planned_with(STEP, planned)), None)

    found = compare(planned.fields, wanted, look.fields)
    assert [item.field for item in found.foreign] == [ACCOUNTS]


def test_a_service_account_that_is_renamed_is_no_drift(at_hand: AtHand) -> None:
    with at_hand.context() as context:
        planned = STEP.look(context, None)

    _run_service_as(at_hand, "contoso.example\\SVC-CRMASYNC", _service_sid(at_hand))
    with at_hand.at_work() as context:
        look = STEP.look(replace(context, plan=at_hand.planned_with(STEP, planned)), None)

    assert look.fields == planned.fields


def test_what_was_granted_still_holds_when_the_service_gets_another_account(
    at_hand: AtHand,
) -> None:
    _with_readers(at_hand, _reader("CONTOSO\\adfs", FOREIGN))
    with at_hand.context() as context:
        planned = STEP.look(context, None)
        gaps = {READERS: gaps_of(planned, STEP.wanted(context, planned, []))[READERS]}
        order = order_of(STEP)
        STEP.change(context, planned, gaps, order)

    _run_service_as(at_hand, "CONTOSO\\somebody-else", "S-1-5-21-9-6666")
    with at_hand.at_work() as context:
        at_work = replace(context, plan=at_hand.planned_with(STEP, planned))
        # The step ends by its look, which names the account, and not by what the server did.
        effects = STEP.effects(at_work, STEP.look(at_work, None))

    assert [effect.holds for effect in effects if effect.name == f"{SERVER} readers"] == [True]


def _run_service_as(at_hand: AtHand, account: str, sid: str) -> None:
    """What an administrator sets in services.msc."""
    at_hand.arrange(f"deployment/servers/{SERVER}/services/0/account", account)
    at_hand.arrange(f"deployment/servers/{SERVER}/services/0/sid", sid)


def _rename(at_hand: AtHand, name: str) -> None:
    stored = at_hand.simulator.world("deployment", "servers", SERVER, "certificates")
    place = len(stored) - 1
    readers = stored[place]["key_readers"]
    readers[1]["account"] = name
    at_hand.arrange(f"deployment/servers/{SERVER}/certificates/{place}/key_readers", readers)


def test_servers_of_email_integration_are_among_the_targets(at_hand: AtHand) -> None:
    at_hand.arrange_server(SERVER, roles=["EmailIntegration"])

    with at_hand.context() as context:
        assert f"{SERVER}: certificate" in STEP.look(context, None).fields
