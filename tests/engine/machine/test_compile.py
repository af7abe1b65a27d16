"""A lifecycle file, compiled: who may follow whom, under which condition, beside whom.

The tables are read from the lifecycle files by hand.
"""

import pytest

from kessai import load_shipped
from kessai.machine import compile_lifecycle

STEPS = {
    # from | command | to, when, what its commit sets
    "one_time": """
        payment.requested          | authorize            | payment.authorized if not with_capture : authorized captured authorizing
        payment.requested          | authorize            | payment.captured if with_capture : authorized captured authorizing
        payment.requested          | update_authorization | payment.requested : authorizing
        payment.authorized         | update_authorization | payment.authorized : authorized
        payment.requested          | get_address          | payment.requested :
        payment.authorized         | get_address          | payment.authorized :
        payment.captured           | get_address          | payment.captured :
        payment.partially_refunded | get_address          | payment.partially_refunded :
        payment.refunded           | get_address          | payment.refunded :
        payment.authorized         | capture              | payment.captured : capturing captured released
        payment.authorized         | cancel               | payment.cancelled : released
        payment.captured           | refund               | payment.partially_refunded if refunded < captured : refunding refunded
        payment.captured           | refund               | payment.refunded if refunded == captured : refunding refunded
        payment.partially_refunded | refund               | payment.partially_refunded if refunded < captured : refunding refunded
        payment.partially_refunded | refund               | payment.refunded if refunded == captured : refunding refunded
    """,
    "recurring": """
        consent.requested          | authorize            | consent.consented : agreed authorized captured authorizing
        payment.requested          | authorize            | payment.authorized if not with_capture : agreed authorized captured authorizing
        payment.requested          | authorize            | payment.captured if with_capture : agreed authorized captured authorizing
        payment.requested          | update_authorization | payment.requested : authorizing
        consent.requested          | get_address          | consent.requested :
        consent.consented          | get_address          | consent.consented :
        consent.terminated         | get_address          | consent.terminated :
        consent.consented          | update_consent       | consent.consented : agreed
        consent.consented          | terminate            | consent.terminated :
        payment.authorized         | capture              | payment.captured : capturing captured released
        payment.authorized         | cancel               | payment.cancelled : released
        payment.captured           | refund               | payment.partially_refunded if refunded < captured : refunding refunded
        payment.captured           | refund               | payment.refunded if refunded == captured : refunding refunded
        payment.partially_refunded | refund               | payment.partially_refunded if refunded < captured : refunding refunded
        payment.partially_refunded | refund               | payment.refunded if refunded == captured : refunding refunded
    """,
}
BESIDE_THE_PAYMENT = {
    "authorize",
    "update_authorization",
    "capture",
    "cancel",
    "refund",
}
OF_THE_CONSENT = {"authorize", "update_consent", "terminate"}
EXCLUDES = {
    "authorize": BESIDE_THE_PAYMENT | OF_THE_CONSENT,
    "update_authorization": BESIDE_THE_PAYMENT - {"authorize"},
    "get_address": set(),
    "update_consent": OF_THE_CONSENT,
    "terminate": OF_THE_CONSENT,
    "capture": BESIDE_THE_PAYMENT,
    "cancel": BESIDE_THE_PAYMENT,
    "refund": BESIDE_THE_PAYMENT - {"refund"},
}


def compiled(lifecycle):
    """A machine of its own, not one that was compiled before."""
    return compile_lifecycle(load_shipped(lifecycle))


def rows(machine):
    """The steps of all commands, a row each, as the tables above have them."""
    for name, command in machine.commands.items():
        for track, by_state in command.steps.items():
            for state, steps in by_state.items():
                for step in steps:
                    when = f" if {step.move.when.text}" if step.move.when else ""
                    targets = " ".join(effect.target for effect in step.commit)
                    ends = f"{step.track}.{step.target}{when} : {targets}".strip()
                    yield f"{track}.{state} | {name} | {ends}"


@pytest.mark.parametrize("lifecycle", STEPS)
def test_every_step_is_compiled_in_the_order_of_the_file(lifecycle):
    table = [" ".join(row.split()) for row in STEPS[lifecycle].strip().splitlines()]
    assert list(rows(compiled(lifecycle))) == table


