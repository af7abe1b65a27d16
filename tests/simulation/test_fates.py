"""Every fate of two operations in a row, whoever recovers: all settles, or shows."""

import pytest
from fates import SETTINGS, violations, ways

from kessai import Missing

RECOVERIES = [
    (Missing.DECLINE, Missing.DECLINE),
    (Missing.DECLINE, Missing.RESEND),
    (Missing.RESEND, Missing.RESEND),
    (None, Missing.DECLINE),
]


@pytest.mark.parametrize("command", SETTINGS)
def test_whatever_befalls_two_in_a_row_the_books_agree_or_it_shows(command):
    for way, violation in violations(ways(command, 2, RECOVERIES)):
        pytest.fail(f"{way}\n{violation}")


def test_no_two_ways_are_the_same():
    every = [str(way) for way in ways("refund", 2, RECOVERIES)]
    assert len(set(every)) == len(every) == 1496
    assert every[0] == "refund: 100 fine, decline; 100 fine, decline"
