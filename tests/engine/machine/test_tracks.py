"""The tracks' machines decide where states go: what is taken out of them cannot happen."""

import attrs
import pytest

from kessai import load_shipped
from kessai.evidence.outcome import overdue, resolve_external
from kessai.gateway import Outcome
from kessai.machine import (
    Discrepancy,
    External,
    Lapsed,
    Reported,
    Transaction,
    can,
    compile_lifecycle,
    evolve,
)

SHIPPED = ("one_time", "recurring", "charge")


@pytest.fixture
def past(story):
    """Tell a history on a machine of its own, which may be changed."""

    def on(history, lifecycle="one_time"):
        found = story(lifecycle)
        found.machine = compile_lifecycle(load_shipped(lifecycle))
        for step in filter(None, history.split(", ")):
            found.tell(step)
        return found

    return on


def payment_of(past):
    return past.machine.tracks["payment"]


def test_a_command_without_its_transition_is_denied(past):
    shop = past("authorize 100")
    assert shop.codes("capture", 60) == "ok"
    payment_of(shop).remove_transition("capture", "authorized")
    assert shop.codes("capture", 60) == "state_not_allowed"
    assert shop.codes("cancel") == "ok"


def test_a_success_without_its_transition_is_a_discrepancy_and_moves_nothing(past):
    shop = past("authorize 100, capture? 60")
    (operation,) = shop.transaction.operations.values()
    payment_of(shop).remove_transition("capture", "authorized")
    before = shop.transaction
    event = Reported(
        shop.now, operation.id, Outcome.SUCCEEDED, shop.evidence("capture")
    )
    assert evolve(shop.machine, before, event) == before.next()
    event = shop.resolve(operation)
    assert isinstance(event, Discrepancy)
    assert event.reason == "state_not_allowed"


def test_what_happened_outside_is_a_discrepancy_without_its_transition(past):
    shop = past("authorize 100")
    payment_of(shop).remove_transition("cancel", "authorized")
    evidence = shop.evidence("cancel")
    event = resolve_external(shop.machine, shop.transaction, evidence, shop.now)
    assert isinstance(event, Discrepancy)
    outside = External(shop.now, "cancel", None, evidence)
    after = evolve(shop.machine, shop.transaction, outside)
    assert after == shop.transaction.next()


def test_a_deadline_without_its_transition_never_passes(past):
    shop = past("authorize 100")
    (ends,) = shop.transaction.deadlines.values()
    assert [*overdue(shop.machine, shop.transaction, ends)] == [
        Lapsed(ends, "authorization")
    ]
    payment_of(shop).remove_transition("deadline:authorization")
    assert [*overdue(shop.machine, shop.transaction, ends)] == []
    evidence = shop.evidence("expire")
    event = resolve_external(shop.machine, shop.transaction, evidence, ends)
    assert isinstance(event, Discrepancy)
    after = evolve(shop.machine, shop.transaction, Lapsed(ends, "authorization"))
    assert after == shop.transaction.next()


def test_a_declined_opening_command_without_its_transition_leaves_the_state(past):
    assert past("authorize! 100").status == "payment.failed"
    shop = past("authorize? 100")
    (operation,) = shop.transaction.operations.values()
    payment_of(shop).remove_transition("declined:authorize")
    shop.resolve(operation, Outcome.DECLINED)
    assert shop.status == "payment.requested"


@pytest.mark.parametrize("lifecycle", SHIPPED)
def test_without_any_transition_nothing_is_possible(past, lifecycle):
    opening = "reauthorize 100" if lifecycle == "charge" else "authorize 100"
    shop = past(opening, lifecycle)
    assert any(
        each.is_allowed for each in can(shop.machine, shop.transaction, shop.now)
    )
    for track in shop.machine.tracks.values():
        track.events.clear()
    assert not any(
        each.is_allowed for each in can(shop.machine, shop.transaction, shop.now)
    )


def test_a_track_without_a_machine_is_never_opened(past):
    shop = past("", "recurring")
    del shop.machine.tracks["payment"]
    shop.tell("authorize? 100")
    assert shop.status == "consent.requested"


def test_a_state_goes_where_its_transition_leads_and_the_file_is_not_asked_again(past):
    shop = past("authorize 100")
    (capture,) = payment_of(shop).get_transitions("capture", "authorized")
    capture.dest = "cancelled"
    shop.tell("capture 60")
    assert shop.status == "payment.cancelled"


def test_the_conditions_that_are_asked_are_those_of_the_transitions(past):
    shop = past("authorize 100, capture")
    for refund in payment_of(shop).get_transitions("refund", "captured"):
        for condition in refund.conditions:
            condition.target = not condition.target
    shop.tell("refund 60")
    assert shop.status == "payment.refunded"


def test_a_condition_that_only_a_model_could_answer_is_never_met(past):
    shop = past("authorize 100")
    (cancel,) = payment_of(shop).get_transitions("cancel", "authorized")
    cancel.conditions.append(cancel.condition_cls("is_cancellable"))
    assert not cancel.enabled(shop.transaction.names())


@pytest.mark.parametrize("lifecycle", SHIPPED)
def test_a_decline_leads_from_where_its_track_begins(lifecycle):
    machine = compile_lifecycle(load_shipped(lifecycle))
    for command in machine.commands.values():
        for opening in command.spec.opens:
            track = machine.tracks[opening.track]
            declared = machine.lifecycle.tracks[opening.track]
            found = track.get_transitions(f"declined:{command.spec.name}")
            ends = [(each.source, each.dest) for each in found]
            assert ends == [(track.initial, declared.declined)]


def test_a_decline_leads_from_wherever_what_runs_alongside_may_have_led():
    """Were an update to authorize at once, its opening command could still decline."""
    lifecycle = load_shipped("one_time")
    update = lifecycle.commands["update_authorization"]
    first, *others = update.moves
    assert first.sources == ("requested",)
    moves = (attrs.evolve(first, target="authorized"), *others)
    commands = {
        **lifecycle.commands,
        update.name: attrs.evolve(update, moves=moves),
    }
    machine = compile_lifecycle(attrs.evolve(lifecycle, commands=commands))
    rule = machine.commands["authorize"]
    sources = {
        state
        for state in machine.lifecycle.tracks["payment"].states
        if rule.declined_from({"payment": state})
    }
    assert sources == {"requested", "authorized"}


def test_a_decline_of_any_other_command_moves_nothing(past):
    shop = past("authorize 100")
    for name, rule in shop.machine.commands.items():
        expected = name == "authorize"
        assert bool(rule.declined_from({"payment": "requested"})) is expected
    assert shop.machine.lapse_from("no_deadline", shop.transaction.states) is None
    assert shop.machine.lapse_from("authorization", Transaction("x").states) is None
