"""The end of a story: everything resolves, by way of the order system itself.

As in the simulator's quiescence, late requests arrive, the consumers decide and nothing
is lost any more; but notifications are delivered to the order system, and its own
recovery works.
"""

from collections.abc import Callable

from kessai.simulator import World
from kessai.simulator.quiescence import LONG_ENOUGH, ROUNDS, Quiescence


class StoryEnd(Quiescence):
    """Resolves a world that an order system notifies and recovers."""

    def __init__(
        self,
        world: World,
        deliver: Callable[[str, int], None],
        catch_up: Callable[[], None],
    ) -> None:
        super().__init__(world)
        self._deliver = deliver
        self._catch_up = catch_up

    def _notifications_are_delivered(self) -> None:
        self._world.collect()
        for order, number in tuple(self._world.undelivered):
            self._deliver(order, number)

    def _recoverers_work(self) -> None:
        """The order system's own first; what that leaves open, the engine's."""
        for _ in range(ROUNDS):
            self._world.now += LONG_ENOUGH
            self._catch_up()
            if not self._world.store.open_transactions(1):
                return
        super()._recoverers_work()
