"""Present chains against sealed ones: each sealed chain must be the beginning of its own.

Seals and store are read side by side, both sorted by id, so memory holds one chain of
each however many there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from kessai.audit.sealing.file import Chain, Seal
from kessai.audit.verification.report import AuditFault, Sealed


class _ChainReader:
    """The chains of a seal, with the next one at hand."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self._chains = seal.chains()
        self.next: Chain | None = next(self._chains, None)

    def take(self, transaction: str) -> Chain | None:
        """The chain of `transaction`, if it comes next."""
        chain = self.next
        if chain is None or chain.transaction != transaction:
            return None
        self.next = next(self._chains, None)
        return chain


class Comparison:
    """One reading of a store against seals, the oldest first."""

    def __init__(self, seals: Sequence[Seal]) -> None:
        self._readings = [_ChainReader(seal) for seal in in_order(seals)]
        self._taken: list[tuple[Seal, Chain]] = []

    def gone(self, before: str | None = None) -> Iterator[AuditFault]:
        """Sealed transactions with an id before `before` that were not asked for."""
        while True:
            following = [r.next.transaction for r in self._readings if r.next]
            name = min(following, default=None)
            if name is None or (before is not None and name >= before):
                return
            self.take(name)
            oldest, _ = self._taken[0]
            yield AuditFault(name, 1, "sealed_missing", sealed_at(oldest.time))

    def fault(
        self, transaction: str, events: int, hashes: Mapping[int, str]
    ) -> AuditFault | None:
        """What is wrong with the chain that was taken, which holds in itself.

        It has `events`; `hashes` are those of the `sealed` ones, by their numbers.
        """
        good = 0
        for seal, chain in self._taken:
            sealed = chain.version
            if events < sealed:
                detail = f"{sealed} → {events}, {sealed_at(seal.time)}"
                return AuditFault(transaction, events + 1, "sealed_cut", detail)
            if hashes[sealed] != chain.head:
                # Of all between the two, the chain itself does not show which.
                first = f"{good + 1}" if good + 1 == sealed else f"{good + 1}-{sealed}"
                detail = f"{first}, {sealed_at(seal.time)}"
                return AuditFault(transaction, good + 1, "sealed_differs", detail)
            good = max(good, sealed)
        return None

    def take(self, transaction: str) -> frozenset[int]:
        """Take up the chains of `transaction`, in order of id: the numbers of their ends."""
        self._taken = [
            (reading.seal, chain)
            for reading in self._readings
            if (chain := reading.take(transaction)) is not None
        ]
        return frozenset(chain.version for _, chain in self._taken)


def in_order(seals: Sequence[Seal]) -> list[Seal]:
    """The seals by their time, the oldest first."""
    return sorted(seals, key=lambda seal: seal.time)


def shown(seals: Sequence[Seal]) -> tuple[Sealed, ...]:
    """What a report shows of the seals."""
    digests = {seal.digest for seal in seals}
    return tuple(
        Sealed(
            str(seal.path),
            seal.time,
            seal.summary.chains,
            seal.summary.events,
            seal.summary.previous not in {"", *digests},
        )
        for seal in in_order(seals)
    )


def sealed_at(moment: datetime) -> str:
    """A moment as sentences show it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
