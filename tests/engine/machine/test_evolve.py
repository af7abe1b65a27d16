"""`evolve` is pure and total: any event on any transaction, nonsense included.

And the trail is the state: folding the events that were written gives what stands.
"""

import copy
import json
from datetime import UTC, datetime, timedelta

import attrs
import pytest
import rfc8785
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kessai import Command, Denial, Operation, Phase, Transaction, load_shipped
from kessai.evidence.outcome import resolve, resolve_external
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Closed,
    Denied,
    Discrepancy,
    External,
    Lapsed,
    Reason,
    Record,
    Reported,
    Resent,
    append,
    broken_invariants,
    compile_lifecycle,
    decide,
    evolve,
    fold,
    read_record,
)
from kessai.machine.decide import opened_tracks
from kessai.machine.events import KINDS, event_data, read_event
from kessai.machine.transaction import OpenDiscrepancy
from kessai.stores.encoding import decode_transaction, encode_transaction

MACHINES = {
    name: compile_lifecycle(load_shipped(name))
    for name in ("one_time", "recurring", "charge")
}
BEGINS = {"one_time": "authorize", "recurring": "authorize", "charge": "reauthorize"}
COMMANDS = sorted({name for machine in MACHINES.values() for name in machine.commands})
AMOUNTS = st.one_of(
    st.none(), st.integers(-3, 1200), st.integers(1 - 10**15, 10**15 - 1)
)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)
IDS = st.one_of(
    st.sampled_from([f"order-1.{number}" for number in range(1, 6)]),
    st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8),
)
TIMES = st.datetimes(timezones=st.just(UTC))
FREQUENCIES = st.fixed_dictionaries(
    {"unit": TEXTS, "value": st.integers(1 - 10**15, 10**15 - 1)}
)
PARAMETERS = st.dictionaries(
    st.sampled_from(["note", "with_capture", "consent_only", "frequency", "colour"]),
    st.one_of(TEXTS, st.booleans(), FREQUENCIES),
    max_size=3,
)
NAMES = st.one_of(st.sampled_from([*COMMANDS, "expire"]), TEXTS)
OUTCOMES = st.sampled_from(Outcome)
EVIDENCE = st.builds(
    Evidence,
    source=st.sampled_from(Source),
    transaction=IDS,
    command=st.none() | NAMES,
    outcome=OUTCOMES,
    code=TEXTS,
    amount=AMOUNTS,
    exchange=st.none() | TEXTS,
    reported_at=st.none() | TIMES,
    found=st.booleans(),
    needs_inquiry=st.booleans(),
    never_sent=st.booleans(),
)
REASONS = st.builds(
    Reason,
    TEXTS,
    TEXTS,
    st.dictionaries(st.sampled_from(["amount", "allowed", "most"]), AMOUNTS | TEXTS),
).filter(lambda reason: None not in reason.values.values())
OPERATIONS = st.builds(
    Operation,
    id=IDS,
    command=NAMES,
    key=IDS,
    request=TEXTS,
    amount=AMOUNTS,
    parameters=PARAMETERS,
    begun_at=TIMES,
)
TRACKS = st.sampled_from([(), ("payment",), ("consent",), ("consent", "payment")])
EVENTS = st.one_of(
    st.builds(Begun, TIMES, OPERATIONS, st.none() | IDS, TRACKS),
    st.builds(Reported, TIMES, IDS, OUTCOMES, EVIDENCE),
    st.builds(External, TIMES, NAMES, AMOUNTS, EVIDENCE),
    st.builds(
        Lapsed, TIMES, st.sampled_from(["authorization", "x"]), st.none() | EVIDENCE
    ),
    st.builds(Discrepancy, TIMES, TEXTS, EVIDENCE, st.none() | IDS),
    st.builds(
        Denied,
        TIMES,
        NAMES,
        IDS,
        TEXTS,
        st.lists(REASONS, min_size=1, max_size=2).map(tuple),
        AMOUNTS,
    ),
)
LIFECYCLES = st.sampled_from([None, *MACHINES])


@given(LIFECYCLES, st.lists(EVENTS, max_size=12))
def test_any_events_at_all_make_some_transaction_and_change_none(lifecycle, events):
    machine = MACHINES.get(lifecycle)
    transaction = Transaction("order-1")
    for number, event in enumerate(events, start=1):
        before, kept = copy.deepcopy(transaction), copy.deepcopy(event)
        after = evolve(machine, transaction, event)
        assert (transaction, event) == (before, kept)
        assert evolve(machine, transaction, event) == after
        assert after.version == number
        transaction = after
    assert fold(machine, events, "order-1") == transaction


