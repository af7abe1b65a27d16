"""Every fate of two operations in a row, whoever recovers: all resolves, or shows."""

from itertools import islice

import pytest
from fates import DECLINE, RESEND, looks, violations, ways
from settings import pairs_of
from staging import STAGES, memory_stage

from kessai.simulator.run import living

LOOKS = [*looks(2), (DECLINE, RESEND)]
COMMANDS = [
    ("refund", "refund"),
    ("update_authorization", "update_authorization"),
    ("update_consent", "update_consent"),
]


@pytest.mark.parametrize("every", [19, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("commands", COMMANDS, ids=lambda names: names[0])
def test_whatever_befalls_two_in_a_row_the_books_agree_or_it_shows(commands, every):
    """Every so manyth way; `fates.py` goes all of them."""
    chosen = islice(ways(memory_stage(), commands, LOOKS), 0, None, every)
    for way, violation in violations(memory_stage(), chosen):
        pytest.fail(f"{way}\n{violation}")


@pytest.mark.parametrize("gateway", ["amazon_pay", "payjp", "stripe"])
def test_whatever_befalls_two_in_a_row_at_any_gateway_the_books_agree(gateway):
    """Some ways of any two commands; `fates.py --gateway … --pairs` goes all of them."""
    stage = STAGES[gateway]()
    for commands in pairs_of(stage):
        chosen = islice(ways(stage, commands, looks(2)), 17, None, 1999)
        for way, violation in violations(stage, chosen):
            pytest.fail(f"{way}\n{violation}")


@pytest.mark.parametrize(
    ("gateway", "possible"), [("amazon_pay", 15), ("payjp", 7), ("stripe", 10)]
)
def test_where_nothing_befalls_them_many_pairs_are_carried_out(gateway, possible):
    """Else their ways would show nothing."""
    stage = STAGES[gateway]()
    firsts = [[*islice(ways(stage, pair, looks(2)), 2)][1] for pair in pairs_of(stage)]
    assert sum(are_carried_out(stage, way) for way in firsts) == possible


def are_carried_out(stage, way):
    with living(stage) as world:
        for move in way.story():
            world.play(move)
        found = [world.store.load(f"key-{place}", None, None) for place in (0, 1)]
        return all(
            one.recorded and one.recorded.outcome == "succeeded" for one in found
        )


def test_no_two_ways_are_the_same():
    every = [str(way) for way in ways(memory_stage(), COMMANDS[0], LOOKS)]
    assert len(set(every)) == len(every) == 1496
    assert every[0] == (
        "refund 100 fine, decline after 660 s; refund 100 fine, decline after 660 s"
    )
