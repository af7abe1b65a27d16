"""A transaction's names as its lifecycle file has them, for whoever only lists it.

Nothing is compiled: a list of transactions needs no rule.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from kessai.machine import Transaction
from kessai.money import Currency, show_amount
from kessai.spec.titles import LifecycleTitles, stored_titles
from kessai.words import Text

if TYPE_CHECKING:
    from kessai.spec import Lifecycle
    from kessai.stores import Store

    Declared = Lifecycle | LifecycleTitles | None


@attrs.frozen
class TransactionTitles:
    """A transaction and the file it began under; without one, names stand for themselves."""

    transaction: Transaction
    declared: "Declared"
    language: str

    @property
    def currency(self) -> Currency | None:
        """The declared currency of its amounts."""
        if self.declared is None:
            return None
        return self.declared.currency(self.transaction.currency)

    @property
    def lifecycle(self) -> str:
        """The title of its lifecycle."""
        if self.declared is None:
            return self.transaction.lifecycle
        return self.declared.title.in_language(self.language)

    def amount_title(self, name: str) -> str:
        """The title of an amount."""
        known: Mapping[str, Text] = self.declared.amounts if self.declared else {}
        return known[name].in_language(self.language) if name in known else name

    def money(self, amount: int | None) -> str:
        """An amount with its currency; nothing for none."""
        return "" if amount is None else show_amount(amount, self.currency)

    def states(self) -> Iterator[tuple[str, str]]:
        """The titles of each track and of the state it is in."""
        for track, state in self.transaction.states.items():
            yield state_titles(self.declared, track, state, self.language)

    def state(self) -> str:
        """The titles of all the states that it is in."""
        return ", ".join(state for _, state in self.states())


def titled(
    store: "Store", transactions: Iterable[Transaction], language: str
) -> list[TransactionTitles]:
    """Each of `transactions` by the lifecycle file in the store, which is read once."""
    files: dict[str, LifecycleTitles | None] = {}
    found = []
    for transaction in transactions:
        if (digest := transaction.lifecycle_hash) not in files:
            document = store.declaration(digest)
            files[digest] = stored_titles(document, digest) if document else None
        found.append(TransactionTitles(transaction, files[digest], language))
    return found


def state_titles(
    lifecycle: "Declared", track: str, state: str, language: str
) -> tuple[str, str]:
    """The titles of a track and of one of its states."""
    declared = lifecycle.tracks.get(track) if lifecycle else None
    if declared is None or state not in declared.states:
        return track, state
    title = declared.title.in_language(language)
    return title, declared.states[state].in_language(language)