# What a run is made of: a command, an amount and what comes of it, days in between.
STEPS = st.tuples(
    st.sampled_from(COMMANDS),
    st.sampled_from([None, 1, 60, 100, 1000]),
    st.sampled_from([None, *Outcome]),
    st.integers(0, 20),
)
FLAGS = st.sampled_from(
    [
        {},
        {"with_capture": True},
        {"consent_only": True},
        {"merchant_page": True, "merchant_page_url": "https://shop.example/"},
    ]
)


class Run:
    """Any run at all that decides before it begins and weighs before it writes."""

    def __init__(self, lifecycle, flags):
        self.machine = MACHINES[lifecycle]
        self.transaction = Transaction("order-1")
        self.events, self.records = [], []
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.flags = flags

    def write(self, event):
        self.transaction, record = append(self.machine, self.transaction, event)
        self.events.append(event)
        self.records.append(record)

    def step(self, name, amount, outcome, days):
        self.now += timedelta(days=days)
        given = dict(self.flags) if name in BEGINS.values() else {}
        if name in {"authorize", "update_consent"} and "consent" in self.machine.tracks:
            given["frequency"] = {"unit": "Day", "value": 30}
        rule = self.machine.commands.get(name)
        takes = rule is not None and rule.spec.amount is not None
        agreement = "agreement-1" if name == "reauthorize" else None
        command = Command(
            name,
            "order-1",
            key="k",
            amount=amount if takes else None,
            agreement=agreement,
            parameters=given,
        )
        under = None if agreement is None else CONSENTED
        verdict = decide(self.machine, self.transaction, command, self.now, under)
        if isinstance(verdict, Denial):
            self.resolve_any(name, amount, outcome)
            return
        opens = opened_tracks(self.machine, verdict)
        self.write(Begun(self.now, verdict, agreement, opens))
        if outcome is not None:
            self.resolve(verdict, outcome, None)

    def resolve_any(self, name, amount, outcome):
        """What was refused may have happened at the gateway all the same."""
        for operation in self.transaction.operations.values():
            if operation.command == name and outcome is not None:
                self.resolve(operation, outcome, None)
                return
        if outcome is Outcome.SUCCEEDED and self.transaction.exists:
            evidence = self.evidence(name, outcome, amount)
            self.write(
                resolve_external(self.machine, self.transaction, evidence, self.now)
            )

    def resolve(self, operation, outcome, amount):
        evidence = self.evidence(operation.command, outcome, amount)
        current = self.transaction.operations[operation.id]
        event = resolve(self.machine, self.transaction, current, evidence, self.now)
        if event is not None:
            self.write(event)

    def evidence(self, command, outcome, amount):
        return Evidence(
            source=Source.REPLY,
            transaction="order-1",
            command=command,
            outcome=outcome,
            amount=amount,
        )


def consented():
    run = Run("recurring", {"consent_only": True})
    run.step("authorize", 100, Outcome.SUCCEEDED, 0)
    return attrs.evolve(run.transaction, id="agreement-1")


CONSENTED = consented()


@given(st.sampled_from(list(MACHINES)), FLAGS, st.lists(STEPS, max_size=14))
@settings(max_examples=300, deadline=None)
def test_the_trail_of_any_run_gives_its_state_and_keeps_every_invariant(
    lifecycle, flags, steps
):
    run = Run(lifecycle, flags)
    run.step(BEGINS[lifecycle], 100, Outcome.SUCCEEDED, 0)
    assume(run.transaction.exists)
    for step in steps:
        run.step(*step)
        assert broken_invariants(run.machine, run.transaction) == ()
    head = ""
    read = []
    for record in run.records:
        read.append(read_record(record, head).event)
        head = record.hash
    state = fold(run.machine, read, "order-1")
    assert attrs.evolve(state, head=head) == run.transaction
    assert decode_transaction(encode_transaction(state)) == state


@given(st.sampled_from(list(MACHINES)), FLAGS, st.lists(STEPS, max_size=14))
@settings(deadline=None)
def test_what_is_held_back_is_what_is_open(lifecycle, flags, steps):
    run = Run(lifecycle, flags)
    run.step(BEGINS[lifecycle], 100, None, 0)
    for step in steps:
        run.step(*step)
        held = {"capture": "capturing", "refund": "refunding"}
        for command, amount in held.items():
            opened = run.transaction.operations.values()
            expected = sum(o.amount for o in opened if o.command == command)
            assert run.transaction.amounts.get(amount, 0) == expected


def kept(event):
    """`event` as the trail keeps it: nothing that was for the caller alone."""
    evidence = getattr(event, "evidence", None)
    if evidence is None:
        return event
    return attrs.evolve(
        event, evidence=attrs.evolve(evidence, disclosed={}, listing=())
    )


