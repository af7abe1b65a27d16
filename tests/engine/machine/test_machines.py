"""Which machine a command runs under, and what the machines are made of."""

import pytest
from transitions import MachineError

from kessai import Command, load_shipped
from kessai.errors import InvalidCommand, InvalidInput, TrailBroken
from kessai.machine import Machines, Transaction, append, compile_lifecycle, fold
from kessai.machine.compile import trigger_of
from kessai.spec import rebuild

SHIPPED = ("one_time", "recurring", "charge")


@pytest.fixture(scope="module")
def machines():
    return Machines([load_shipped(name) for name in SHIPPED])


def asked(name, lifecycle=None):
    return Command(name, "order-1", key="k", lifecycle=lifecycle)


def test_an_opening_runs_under_the_lifecycle_it_names(machines):
    for name in ("one_time", "recurring"):
        assert machines.for_opening(asked("authorize", name)).name == name
    assert machines.for_opening(asked("reauthorize")).name == "charge"
    assert machines.for_opening(asked("reauthorize", "charge")).name == "charge"


def test_an_opening_under_a_lifecycle_that_lacks_it_is_decided_by_one_that_has_it(
    machines,
):
    assert machines.for_opening(asked("reauthorize", "one_time")).name == "charge"


def test_any_other_command_runs_under_the_lifecycle_of_its_transaction(machines):
    assert machines.for_opening(asked("capture")) is None
    assert machines.for_opening(asked("capture", "one_time")) is None


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            asked("pay"),
            (
                "command: 'pay' is not known; known are: authorize, cancel, capture,"
                " get_address, reauthorize, refund, terminate, update_authorization,"
                " update_consent"
            ),
        ),
        (
            asked("capture", "twice"),
            "lifecycle: 'twice' is not known; known are: one_time, recurring, charge",
        ),
        # Several lifecycles have it, or another one than was named.
        (asked("authorize"), "lifecycle: authorize needs one of one_time, recurring"),
        (
            asked("authorize", "charge"),
            "lifecycle: authorize needs one of one_time, recurring",
        ),
    ],
)
def test_a_command_that_no_machine_can_be_found_for_is_told_what_there_is(
    machines, command, message
):
    with pytest.raises(InvalidCommand) as refusal:
        machines.for_opening(command)
    assert str(refusal.value) == message


def test_two_lifecycles_of_one_name_are_refused():
    lifecycle = load_shipped("one_time")
    with pytest.raises(InvalidInput) as refusal:
        Machines([lifecycle, lifecycle])
    assert str(refusal.value) == "lifecycles: two have the same name"


def test_a_machine_is_known_by_the_hash_of_its_file_and_an_older_one_is_learned(
    machines,
):
    lifecycle = load_shipped("one_time")
    assert machines.by_hash(lifecycle.hash).lifecycle is lifecycle
    assert machines.by_hash("0" * 64) is None
    assert [machine.name for machine in machines.current] == list(SHIPPED)
    apart = Machines([load_shipped("charge")])
    assert apart.by_hash(lifecycle.hash) is None
    under_it = Transaction("A-1", "one_time", lifecycle.hash)
    learned = apart.add(lifecycle.document, under_it)
    assert learned.lifecycle == rebuild(lifecycle.document)
    assert apart.by_hash(lifecycle.hash) is learned
    assert apart.add(lifecycle.document, under_it) is learned
    assert [machine.name for machine in apart.current] == ["charge"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (load_shipped("charge").document, "not the one it began under"),
        (b"{", "was damaged"),
        (b"{}", "was damaged"),
    ],
)
def test_another_file_than_the_one_it_began_under_is_not_learned(document, message):
    apart = Machines([load_shipped("charge")])
    under_it = Transaction("A-1", "one_time", load_shipped("one_time").hash)
    with pytest.raises(TrailBroken, match=f"^A-1: .*{message}") as broken:
        apart.add(document, under_it)
    assert broken.value.transaction == "A-1"
    assert apart.by_hash(under_it.lifecycle_hash) is None


def anew(lifecycle):
    """The machine of a shipped lifecycle, with no model of another test on it."""
    return compile_lifecycle(load_shipped(lifecycle))


class Model:
    """Anything at all can be put on a track's machine."""


