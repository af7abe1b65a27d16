"""Testing the tester: every planted mistake is found, and soon."""

import pytest
from defects import DEFECTS
from margin import WITHIN
from planting import GATEWAYS
from staging import STAGES

from kessai.simulator import replay, simulate

SEED = 1


LATER_FROM_THERE = {"a_key_is_made_from_the_id_of_its_operation": 3001}
"""What shows from `SEED` on only after more commands, with the seed for it."""

RARE = {"a_deadline_lapses_over_an_open_operation"}
"""Found after thousands of commands."""


RESTORED = {
    "what_the_gateway_has_done_is_done_again",
    "an_order_that_is_refused_a_second_time_has_failed",
    "a_key_is_made_from_the_id_of_its_operation",
}
"""A quick story finds each of them, in `test_restored_worlds.py`."""


def marked(name):
    is_slow = name in RARE | RESTORED
    return pytest.param(name, marks=pytest.mark.slow) if is_slow else name


@pytest.mark.parametrize("name", [marked(name) for name in DEFECTS])
def test_the_simulator_finds(name):
    stage, seed = STAGES[GATEWAYS[name]](), LATER_FROM_THERE.get(name, SEED)
    with DEFECTS[name]():
        finding = simulate(stage, seed, WITHIN).finding
    assert finding is not None
    # The engine as it is stands the very same moves.
    assert replay(stage, finding.moves) is None


def test_there_are_forty():
    assert len(DEFECTS) >= 40
