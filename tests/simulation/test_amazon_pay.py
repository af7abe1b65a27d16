"""Amazon Pay itself, played: whatever goes wrong, both sets of books agree in the end."""

from staging import played

from kessai.simulator import Fault

COMMANDS = 400
IMPOSSIBLE = {Fault.WRONG_ENDPOINT, Fault.ACCOUNT_UNKNOWN}  # there is one account


def test_hundreds_of_commands_break_no_promise():
    total, found = played("amazon_pay", range(1, COMMANDS // 200 + 1))
    assert [(finding.seed, str(finding.violation)) for finding in found] == []
    assert total.commands >= COMMANDS
    assert total.resolved == total.operations
    assert not set(total.faults) & IMPOSSIBLE
