"""PAY.JP played by the simulator: ids of its own, lists, keys, webhooks that prove nothing."""

from staging import played

COMMANDS = 800


def test_hundreds_of_commands_break_no_promise():
    total, found = played("payjp", range(1, COMMANDS // 200 + 1))
    assert [(finding.seed, str(finding.violation)) for finding in found] == []
    assert total.commands >= COMMANDS
    assert total.accepted * 5 >= total.commands * 2
    assert total.resolved == total.operations
