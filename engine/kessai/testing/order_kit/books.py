"""Three sets of books compared: the order system's, the engine's, the gateway's.

An order system states what it has of each order: amounts by the lifecycle's names
(`captured`, `refunded`, …), states by track (`payment`), or both. Only what it names is
compared; an order that it leaves out has no money in it.
"""

from collections.abc import Iterator, Mapping

from kessai.machine import Transaction

Entry = Mapping[str, int | str]
Books = Mapping[str, Entry]


def differences(books: Books, transaction: Transaction) -> Iterator[str]:
    """Each amount and state that an order system has otherwise than the engine."""
    entry = books.get(transaction.id)
    for name, known in _known(books, transaction).items():
        if entry is None and isinstance(known, str):
            continue
        ours = (entry or {}).get(name, "" if isinstance(known, str) else 0)
        if ours != known:
            yield f"{name} is {_shown(ours)}, and {_shown(known)} in the engine"


def _known(books: Books, transaction: Transaction) -> Mapping[str, int | str]:
    """What the engine has of what the order system keeps at all."""
    kept = {name for entry in books.values() for name in entry}
    everything: dict[str, int | str] = {**transaction.amounts, **transaction.states}
    return {name: value for name, value in everything.items() if name in kept}


def _shown(value: int | str) -> str:
    return "not known" if value == "" else str(value)