@given(EVENTS, LIFECYCLES)
def test_every_event_is_canonical_json_and_reads_back_as_it_was(event, lifecycle):
    """The canonical bytes are RFC 8785's, written by another hand."""
    machine = MACHINES.get(lifecycle)
    _, record = append(machine, Transaction("order-1"), event)
    body = json.loads(record.body)
    assert rfc8785.dumps(body) == record.body
    assert read_record(record, "").event == kept(event)
    assert all(key.isascii() for key in keys(body))


def keys(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


@pytest.mark.parametrize(
    "text",
    [
        "".join(map(chr, range(1, 0x20))),
        '"\\/\b\f\n\r\t',
        "\x7f\x80\x9f\u2028\u2029\ufeff\uffff",
        "é漢字💴𐀀\U0010ffff",
        "e\u0301",
    ],
)
@pytest.mark.parametrize("amount", [0, 1, -1, 10**15 - 1, 1 - 10**15, None])
def test_texts_and_amounts_of_every_kind_are_written_as_rfc_8785_says(
    story, text, amount
):
    past = story("one_time", "authorize 10")
    past.append(Denied(past.now, "capture", text, text, (Reason(text, text),), amount))
    body = past.records[-1].body
    assert rfc8785.dumps(json.loads(body)) == body
    assert read_record(past.records[-1], past.records[-2].hash).event.key == text


def test_what_is_for_the_caller_alone_never_enters_the_trail(story):
    past = story("one_time", "authorize 10, get_address?")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, disclosed={"address": "Chiyoda 1-1"})
    assert b"Chiyoda" not in b"".join(record.body for record in past.records)
    assert "Chiyoda" not in repr(past.events)


def test_an_event_of_no_effect_is_still_counted(story):
    past = story("one_time", "authorize 10")
    after = evolve(past.machine, past.transaction, past.events[0])
    assert after.version == 3
    assert (after.amounts, after.states) == (
        past.transaction.amounts,
        past.transaction.states,
    )
    assert after.operations == {}


@pytest.mark.parametrize(
    ("history", "command"),
    [
        ("", "capture"),
        ("authorize! 10", "capture"),
        ("authorize 10, capture", "capture"),
        ("authorize 10, cancel", "capture"),
        ("authorize 10", "refund"),
        ("authorize 10", "authorize"),
    ],
)
def test_an_event_that_the_lifecycle_does_not_allow_moves_no_amount_and_no_state(
    story, now, history, command
):
    past = story("one_time", history)
    operation = Operation(
        id="order-1.9",
        command=command,
        key="k",
        request="",
        amount=5,
        parameters={},
        begun_at=now,
    )
    before = past.transaction
    past.append(Begun(now, operation, None, ("payment",)))
    past.append(External(now, command, 5, past.evidence(command)))
    past.append(Reported(now, "order-1.9", Outcome.SUCCEEDED, past.evidence(command)))
    if command == "authorize" or history:
        assert past.transaction.amounts == before.amounts
        assert past.transaction.states == before.states
    assert past.transaction.operations == {}


def test_a_success_that_became_impossible_leaves_the_operation_open(story, now):
    past = story("one_time", "authorize 10, capture?")
    (operation,) = past.transaction.operations.values()
    past.transaction = attrs.evolve(past.transaction, states={"payment": "cancelled"})
    past.append(
        Reported(now, operation.id, Outcome.SUCCEEDED, past.evidence("capture"))
    )
    assert past.amounts("capturing", "captured") == (10, 0)
    assert operation.id in past.transaction.operations


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_event_is_not_read_as_one(kind):
    from kessai.errors import TrailBroken

    with pytest.raises(TrailBroken, match=f"not a '{kind}' event"):
        read_event(kind, {"at": "yesterday"})
    with pytest.raises(TrailBroken, match="is not a kind of event"):
        read_event("x", {})


def test_a_phase_is_never_part_of_an_intent(story):
    past = story("one_time", "authorize? 10")
    (operation,) = past.transaction.operations.values()
    pending = attrs.evolve(operation, phase=Phase.PENDING)
    assert "phase" not in event_data(Begun(past.now, pending))["operation"]


def test_a_record_shows_in_no_log_what_it_holds(story):
    past = story("one_time", "authorize 10")
    assert isinstance(past.records[0], Record)
    assert "authorize" not in repr(past.records[0])


def test_what_is_said_of_an_operation_that_is_not_open_moves_nothing():
    machine, at = MACHINES["one_time"], datetime(2026, 1, 2, tzinfo=UTC)
    before = Transaction("order-1")
    for event in (
        Resent(at, "order-1.9"),
        Reported(at, "order-1.9", Outcome.SUCCEEDED, past("capture")),
    ):
        assert evolve(machine, before, event) == before.next()


