"""Two accounts share a store: neither's gateway is ever asked about the other's orders."""

from collections import Counter

import pytest
from staging import accounts_stage, played_on_all_cores

from kessai.simulator import COMMANDS_EACH, Fault, Figures, narrate
from kessai.simulator.moves import Deliver
from kessai.simulator.run import conclude, living
from kessai.simulator.scheduler import Scheduler


@pytest.mark.parametrize(
    "commands", [1_000, pytest.param(3_000, marks=pytest.mark.slow)]
)
def test_whatever_goes_wrong_accounts_stay_apart(commands):
    total, found = Figures(), []
    worlds = range(1, commands // COMMANDS_EACH + 1)
    for figures, findings in played_on_all_cores(worlds, 2, "accounts"):
        total.add(figures)
        found += findings
    assert [(finding.seed, str(finding.violation)) for finding in found] == []
    assert total.resolved == total.operations
    assert total.outcomes["AccountUnknown"] > 0
    assert {Fault.WRONG_ENDPOINT, Fault.ACCOUNT_UNKNOWN} < set(total.faults)


def test_a_story_tells_which_account_a_process_knows():
    moves = [Deliver(1, "one_time-1", 0, Fault.WRONG_ENDPOINT, "emulator/south")]
    told = list(narrate(accounts_stage(), moves))
    assert "wrong_endpoint" in told[0]
    assert told[0].endswith(" (account emulator/south)")


def test_both_accounts_have_orders():
    with living(accounts_stage()) as world:
        scheduler = Scheduler(1, world, frozenset(), COMMANDS_EACH)
        while (move := scheduler.next()) is not None:
            world.play(move)
        conclude(world)
        opened = Counter(transaction.account for transaction in world.transactions())
    assert min(opened["emulator/north"], opened["emulator/south"]) >= 3
