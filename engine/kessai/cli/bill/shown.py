"""What the commands of `kessai bill` show alike."""

from collections.abc import Mapping
from functools import cache

from kessai.cli.terminal.output import say
from kessai.cli.terminal.tables import print_table
from kessai.errors import InvalidInput
from kessai.money import Currency, show_amount
from kessai.shell import shipped_lifecycles
from kessai.stores import Store
from kessai.stores.bills import BillTotal
from kessai.stores.protocol import bills_of
from kessai.words import Words

word = Words("bill")


def money(amount: int, currency: str) -> str:
    """An amount in minor units with its currency, as people write it."""
    return show_amount(amount, _currencies().get(currency))


@cache
def _currencies() -> dict[str, Currency]:
    return {
        code: each
        for lifecycle in shipped_lifecycles()
        for code, each in lifecycle.currencies.items()
    }


def totals_of(store: Store, name: str) -> list[BillTotal]:
    """How a run stands, by status and currency.

    Raises:
        InvalidInput: nothing is planned under that name.

    """
    totals = bills_of(store).totals(name)
    if not totals:
        message = f"run {name!r}: nothing is planned under that name"
        raise InvalidInput(message)
    return totals


def print_statuses(statuses: Mapping[str, int], language: str) -> None:
    """How many bills were charged, by status."""
    if not statuses:
        say(word("nothing_due", language))
        return
    print_table(
        word("charged", language),
        word.each(language, "status", "number"),
        ([word(name, language), f"{n:,}"] for name, n in sorted(statuses.items())),
        numbers=1,
    )
