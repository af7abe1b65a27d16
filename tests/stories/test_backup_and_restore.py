"""The README's section on backup and restore, played through with its own commands.

Monday's copy of a shop's store is put back on Wednesday. The emulator is the gateway;
its books go on, in `orders.db.gateway`.
"""

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
SECTION = README.read_text("utf-8").split("## Backup and restore")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
COPY, ASK_THE_GATEWAY, CLOSE = ([*block.splitlines()] for block in BLOCKS)


def words(line, order=None, event=None):
    """A command of the README as it is typed here, where the emulator is the gateway."""
    line = line.replace("--gateway veritrans4g ", "")
    line = line.replace("ORDER 7", f"{order} {event}")
    program, *rest = shlex.split(line)
    assert program == "kessai"
    return rest


class Restored:
    """A shop whose store is put back to Monday."""

    def __init__(self, kessai, folder):
        self.kessai, self.folder = kessai, folder

    def does(self, order, command, amount=None, *, key, **options):
        amounts = [] if amount is None else ["--amount", amount]
        more = [
            word for name, value in options.items() for word in (f"--{name}", value)
        ]
        asked = ["tx", "do", order, command, *amounts, "--key", key, *more]
        return self.kessai(*asked, "--db", "orders.db", "--json", "--lang", "en")

    def opens(self, order, amount, key):
        return self.does(order, "authorize", amount, key=key, lifecycle="one_time")

    def is_copied(self):
        """The line for SQLite, while another connection writes."""
        (line,) = (line for line in COPY if line.startswith("sqlite3"))
        _, name, statement = shlex.split(line)
        with closing(sqlite3.connect(self.folder / name)) as connection:
            connection.execute(statement)

    def is_put_back(self):
        for path in self.folder.glob("orders.db*"):
            if path.suffix != ".gateway":
                path.unlink()
        (self.folder / "monday.db").rename(self.folder / "orders.db")

    def asks_the_gateway(self):
        return [self.kessai(*words(line), "--json").code for line in ASK_THE_GATEWAY]

    def reads(self, order, kind="show"):
        return self.kessai("tx", kind, order, "--db", "orders.db", "--json").json


@pytest.fixture
def shop(kessai, tmp_path):
    """400 of 1,000 were refunded, and another order was opened, after the copy."""
    shop = Restored(kessai, tmp_path)
    shop.opens("order-1", 1000, "open-1")
    shop.does("order-1", "capture", key="ship-1")
    shop.is_copied()
    assert shop.does("order-1", "refund", 400, key="return-1").code == 0
    assert shop.opens("order-2", 500, "open-2").code == 0
    shop.is_put_back()
    return shop


def refunded(shop):
    return shop.reads("order-1")["amounts"]["refunded"]


def test_the_gateway_shows_what_was_lost(shop):
    assert refunded(shop) == 0
    assert shop.asks_the_gateway() == [4, 0, 0]  # something differs; all of it holds
    assert refunded(shop) == 400
    (unclaimed,) = shop.reads("order-1")["unclaimed"]
    assert (unclaimed["command"], unclaimed["amount"]) == ("refund", 400)


@pytest.mark.parametrize("key", ["return-1", "return-1 again"])
def test_what_was_lost_is_not_carried_out_again(shop, key):
    shop.asks_the_gateway()
    denied = shop.does("order-1", "refund", 400, key=key)
    assert denied.code == 3
    (reason,) = denied.json["denial"]["reasons"]
    assert reason["code"] == "external_unclaimed"
    assert "nothing is left to do" in reason["sentence"]
    assert refunded(shop) == 400


def test_another_one_like_it_is_carried_out_once_an_operator_says_so(shop):
    shop.asks_the_gateway()
    assert shop.does("order-1", "refund", 400, key="return-2").code == 3
    (unclaimed,) = shop.reads("order-1")["unclaimed"]
    (line,) = CLOSE
    closed = shop.kessai(*words(line, "order-1", unclaimed["event"]))
    assert closed.code == 0
    assert shop.does("order-1", "refund", 400, key="return-2").code == 0
    assert refunded(shop) == 800
    assert shop.asks_the_gateway() == [0, 0, 0]


def test_an_order_that_is_not_in_the_copy_is_found_when_it_is_opened_again(shop):
    shop.asks_the_gateway()
    assert shop.opens("order-2", 500, "open-2").json["status"] == "succeeded"
    assert shop.reads("order-2")["amounts"]["authorized"] == 500
    assert shop.asks_the_gateway() == [0, 0, 0]