def past(command):
    return Evidence(
        source=Source.REPLY,
        transaction="order-1",
        command=command,
        outcome=Outcome.SUCCEEDED,
    )


# ── what an event leaves of the transaction before it ───────────────────────────────


def test_the_first_event_of_an_opening_makes_the_whole_transaction(story):
    """Evidence and refusals that came before it stay on its record."""
    sketch = story("recurring", "authorize? 900 with_capture")
    begun = sketch.events[0]
    kept = {2: aside(sketch)}
    before = Transaction("order-1", discrepancies=kept, version=2, head="abc")
    after = evolve(sketch.machine, before, attrs.evolve(begun, agreement="agreement-1"))
    lifecycle = sketch.machine.lifecycle
    nothing = dict.fromkeys(lifecycle.amounts, 0)
    opened = attrs.evolve(begun.operation, finish_within=timedelta(hours=48))
    assert after == Transaction(
        "order-1",
        lifecycle="recurring",
        lifecycle_hash=lifecycle.hash,
        currency="JPY",
        agreement="agreement-1",
        states={"consent": "requested", "payment": "requested"},
        amounts={**nothing, "authorizing": 900},
        flags={**dict.fromkeys(lifecycle.flags, 0), "with_capture": 1},
        operations={opened.id: opened},
        discrepancies=kept,
        version=3,
        head="abc",
        opened_at=begun.at,
        changed_at=begun.at,
    )


def aside(past):
    return OpenDiscrepancy.of("not_listed", past.evidence("capture"))


@pytest.mark.parametrize(
    ("resolved", "left"), [(2, (5, 7)), (5, (2, 7)), (7, (2, 5)), (9, (2, 5, 7))]
)
def test_a_resolved_discrepancy_leaves_the_others(story, now, resolved, left):
    past = story("one_time", "authorize 10")
    known = dict.fromkeys((2, 5, 7), aside(past))
    before = attrs.evolve(past.transaction, discrepancies=known)
    event = Closed(now, resolved, past.evidence("capture"))
    expected = before.next(discrepancies={number: known[number] for number in left})
    assert evolve(past.machine, before, event) == expected
    assert evolve(None, before, event) == expected


def test_a_new_discrepancy_is_known_by_the_number_of_its_event(story, now):
    past = story("one_time", "authorize 10")
    before = attrs.evolve(past.transaction, discrepancies={2: aside(past)})
    event = Discrepancy(now, "not_listed", past.evidence("capture"))
    expected = before.next(discrepancies={2: aside(past), 3: aside(past)})
    assert evolve(past.machine, before, event) == expected
    assert evolve(None, before, event) == expected


def test_what_is_sent_again_is_as_when_it_began_but_for_the_time(story, now):
    past = story("one_time", "authorize 900, capture, refund? 10, refund? 20")
    first, second = past.transaction.operations.values()
    past.resolve(first, Outcome.UNKNOWN)
    later = now + timedelta(minutes=11)
    before = past.transaction
    again = attrs.evolve(first, phase=Phase.BEGUN, last_sent_at=later)
    assert evolve(past.machine, before, Resent(later, first.id)) == before.next(
        operations={first.id: again, second.id: second}
    )


@pytest.mark.parametrize("outcome", Outcome)
def test_an_operation_that_the_lifecycle_does_not_know_stays_as_it_is(
    story, now, outcome
):
    past = story("one_time", "authorize 900, capture?")
    (operation,) = past.transaction.operations.values()
    foreign = attrs.evolve(operation, command="terminate")
    before = attrs.evolve(past.transaction, operations={foreign.id: foreign})
    event = Reported(now, foreign.id, outcome, past.evidence("terminate", outcome))
    assert evolve(past.machine, before, event) == before.next()


@pytest.mark.parametrize(
    ("outcome", "phase"),
    [(Outcome.PENDING, Phase.PENDING), (Outcome.UNKNOWN, Phase.UNKNOWN)],
)
def test_a_word_that_ends_nothing_changes_the_phase_of_its_operation_alone(
    story, now, outcome, phase
):
    past = story("one_time", "authorize 900, capture, refund? 10, refund? 20")
    first, second = past.transaction.operations.values()
    before = past.transaction
    event = Reported(now, second.id, outcome, past.evidence("refund", outcome))
    waiting = attrs.evolve(second, phase=phase)
    assert evolve(past.machine, before, event) == before.next(
        operations={first.id: first, second.id: waiting}
    )


def test_what_lapses_moves_its_track_and_commits_what_the_deadline_says(story, now):
    past = story("recurring", "authorize 900")
    before = past.transaction
    assert evolve(past.machine, before, Lapsed(now, "authorization")) == before.next(
        states={"consent": "consented", "payment": "expired"},
        amounts={**before.amounts, "released": 900},
    )
