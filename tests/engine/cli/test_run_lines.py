"""The lines that are carried out: those that were checked, whole, whatever comes later."""

import json
from datetime import UTC, datetime

import pytest

from kessai import Command
from kessai.cli.run.command_fields import TimedCommand
from kessai.cli.run.command_file import CommandLine, opened
from kessai.errors import InvalidCommandFile
from kessai.machine import Machines
from kessai.shell import shipped_lifecycles

AT = "2024-06-01T10:00:00.25+09:00"
ASKED = datetime(2024, 6, 1, 1, 0, 0, 250_000, tzinfo=UTC)
FREQUENCY = {"unit": "Month", "value": 1}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.jsonl"


def written(path, *lines):
    path.write_text("".join(f"{json.dumps({'at': AT, **line})}\n" for line in lines))


def checked(path, **kind):
    return opened(str(path), Machines(shipped_lifecycles()), **kind)


def line(transaction, **more):
    return {
        "key": f"k-{transaction}",
        "command": "capture",
        "transaction": transaction,
        **more,
    }


def test_every_field_of_a_line_reaches_the_engine(path):
    parameters = {"note": "日本\n語", "details": True}
    written(
        path,
        line("one", amount=1000, currency="JPY", account="gateway/shop/live"),
        line("two", command="authorize", lifecycle="recurring", frequency=FREQUENCY,
             parameters=parameters),
        line("three", command="reauthorize", agreement="two"),
    )  # fmt: skip

    with checked(path) as commands:
        assert commands.check() == 3
        found = list(commands.lines())

    assert found == [
        CommandLine(1, TimedCommand(ASKED, Command("capture", "one", key="k-one", amount=1000,
            currency="JPY", account="gateway/shop/live"))),
        CommandLine(2, TimedCommand(ASKED, Command("authorize", "two", key="k-two",
            lifecycle="recurring", parameters={**parameters, "frequency": FREQUENCY}))),
        CommandLine(3, TimedCommand(ASKED, Command("reauthorize", "three", key="k-three",
            agreement="two"))),
    ]  # fmt: skip


def test_what_a_gateway_stated_of_an_import_is_kept_too(path):
    given = {"references": {"intent": "pi_1"}, "deadlines": {"authorization": AT}}
    written(path, line("one", **given))

    with checked(path, before=ASKED) as commands:
        commands.check()
        (found,) = [each.stated for each in commands.lines()]

    assert found == TimedCommand(
        ASKED,
        Command("capture", "one", key="k-one"),
        given["references"],
        {"authorization": ASKED},
    )


def test_what_was_checked_is_carried_out_though_the_file_is_changed_meanwhile(path):
    written(path, line("one"), line("two"))

    with checked(path) as commands:
        commands.check()
        written(path, line("three"))

        assert [each.command.transaction for each in commands.lines()] == ["one", "two"]


def test_of_a_file_that_is_checked_again_the_last_reading_counts(path):
    written(path, line("one"), line("two"))

    with checked(path) as commands:
        commands.check()
        written(path, line("three"))
        commands.check()
        assert [each.command.transaction for each in commands.lines()] == ["three"]

        written(path, line("three", amont=1))
        with pytest.raises(InvalidCommandFile, match="amont"):
            commands.check()