def on_track(machine, track, state):
    model = Model()
    machine.tracks[track].add_model(model, initial=state)
    return model


def pull(machine, track, state, trigger, names):
    """Pull a real trigger; the state afterwards, or None where it is refused."""
    model = on_track(machine, track, state)
    try:
        pulled = getattr(model, trigger)(names)
    except MachineError:
        return None
    finally:
        machine.tracks[track].remove_model(model)
    return model.state if pulled else None


@pytest.mark.parametrize(
    ("lifecycle", "history", "command", "amount"),
    [
        ("one_time", "", "authorize", 100),
        ("one_time", "authorize 100", "capture", 60),
        ("one_time", "authorize 100", "cancel", None),
        ("one_time", "authorize 100", "update_authorization", 60),
        ("one_time", "authorize 100, capture", "refund", 60),
        ("one_time", "authorize 100, capture", "refund", 100),
        ("one_time", "authorize 100, capture, refund 60", "refund", 40),
        ("one_time", "authorize 100, capture, refund 60", "refund", 30),
        ("recurring", "", "authorize", 100),
        ("recurring", "authorize 100", "update_consent", 60),
        ("recurring", "authorize 100", "terminate", None),
        ("recurring", "authorize 100, terminate", "capture", 60),
        ("charge", "", "reauthorize", 100),
        ("charge", "reauthorize 100, capture 60", "refund", 60),
    ],
)
def test_a_success_leads_where_a_real_trigger_of_the_machine_leads(
    story, lifecycle, history, command, amount
):
    past = story(lifecycle, history)
    operation = past.begin(command, amount)
    before = past.transaction
    past.resolve(operation)
    after = past.transaction
    names = {**after.amounts, **after.flags, "amount": amount or 0}
    machine = anew(lifecycle)
    moved = {
        track: pull(machine, track, state, command, names)
        for track, state in before.states.items()
        if command in machine.tracks[track].events
    }
    found = {track: state for track, state in moved.items() if state is not None}
    assert found
    assert {**before.states, **found} == after.states


@pytest.mark.parametrize("lifecycle", SHIPPED)
def test_a_state_is_denied_exactly_where_every_trigger_is_refused(story, lifecycle):
    """Try every command in every combination of states that a trigger could start in."""
    machine = anew(lifecycle)
    begins = "reauthorize" if lifecycle == "charge" else "authorize"
    past = story(lifecycle, f"{begins} 100")
    names = {**past.transaction.amounts, **past.transaction.flags, "amount": 1}
    for track, table in machine.tracks.items():
        for state in table.states:
            for command, rule in machine.commands.items():
                if command not in table.events:
                    assert track not in rule.steps
                    continue
                sources = table.events[command].transitions
                assert bool(rule.steps_from({track: state})) is (state in sources)
                ends = pull(machine, track, state, command, names)
                if state not in sources:
                    assert ends is None


@pytest.mark.parametrize("lifecycle", SHIPPED)
def test_the_passing_of_a_deadline_is_a_trigger_too(lifecycle):
    machine = anew(lifecycle)
    for deadline in machine.deadlines.values():
        trigger = trigger_of(deadline)
        for state in machine.tracks[deadline.track].states:
            ends = pull(machine, deadline.track, state, trigger, {})
            expected = deadline.target if state == deadline.state else None
            assert ends == expected


@pytest.mark.parametrize("lifecycle", SHIPPED)
def test_nobody_can_be_put_into_a_state_by_its_name(lifecycle):
    """Left on, `auto_transitions` would add `to_captured()` from anywhere."""
    for track in anew(lifecycle).tracks.values():
        assert not [name for name in track.events if name.startswith("to_")]
        model = Model()
        track.add_model(model)
        assert not hasattr(model, "to_captured")
        track.remove_model(model)


def test_a_machine_is_named_as_its_lifecycle(story):
    assert {story(name).machine.name for name in SHIPPED} == set(SHIPPED)


def test_events_written_under_no_lifecycle_change_nothing_but_the_count(story):
    past = story("one_time", "authorize 100, capture")
    blank = fold(None, past.events, "order-1")
    assert (blank.version, blank.exists, blank.status) == (4, False, "")
    _, record = append(None, blank, past.events[0])
    assert b'"lifecycle":""' in record.body
