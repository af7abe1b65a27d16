"""Testing the tester: every planted mistake is found, and soon."""

import pytest
from defects import DEFECTS

from kessai.simulator import replay, simulate

WITHIN = 10_000


@pytest.mark.parametrize("name", DEFECTS)
def test_the_simulator_finds(name, stage):
    with DEFECTS[name]():
        finding = simulate(stage, 1, WITHIN).finding
    assert finding is not None
    # The engine as it is stands the very same moves.
    assert replay(stage, finding.moves) is None