@pytest.mark.parametrize(
    ("captured", "refunded", "states"),
    [
        (9, 0, ["partially_refunded"]),
        (9, 8, ["partially_refunded"]),
        (9, 9, ["refunded"]),
    ],
)
def test_a_condition_enables_its_step_alone(captured, refunded, states):
    names = {"captured": captured, "refunded": refunded}
    steps = compiled("one_time").commands["refund"].steps_from({"payment": "captured"})
    assert [step.target for step in steps if step.enabled(names)] == states


def test_a_step_without_a_condition_has_none():
    (step,) = compiled("one_time").commands["cancel"].steps["payment"]["authorized"]
    assert step.conditions == []


def test_the_steps_from_several_tracks_are_found_together_and_strangers_are_none():
    command = compiled("recurring").commands["authorize"]
    begun = {"consent": "requested", "payment": "requested"}
    ends = [(step.track, step.target) for step in command.steps_from(begun)]
    assert ends == [
        ("consent", "consented"),
        ("payment", "authorized"),
        ("payment", "captured"),
    ]
    alone = command.steps_from({"consent": "requested"})
    assert [step.target for step in alone] == ["consented"]
    assert command.steps_from({"payment": "refunded", "elsewhere": "requested"}) == ()
    assert command.steps_from({}) == ()


def test_a_command_waits_for_all_that_moves_its_tracks_except_what_runs_alongside():
    machine = compiled("recurring")
    found = {name: set(command.excludes) for name, command in machine.commands.items()}
    assert found == EXCLUDES


def test_guards_deadlines_and_parameters_are_found_by_command():
    machine = compiled("one_time")
    (deadline,) = machine.deadlines.values()
    starts = [name for name, rule in machine.commands.items() if rule.starts]
    denies = [name for name, rule in machine.commands.items() if rule.deadlines]
    assert starts == ["authorize", "update_authorization"]
    assert denies == ["update_authorization", "capture"]
    assert machine.commands["authorize"].starts == (deadline,)
    assert machine.commands["capture"].deadlines == (deadline,)
    assert machine.commands["get_address"].parameters == {"details"}
    assert machine.commands["refund"].parameters == set()
    recurring = compiled("recurring").commands
    assert recurring["update_consent"].parameters == {"frequency", "note"}
    guards = [guard.code for guard in recurring["authorize"].guards]
    assert guards == ["nothing_to_capture"]
    (step,) = recurring["get_address"].steps["consent"]["requested"]
    guards = [guard.code for guard in step.guards]
    assert guards == ["confirmation_page_not_the_merchants"]


def test_amounts_and_flags_begin_at_nothing():
    machine = compiled("charge")
    names = "authorizing authorized capturing captured released refunding refunded"
    assert machine.zeros == dict.fromkeys(names.split(), 0)
    assert machine.flags_off == {"with_capture": 0, "details": 0}


def test_invariants_are_asked_by_name():
    machine = compiled("charge")
    names = {**machine.zeros, "captured": 5, "refunded": 6, "authorized": 5}
    found = {name: holds(names) for name, holds in machine.invariants}
    assert found == {
        "captured_within_authorized": True,
        "rest_released": True,
        "refunded_within_captured": False,
    }


def test_sentences_and_titles_are_found_by_code_and_name():
    machine = compiled("recurring")
    shown = {
        name: (machine.texts[name].en, machine.texts[name].ja)
        for name in (
            "title terminate",
            "title consent.terminated",
            "title payment.authorized",
            "nothing_to_capture",
            "authorization_expired",
            "key_conflict",
        )
    }
    assert shown == {
        "title terminate": ("terminate", "解約"),
        "title consent.terminated": ("consent is terminated", "承諾が解約済"),
        "title payment.authorized": ("payment is authorized", "決済が与信済"),
        "nothing_to_capture": (
            (
                "With the consent alone nothing is authorized, so nothing can be captured"
                " at once."
            ),
            "承諾のみの申込では与信を行わないため、同時売上はできません。",
        ),
        "authorization_expired": (
            "The authorization expired at {deadline}.",
            "与信は {deadline} に期限切れとなりました。",
        ),
        "key_conflict": (
            "The key {key} belongs to another request.",
            "キー {key} は別の要求のものです。",
        ),
    }


@pytest.mark.parametrize("lifecycle", ["one_time", "recurring", "charge"])
def test_a_track_is_a_machine_without_a_model_that_begins_where_it_is_declared(
    lifecycle,
):
    machine = compiled(lifecycle)
    for name, declared in machine.lifecycle.tracks.items():
        track = machine.tracks[name]
        assert track.models == []
        assert track.initial == declared.initial
        assert list(track.states) == list(declared.states)
