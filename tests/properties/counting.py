"""Counts the steps that Hypothesis takes, and how many each machine must take in CI."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

STEPS = {"machine alone": 42_000, "faultless": 4_000, "faulty": 4_000}
"""The fewest steps of each: 50,000 in all."""

EACH = 40


class Counted:
    """A state machine that counts its steps, over all its runs."""

    steps = 0

    def __init__(self):
        super().__init__()
        type(self).steps -= 1  # the invariants are asked once before the first step

    @invariant()
    def one_more_step(self):
        type(self).steps += 1


def taken(machine, examples, each=EACH, **more):
    """Play the machine; how many steps it took."""
    machine.steps = 0
    chosen = settings(
        max_examples=examples,
        stateful_step_count=each,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(machine, settings=chosen)
    print(f"{machine.__name__}: {machine.steps:,} steps")  # noqa: T201 - shown by -s
    return machine.steps
