"""A transaction's names as its lifecycle file has them, for whoever only lists it.

Nothing is compiled: a list of transactions needs no rule.
"""

from collections.abc import Iterable, Iterator, Mapping

import attrs

from kessai.errors import InvalidLifecycle
from kessai.machine import Transaction
from kessai.money import Currency, show_amount
from kessai.spec import Lifecycle, rebuild
from kessai.stores import Store
from kessai.words import Text


@attrs.frozen
class TransactionTitles:
    """A transaction and the file it began under; without one, names stand for themselves."""

    transaction: Transaction
    declared: Lifecycle | None
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
    store: Store, transactions: Iterable[Transaction], language: str
) -> list[TransactionTitles]:
    """Each of `transactions` by the lifecycle file in the store, which is read once."""
    files: dict[str, Lifecycle | None] = {}
    found = []
    for transaction in transactions:
        if (digest := transaction.lifecycle_hash) not in files:
            files[digest] = _declared(store, digest)
        found.append(TransactionTitles(transaction, files[digest], language))
    return found


def _declared(store: Store, digest: str) -> Lifecycle | None:
    """The lifecycle file of that hash; None if it is not in the store, or damaged."""
    document = store.declaration(digest)
    try:
        lifecycle = None if document is None else rebuild(document)
    except InvalidLifecycle:
        return None
    return lifecycle if lifecycle and lifecycle.hash == digest else None


def state_titles(
    lifecycle: Lifecycle | None, track: str, state: str, language: str
) -> tuple[str, str]:
    """The titles of a track and of one of its states."""
    declared = lifecycle.tracks.get(track) if lifecycle else None
    if declared is None or state not in declared.states:
        return track, state
    title = declared.title.in_language(language)
    return title, declared.states[state].in_language(language)
