"""Strategies for what a command carries: order ids, keys, amounts, parameters.

All of them within the limits that the lifecycle declares, and free of what no command
may hold: card numbers, control characters, halves of surrogate pairs.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st

from kessai.card_numbers import SHORTEST, has_card_number
from kessai.ids import MAX_ID
from kessai.machine import Bounds, Command, Denial, Machine, Transaction, decide
from kessai.money import AMOUNT_LIMIT
from kessai.simulator.commands import opening_of
from kessai.simulator.world import BEGINNING
from kessai.spec import CommandSpec, Parameter
from kessai.testing.strategies.lifecycles import AnyLifecycle, machine_of

T = TypeVar("T")

_COMMON = 12
"""How long texts mostly are: what is longer makes no other case, and hard reading."""

_LETTERS = st.characters(
    exclude_categories=("C", "N"),  # no digits: they could be a card's
    exclude_characters="\x7f",
)


def order_ids(lifecycle: AnyLifecycle) -> st.SearchStrategy[str]:
    """Order ids that the lifecycle takes."""
    machine = machine_of(lifecycle)
    longest = min(machine.lifecycle.identifier.max_characters, MAX_ID)
    characters = _id_characters(machine)
    most = min(longest, _COMMON)
    some = st.text(st.sampled_from(characters), min_size=1, max_size=most)
    some |= st.just(characters[-1] * longest)
    return some.filter(_holds_no_card)


@cache
def keys() -> st.SearchStrategy[str]:
    """Idempotency keys of any kind."""
    longest = st.just("k" * MAX_ID)
    return st.text(_LETTERS, min_size=1, max_size=_COMMON) | longest


@lru_cache(maxsize=1000)
def amounts(bounds: Bounds | None) -> st.SearchStrategy[int | None]:
    """Amounts within `bounds`, often at their edges; None where the default is taken.

    Nothing but None where the command takes no amount. Few different ones are common,
    so that refunds of the same amount meet.
    """
    if bounds is None:
        return st.none()
    low, high = bounds.minimum, bounds.maximum
    if high < low:
        return st.nothing()
    edges = sorted(
        {low, min(low + 1, high), (low + high) // 2, max(high - 1, low), high}
    )
    some: list[st.SearchStrategy[int | None]] = [
        st.sampled_from(edges),
        st.integers(low, min(high, low + 300)),
    ]
    default = bounds.default
    if default is not None and low <= default <= high:
        some.append(st.none())
    return _free_of_cards(high, *some, st.integers(low, high))


def wrong_amounts(bounds: Bounds | None) -> st.SearchStrategy[int]:
    """Amounts that `bounds` forbid; any where no amount is taken."""
    if bounds is None:
        return st.integers(0, 1000)
    lowest, highest = bounds.maximum + 1, bounds.minimum - 1
    some = [st.integers(0, highest) | st.just(highest)] if highest >= 0 else []
    if lowest < AMOUNT_LIMIT:
        some.append(st.integers(lowest, min(lowest + 1000, AMOUNT_LIMIT - 1)))
    return _free_of_cards(lowest + 1000, *some)


def among(draw: st.DrawFn, options: Sequence[T]) -> T:
    """One of `options`, drawn by a strategy that need not be made anew each time."""
    return options[draw(_positions(len(options)))]


@cache
def _positions(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def parameter_values(
    lifecycle: AnyLifecycle, name: str
) -> st.SearchStrategy[bool | str | Mapping[str, Any]]:
    """Values of the parameter `name`, within its limits.

    Those called `…_url` are addresses of a shop; no gateway takes any other text.
    """
    return _values(machine_of(lifecycle).lifecycle.parameters[name])


@st.composite
def _values(draw: st.DrawFn, declared: Parameter) -> Any:
    return _value(draw, declared)


def _value(draw: st.DrawFn, declared: Parameter) -> Any:
    edges = declared.edges()
    is_edge = bool(edges) and among(draw, (False, True))
    if is_edge:
        return among(draw, edges)
    return declared.sample(_Drawing(draw))


@attrs.frozen
class _Drawing:
    """Has Hypothesis choose, as a `kessai.spec.parameters.Chooser`."""

    _draw: st.DrawFn

    def among(self, options: Sequence[T], /) -> T:
        return among(self._draw, options)

    def between(self, least: int, most: int, /) -> int:
        return self._draw(st.integers(least, most))

    def flag(self) -> bool:
        return among(self._draw, (False, True))

    def text(self, least: int, most: int, /) -> str:
        return self._draw(_texts(least, min(most, _COMMON)))


@cache
def _texts(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(_LETTERS, min_size=least, max_size=most)


def parameters(
    draw: st.DrawFn, machine: Machine, spec: CommandSpec, flags: Mapping[str, bool]
) -> dict[str, Any]:
    """What the command requires, some of the optional, and what those need.

    `flags` are given as they are; one that is False keeps out what needs it.
    """
    declared = machine.lifecycle.parameters
    free = [
        name
        for name in spec.optional
        if name not in flags and _may_come(declared, name, flags)
    ]
    chosen = [name for name in spec.required if name not in flags]
    if free:
        some = draw(_some_positions(len(free)))
        chosen += [free[position] for position in some]
    values = {name: _value(draw, declared[name]) for name in chosen}
    return complete(machine, {**flags, **values})


@cache
def _some_positions(count: int) -> st.SearchStrategy[list[int]]:
    return st.lists(_positions(count), unique=True, max_size=4)


def _may_come(
    declared: Mapping[str, Parameter], name: str, flags: Mapping[str, bool]
) -> bool:
    needed = declared[name].needs
    return needed is None or flags.get(needed) is not False


def complete(machine: Machine, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with whatever they need, at its simplest."""
    declared, found = machine.lifecycle.parameters, dict(values)
    for name in values:
        while (needed := declared[name].needs) and found[name] is not False:
            if found.get(needed):
                break
            found[needed] = declared[needed].sample()
            name = needed  # noqa: PLW2901 - the chain of what needs what
    return found


@cache
def _id_characters(machine: Machine) -> list[str]:
    """The characters of order ids, as the machine itself takes them."""
    name = opening_of(machine).spec.name

    def is_taken(character: str) -> bool:
        command = Command(name, character, key="-")
        verdict = decide(machine, Transaction(character), command, BEGINNING)
        codes = verdict.codes if isinstance(verdict, Denial) else ()
        return "transaction_id_invalid" not in codes

    return [c for c in map(chr, range(0x21, 0x7F)) if is_taken(c)]


def _holds_no_card(text: str) -> bool:
    return not has_card_number(text)


def _free_of_cards(
    highest: int, *some: st.SearchStrategy[int | None]
) -> st.SearchStrategy[Any]:
    # Hypothesis reads the source of what filters integers, each time anew.
    any_of_them = st.one_of(*some)
    may_be_a_card = highest >= 10 ** (SHORTEST - 1)
    return any_of_them.filter(_is_no_card) if may_be_a_card else any_of_them


def _is_no_card(amount: int | None) -> bool:
    return amount is None or not has_card_number(str(amount))
