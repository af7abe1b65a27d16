"""Which transactions are asked for; and a name that nothing has is a mistake, not none."""

from collections.abc import Iterable, Iterator, Mapping

import attrs
import click

from kessai.cli.terminal.json_line import meant, short
from kessai.machine import Transaction
from kessai.spec import load_shipped, shipped_names


def _names(transaction: Transaction) -> dict[str, set[str]]:
    """By what `transaction` is found."""
    states = transaction.states
    tracks = {f"{track}.{state}" for track, state in states.items()}
    return {
        "state": {*states.values(), *tracks},
        "lifecycle": {transaction.lifecycle},
        "account": {transaction.account},
    }


@attrs.frozen
class Known:
    """The names that there are, by option: those declared, and those met meanwhile."""

    names: dict[str, set[str]] = attrs.field(
        factory=lambda: {"state": set(), "lifecycle": set(), "account": set()}
    )

    def chosen(
        self, transactions: Iterable[Transaction], wanted: Mapping[str, str | None]
    ) -> Iterator[Transaction]:
        """Those that have every name that is wanted."""
        for transaction in transactions:
            if not transaction.exists:
                continue
            found = _names(transaction)
            for option, names in found.items():
                self.names[option] |= names
            if all(w is None or w in found[option] for option, w in wanted.items()):
                yield transaction

    def check(self, wanted: Mapping[str, str | None]) -> None:
        """See that what found nothing could have found something.

        Raises:
            click.UsageError: there is no such name; the message says which there are.

        """
        self._declared()
        for option, name in wanted.items():
            known = self.names[option]
            if name is not None and known and name not in known:
                message = f"--{option} {short(name)}: {meant(name, sorted(known))}"
                raise click.UsageError(message)

    def _declared(self) -> None:
        """Add the names that the shipped lifecycles declare."""
        for lifecycle in map(load_shipped, shipped_names()):
            self.names["lifecycle"].add(lifecycle.name)
            for track in lifecycle.tracks.values():
                for state in track.states:
                    self.names["state"] |= {state, f"{track.name}.{state}"}
