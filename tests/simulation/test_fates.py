"""Every fate of two operations in a row, whoever recovers: all resolves, or shows."""

from itertools import islice

import pytest
from fates import DECLINE, RESEND, looks, violations, ways

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
    chosen = islice(ways(commands, LOOKS), 0, None, every)
    for way, violation in violations(chosen):
        pytest.fail(f"{way}\n{violation}")


def test_no_two_ways_are_the_same():
    every = [str(way) for way in ways(COMMANDS[0], LOOKS)]
    assert len(set(every)) == len(every) == 1496
    assert every[0] == (
        "refund 100 fine, decline after 660 s; refund 100 fine, decline after 660 s"
    )
