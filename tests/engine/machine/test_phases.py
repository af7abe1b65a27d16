"""How far an operation can get, and that no one else has an opinion of their own on it."""

from datetime import UTC, datetime

import attrs
import pytest

from kessai.evidence.outcome import resolve
from kessai.gateway import Outcome
from kessai.machine import Phase, Reported, Resent, Sent, evolve
from kessai.machine.phases import ENDED, PHASES, RESENT, SENT, phase_after

AT = datetime(2026, 1, 2, tzinfo=UTC)
TRIGGERS = (*(outcome.value for outcome in Outcome), SENT, RESENT)
SENDING = {SENT: Sent, RESENT: Resent}
FOLLOWS = {
    "prepared": "sent declined",
    "begun": "pending unknown succeeded declined",
    "unknown": "pending succeeded declined resent",
    "pending": "succeeded declined",
    "succeeded": "",
    "declined": "",
}
EVERY_STEP = [(phase, trigger) for phase in Phase for trigger in TRIGGERS]
OPEN = [Phase.PREPARED, Phase.BEGUN, Phase.PENDING, Phase.UNKNOWN]


def expected(phase, trigger):
    """The phase after `trigger`, by the table above."""
    if trigger not in FOLLOWS[phase].split():
        return None
    return Phase.BEGUN if trigger in SENDING else Phase(trigger)


class Model:
    """What a real trigger of the machine moves."""


@pytest.fixture
def without():
    """Take a transition out of the machine; it is put back afterwards."""
    gone = []

    def remove(trigger, source):
        (transition,) = PHASES.get_transitions(trigger, source)
        gone.append((trigger, source, transition.dest))
        PHASES.remove_transition(trigger, source)

    yield remove
    for trigger, source, dest in gone:
        PHASES.add_transition(trigger, source, dest)


@pytest.fixture
def refund(story):
    """A payment with a refund open in a phase, and that refund."""

    def at(phase):
        past = story("one_time", "authorize 900, capture, refund? 10")
        (begun,) = past.transaction.operations.values()
        operation = attrs.evolve(begun, phase=phase)
        past.transaction = attrs.evolve(
            past.transaction, operations={operation.id: operation}
        )
        return past, operation

    return at


@pytest.mark.parametrize(("phase", "trigger"), EVERY_STEP)
def test_a_phase_leads_where_a_real_trigger_leads_and_where_the_table_says(
    phase, trigger
):
    model = Model()
    PHASES.add_model(model, initial=phase.value)
    try:
        if trigger in FOLLOWS[phase].split():
            assert model.trigger(trigger)
            assert model.state == phase_after(phase, trigger)
        assert phase_after(phase, trigger) is expected(phase, trigger)
    finally:
        PHASES.remove_model(model)


def test_an_operation_begins_in_the_first_phase_and_is_open_until_a_final_one(refund):
    assert PHASES.initial == Phase.BEGUN
    assert {name for name, state in PHASES.states.items() if state.final} == ENDED
    assert phase_after(Phase.BEGUN, "no trigger at all") is None
    past, _ = refund(Phase.BEGUN)
    assert past.begin("refund", 20).phase is Phase.BEGUN


@pytest.mark.parametrize("phase", OPEN)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_what_the_machine_does_not_list_changes_nothing_but_the_count(
    refund, phase, trigger
):
    past, operation = refund(phase)
    if trigger in SENDING:
        event = SENDING[trigger](AT, operation.id)
    else:
        outcome = Outcome(trigger)
        event = Reported(AT, operation.id, outcome, past.evidence("refund", outcome))
    after = evolve(past.machine, past.transaction, event)
    follows = expected(phase, trigger)
    if follows is None:
        assert after == past.transaction.next()
    elif follows in OPEN:
        is_intent = trigger in SENDING
        last_sent_at = AT if is_intent else None
        moved = attrs.evolve(operation, phase=follows, last_sent_at=last_sent_at)
        changed = {} if is_intent else {"changed_at": AT}
        assert after == past.transaction.next(
            operations={operation.id: moved}, **changed
        )
    else:
        assert after.operations == {}


@pytest.mark.parametrize("phase", OPEN)
@pytest.mark.parametrize("outcome", Outcome)
def test_evidence_is_written_down_exactly_where_the_machine_goes_on(
    refund, phase, outcome
):
    past, operation = refund(phase)
    evidence = past.evidence("refund", outcome)
    event = resolve(past.machine, past.transaction, operation, evidence, AT)
    # What was taken back had succeeded: that is an event of its own, before the other.
    meant = Outcome.SUCCEEDED if outcome is Outcome.REVERSED else outcome
    written = Reported(AT, operation.id, meant, evidence)
    assert event == (None if expected(phase, meant) is None else written)


def test_without_its_transition_nothing_is_sent_again(refund, without):
    past, operation = refund(Phase.UNKNOWN)
    without(RESENT, "unknown")
    after = evolve(past.machine, past.transaction, Resent(AT, operation.id))
    assert after == past.transaction.next()


@pytest.mark.parametrize("outcome", sorted(ENDED))
def test_without_its_transition_nothing_ends(refund, without, outcome):
    past, operation = refund(Phase.BEGUN)
    without(outcome.value, "begun")
    evidence = past.evidence("refund", outcome)
    assert resolve(past.machine, past.transaction, operation, evidence, AT) is None
    event = Reported(AT, operation.id, outcome, evidence)
    assert evolve(past.machine, past.transaction, event) == past.transaction.next()
