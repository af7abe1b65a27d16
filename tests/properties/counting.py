"""Plays a state machine of Hypothesis until it has taken as many steps as are wanted."""

import os

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

STEPS = {"machine alone": 4_000, "faultless": 1_000, "faulty": 1_000}
"""Taken in CI, 6,000 in all; a twentieth of them by default."""

MANY = 200_000
"""Taken of each where the environment variable HYPOTHESIS_PROFILE is `long`."""

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EACH = 80 if IS_LONG else 40
EXAMPLES = 20


def in_steps(name):
    """Run a test once for each number of `steps` that it is to take."""
    whole = STEPS[name]
    some = [whole // 20, pytest.param(whole, marks=pytest.mark.slow)]
    return pytest.mark.parametrize("steps", [MANY] if IS_LONG else some)


class Counted:
    """A state machine that counts its steps, over all its runs."""

    steps = 0

    def __init__(self):
        super().__init__()
        type(self).steps -= 1  # the invariants are asked once before the first step

    @invariant()
    def one_more_step(self):
        type(self).steps += 1


def play(machine, steps):
    """Play the machine from one seed after the other until it has taken `steps`."""
    machine.steps = number = 0
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=EACH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    while machine.steps < steps:
        number += 1
        run_state_machine_as_test(seed(number)(machine), settings=chosen)
