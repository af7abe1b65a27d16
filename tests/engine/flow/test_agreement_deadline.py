"""A consent that lasts a year: a charge after it is denied, whether it was swept or not."""

import json

import pytest

from kessai import Status, load_shipped
from kessai.audit.log_check import LogReading, check_log
from kessai.audit.verification.verify import verify
from kessai.flow import Context, execute, preview, sweep
from kessai.machine import Machines
from kessai.spec.load import rebuild

DEADLINE = {
    "rule": "R7",
    "starts": ["authorize", "update_consent"],
    "from": "consent.consented",
    "to": "consent.lapsed",
    "lasts": "365 days",
    "denies": [],
    "code": "consent_lapsed",
    "en": "The consent ended at {deadline}.",
    "ja": "承諾は {deadline} に終了しました。",
}


def lasting():
    document = json.loads(load_shipped("recurring").document)
    consent = document["tracks"]["consent"]
    consent["states"]["lapsed"] = {"en": "lapsed", "ja": "期限切れ"}
    consent["final"].append("lapsed")
    document["deadlines"]["consent"] = DEADLINE
    return rebuild(json.dumps(document).encode())


LIFECYCLES = (lasting(), load_shipped("charge"))


@pytest.fixture
def agreed(hand, command):
    """A consent alone, given just now."""
    adapter = hand.context.adapter_for(None)
    hand.context = Context(Machines(LIFECYCLES), [adapter])
    hand.execute(
        command(
            "authorize", 500, consent_only=True, lifecycle="recurring", of="consent-1"
        )
    )
    return hand


def charge(command, number=1):
    return command("reauthorize", 300, of=f"charge-{number}", agreement="consent-1")


def test_a_charge_on_the_last_day_begins(agreed, command, clock):
    clock.passes(days=364)
    assert agreed.execute(charge(command)).status is Status.SUCCEEDED


def test_a_charge_after_the_deadline_is_denied_as_if_the_consent_had_been_swept(
    agreed, command, clock, gateway
):
    clock.passes(days=365)
    unswept = agreed.execute(charge(command)).denial
    asked = agreed.run(preview(agreed.context, charge(command, 2)))
    agreed.run(sweep(agreed.context, "consent-1"))
    swept = agreed.execute(charge(command, 3)).denial
    assert unswept.codes == ("agreement_state",)
    assert (
        "is possible when consent is consented, but now consent is lapsed"
        in (unswept.sentences("en")[0])
    )
    assert unswept.reasons == asked.reasons == swept.reasons
    assert gateway.commands == ["authorize", "inquiry"]


def test_a_deadline_that_began_anew_counts(agreed, command, clock):
    clock.passes(days=364)
    monthly = {"frequency": {"unit": "Month", "value": 1}}
    agreed.execute(command("update_consent", 500, of="consent-1", **monthly))
    clock.passes(days=364)
    assert agreed.execute(charge(command)).status is Status.SUCCEEDED
    clock.passes(days=1)
    assert agreed.execute(charge(command, 2)).denial.codes == ("agreement_state",)


@pytest.mark.parametrize("charges_before", [0, 3])
def test_an_audit_finds_a_charge_that_began_too_late(
    agreed, command, monkeypatch, charges_before
):
    """Whether it decides the charge in full, or has decided three like it before."""
    for number in range(charges_before):
        agreed.execute(charge(command, number))
    assert verify(agreed.store).holds

    def as_stored(context, agreement, now):
        yield from ()
        return agreement

    monkeypatch.setitem(execute.__globals__, "agreement_as_of", as_stored)
    agreed.clock.passes(days=365)
    agreed.execute(charge(command, 9))
    (fault,) = verify(agreed.store).faults.first
    assert (fault.transaction, fault.code) == ("charge-9", "not_allowed")
    assert fault.detail == "agreement_state"


def test_a_log_is_judged_by_the_same_deadline(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "order,command,time,amount,lifecycle,agreement\n"
        "S,authorize,2024-01-01 01:00,500,recurring,\n"
        "C1,reauthorize,2024-12-30 01:00,300,,S\n"
        "C2,reauthorize,2024-12-31 01:00,300,,S\n"
    )
    found = check_log(str(path), LIFECYCLES, LogReading()).findings.in_file_order()
    assert [(one.line, one.codes) for one in found] == [(4, ("agreement_state",))]
