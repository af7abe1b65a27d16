"""Stripe's stand-in in the hands of the simulator: nothing lost, nothing twice.

More of it: `python tests/simulation/long.py --gateway stripe --commands 10000`.
"""

from staging import played

from kessai.simulator import COMMANDS_EACH, Fault

COMMANDS = 2_000
IMPOSSIBLE = {Fault.WRONG_ENDPOINT, Fault.ACCOUNT_UNKNOWN}  # there is one account


def test_whatever_goes_wrong_at_stripe_no_promise_is_broken():
    total, found = played("stripe", range(1, 1 + COMMANDS // COMMANDS_EACH))
    assert [(finding.seed, str(finding.violation)) for finding in found] == []
    assert total.commands >= COMMANDS
    assert total.resolved == total.operations
    assert not set(total.faults) & IMPOSSIBLE
    assert {
        *(Fault.BAD_REPLY, Fault.LATE_REVERSAL, Fault.LOST_REPLY),
        Fault.TERMINATION_RACE,
    } <= set(total.faults)
