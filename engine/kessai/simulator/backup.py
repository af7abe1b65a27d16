"""A copy of a world's store, as it was at one moment, whatever store it is."""

from collections.abc import Callable

from kessai.driver import ask_store
from kessai.flow import Append, Claim, Release
from kessai.flow.effects import StoreEffect
from kessai.stores import Store


class Backup:
    """The writes of a store, in their order: the copy has as many as there were then.

    Written once more to an empty store, they give the same one, byte for byte.
    """

    def __init__(self) -> None:
        self._writes: list[StoreEffect] = []
        self._copied: int | None = None

    def note(self, effect: StoreEffect) -> None:
        """The store has performed `effect`."""
        if isinstance(effect, Append | Claim | Release):
            self._writes.append(effect)

    @property
    def is_made(self) -> bool:
        """Whether there is a copy."""
        return self._copied is not None

    def make(self) -> None:
        """Make the copy."""
        self._copied = len(self._writes)

    def put_back(self, make_store: Callable[[], Store]) -> Store:
        """A new store with what the copy has."""
        del self._writes[self._copied :]
        store = make_store()
        for write in self._writes:
            ask_store(store, write)
        return store
