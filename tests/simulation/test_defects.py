"""Testing the tester: every planted mistake is found, and soon."""

import pytest
from defects import DEFECTS
from margin import WITHIN
from planting import GATEWAYS
from staging import STAGES

from kessai.simulator import replay, simulate

SEED = 1


LATER_FROM_THERE = {
    "the_in_flight_limit_counts_from_the_first_send": 12,
    "what_may_be_anothers_is_sent_again": 8,
    "a_late_reply_counts_again": 7,
    "a_lower_amount_ends_an_operation": 5,
    "what_the_gateway_has_done_is_done_again": 13,
    "an_order_that_is_refused_a_second_time_has_failed": 5,
    "a_key_is_made_from_the_id_of_its_operation": 3027,
}
"""What shows from `SEED` on only after more commands, with a seed where it shows soon."""

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
