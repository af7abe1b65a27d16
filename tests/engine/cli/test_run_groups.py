"""Which lines of a file are carried out together: those that do not depend on another."""

from datetime import UTC, datetime

import pytest

from kessai.cli.run.carry_out import independent
from kessai.cli.run.command_fields import TimedCommand
from kessai.cli.run.command_file import CommandLine
from kessai.machine import Command
from kessai.stores import SQLiteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def lines(*about):
    """Lines about transactions: `sub` itself, or `charge<sub` under the agreement sub."""
    for number, each in enumerate(about, 1):
        name, _, agreement = each.partition("<")
        command = Command("any", name, key=str(number), agreement=agreement or None)
        yield CommandLine(number, TimedCommand(NOON, command))


@pytest.mark.parametrize(
    "about",
    [
        "one two three",
        "one two | one | one",
        "sub one | a<sub b<sub",
        "a<sub b<sub one | sub | c<sub",
        "one two three four | five",
    ],
)
def test_no_line_of_a_group_is_about_what_another_one_changes(about):
    expected = [group.split() for group in about.split(" | ")]

    found = independent(lines(*(each for group in expected for each in group)), 4)

    numbers = iter(range(1, 10))
    assert [[line.number for line in group] for group in found] == [
        [next(numbers) for _ in group] for group in expected
    ]


def test_a_thousand_real_orders_share_their_commits(kessai, orders, monkeypatch):
    sizes, append_each = [], SQLiteStore.append_each

    def counted(store, changes):
        sizes.append(len(changes))
        return append_each(store, changes)

    monkeypatch.setattr(SQLiteStore, "append_each", counted)

    assert kessai("run", orders, "--db", "orders.db").code == 0

    assert sum(sizes) > 2000
    assert len(sizes) < sum(sizes) / 5
