"""Commands that must be denied, each made wrong in one way, and the reasons expected.

Reasons that hold whatever is asked for are those of `can`; reasons that lie in the
request come from the declaration of the command.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import attrs
from hypothesis import strategies as st

from kessai.machine import Bounds, Command, possibility
from kessai.machine.compile import CompiledCommand
from kessai.machine.decide import EXTERNAL_UNCLAIMED, bounds_of
from kessai.testing.strategies.values import (
    amounts,
    invalid_values,
    keys,
    wrong_amounts,
)
from kessai.testing.strategies.variants import (
    CommandCase,
    CommandVariant,
    plainest,
    tried,
)

STRANGER = "no_such_command"
OTHER_LIFECYCLE = "no_such_lifecycle"


@attrs.frozen
class DeniedCommand:
    """A command that must be denied, and codes that its denial must hold, at least."""

    command: Command
    reasons: frozenset[str]


Denials = st.SearchStrategy[DeniedCommand]
Make = Callable[[], Denials]
Values = st.SearchStrategy[dict[str, Any]]
Mistake = Callable[[str], Values]


@st.composite
def denials(
    draw: st.DrawFn, case: CommandCase, kinds: Collection[str] = ()
) -> DeniedCommand:
    """Commands that must be denied in this case, by everything that can be wrong.

    With `kinds` only by mistakes of these kinds, which every command allows.
    """
    strangers = [] if kinds else [STRANGER]
    name = draw(st.sampled_from([*case.machine.commands, *strangers]))
    if name == STRANGER:
        return draw(_stranger(case))
    mistakes = _WrongVariants(case, name).all()
    found = [kind for kind in sorted(mistakes) if not kinds or kind in kinds]
    return draw(mistakes[draw(st.sampled_from(found))]())


def _stranger(case: CommandCase) -> Denials:
    asked = Command(STRANGER, case.transaction.id, key="-")
    return _keyed(st.just((asked, frozenset({"not_in_lifecycle"}))))


def _keyed(some: st.SearchStrategy[tuple[Command, frozenset[str]]]) -> Denials:
    """The same under keys of any kind."""
    return st.builds(
        lambda found, key: DeniedCommand(attrs.evolve(found[0], key=key), found[1]),
        some,
        keys(),
    )


class _WrongVariants:
    """Everything that can be wrong with one command in one case."""

    def __init__(self, case: CommandCase, name: str) -> None:
        self.case = case
        self.name = name
        self.rule: CompiledCommand = case.machine.commands[name]
        self.parameters = plainest(case.machine, self.rule, {})
        self.already = self._already()

    def all(self) -> dict[str, Make]:
        """Each kind of mistake that can be made, with the commands that make it."""
        kinds = (
            *(self._as_it_stands(), self._amounts(), self._parameters()),
            *(self._guards(), self._other_fields()),
        )
        return {kind: make for some in kinds for kind, make in some.items()}

    @property
    def bounds(self) -> Bounds | None:
        """The amounts that the plainest form of the command would take."""
        case = self.case
        asked = case.command(self.name, parameters=self.parameters)
        return bounds_of(case.machine, case.transaction, asked)

    def _already(self) -> frozenset[str]:
        """The reasons that hold whatever is asked for: those of `can`."""
        case = self.case
        found = possibility(case.machine, case.transaction, self.name, case.now)
        if found.denial is None:
            return frozenset()
        of_the_request = {guard.code for guard in self.rule.guards}
        return frozenset(found.denial.codes) - {
            *("amount_missing", "amount_below_minimum", "amount_above_maximum"),
            EXTERNAL_UNCLAIMED,
            *self.rule.amount_guards,
            *of_the_request,
        }

    def _denied(
        self, amount: st.SearchStrategy[int | None], *reasons: str, **more: Any
    ) -> Denials:
        more.setdefault("parameters", self.parameters)
        command = self.case.command
        wrong = frozenset(reasons) | self.already
        return _keyed(
            amount.map(lambda given: (command(self.name, given, **more), wrong))
        )

    def _right_amount(self) -> st.SearchStrategy[int | None]:
        """An amount that passes, or any where none would."""
        bounds = self.bounds
        if bounds is not None and bounds.maximum < bounds.minimum:
            return st.just(bounds.minimum)
        return amounts(bounds)

    def _as_it_stands(self) -> dict[str, Make]:
        if not self.already:
            return {}
        return {"as_it_stands": lambda: self._denied(self._right_amount())}

    def _amounts(self) -> dict[str, Make]:
        bounds = self.bounds
        if bounds is None:
            any_amount = wrong_amounts(None)
            return {"amount": lambda: self._denied(any_amount, "amount_not_taken")}
        made: dict[str, Make] = {"amount": lambda: self._beyond(bounds)}
        if bounds.default is None:
            made["no_amount"] = lambda: self._denied(st.none(), "amount_missing")
        return made

    def _beyond(self, bounds: Bounds) -> Denials:
        def wrong(amount: int) -> tuple[Command, frozenset[str]]:
            is_low = amount < bounds.minimum
            code = "amount_below_minimum" if is_low else "amount_above_maximum"
            given = self.case.command(self.name, amount, parameters=self.parameters)
            return given, self.already | {code}

        return _keyed(wrong_amounts(bounds).map(wrong))

    def _parameters(self) -> dict[str, Make]:
        declared, taken = self.case.machine.lifecycle.parameters, self.rule.parameters
        not_taken = [name for name in declared if name not in taken]
        choices: dict[str, tuple[Sequence[str], Mistake]] = {
            "parameter_missing": (self.rule.spec.required, self._left_out),
            "parameter_not_taken": (not_taken, self._not_taken),
            "parameter_invalid": (sorted(taken), self._malformed),
        }
        return {
            reason: partial(self._one_of, names, change, reason)
            for reason, (names, change) in choices.items()
            if names
        }

    def _one_of(self, names: Sequence[str], change: Mistake, reason: str) -> Denials:
        amount = self._right_amount()

        def denied(given: dict[str, Any]) -> Denials:
            return self._denied(amount, reason, parameters=given)

        return st.sampled_from(names).flatmap(change).flatmap(denied)

    def _left_out(self, name: str) -> Values:
        return st.just({k: v for k, v in self.parameters.items() if k != name})

    def _not_taken(self, name: str) -> Values:
        return st.just({**self.parameters, name: True})

    def _malformed(self, name: str) -> Values:
        declared = self.case.machine.lifecycle.parameters[name]
        return invalid_values(declared).map(
            lambda value: {**self.parameters, name: value}
        )

    def _guards(self) -> dict[str, Make]:
        """Flags under which a guard fails, by its expression."""
        if not (self.rule.guards and self.rule.spec.is_opening):
            return {}  # if the transaction exists, `can` has these reasons already
        failing = [way for way, _ in tried(self.case, self.name) if self._failed(way)]
        if not failing:
            return {}
        return {"guard": lambda: st.sampled_from(failing).flatmap(self._under)}

    def _under(self, way: CommandVariant) -> Denials:
        given = plainest(self.case.machine, self.rule, way.flags)
        amount = None if way.bounds is None else way.bounds.minimum
        return self._denied(st.just(amount), *self._failed(way), parameters=given)

    def _failed(self, way: CommandVariant) -> tuple[str, ...]:
        amount = 0 if way.bounds is None else way.bounds.minimum
        flags = {name: int(value) for name, value in way.flags.items()}
        machine = self.case.machine
        names = {**machine.zeros, **machine.flags_off, **flags, "amount": amount}
        guards = self.rule.guards
        return tuple(g.code for g in guards if not g.holds.evaluate(names))

    def _other_fields(self) -> dict[str, Make]:
        """Another lifecycle, agreement or currency, or none where one is needed."""
        spec = self.rule.spec
        wrong: dict[str, tuple[str, dict[str, str | None]]] = {
            "lifecycle": ("lifecycle_differs", {"lifecycle": OTHER_LIFECYCLE}),
            "agreement": ("agreement_missing", {"agreement": None}),
            "currency": ("currency_not_taken", {"currency": "XXX"}),
        }
        if spec.agreement is None:
            wrong["agreement"] = ("agreement_not_taken", {"agreement": "order-0"})
        if spec.is_opening and len(self.case.machine.lifecycle.currencies) > 1:
            wrong["no_currency"] = ("currency_missing", {"currency": None})
        return {
            kind: partial(self._other, reason, **given)
            for kind, (reason, given) in wrong.items()
        }

    def _other(self, reason: str, **more: Any) -> Denials:
        return self._denied(self._right_amount(), reason, **more)
