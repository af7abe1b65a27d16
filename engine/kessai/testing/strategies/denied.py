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
    among,
    amounts,
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


Make = Callable[[st.DrawFn], DeniedCommand]
Mistake = Callable[[st.DrawFn, str], dict[str, Any]]


@st.composite
def denials(
    draw: st.DrawFn, case: CommandCase, kinds: Collection[str] = ()
) -> DeniedCommand:
    """Commands that must be denied in this case, by everything that can be wrong.

    With `kinds` only by mistakes of these kinds, which every command allows.
    """
    return denial(draw, case, kinds, key=draw(keys()))


def denial(
    draw: st.DrawFn, case: CommandCase, kinds: Collection[str] = (), *, key: str
) -> DeniedCommand:
    """One of `denials`, under that key."""
    strangers = [] if kinds else [STRANGER]
    name = among(draw, [*case.machine.commands, *strangers])
    if name == STRANGER:
        asked = Command(STRANGER, case.transaction.id, key=key)
        return DeniedCommand(asked, frozenset({"not_in_lifecycle"}))
    mistakes = _WrongVariants(case, name).all()
    found = [kind for kind in sorted(mistakes) if not kinds or kind in kinds]
    denied = mistakes[among(draw, found)](draw)
    return attrs.evolve(denied, command=attrs.evolve(denied.command, key=key))


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

    def _denied(self, amount: int | None, *reasons: str, **more: Any) -> DeniedCommand:
        more.setdefault("parameters", self.parameters)
        command = self.case.command(self.name, amount, **more)
        return DeniedCommand(command, frozenset(reasons) | self.already)

    def _right_amount(self) -> st.SearchStrategy[int | None]:
        """An amount that passes, or any where none would."""
        bounds = self.bounds
        if bounds is not None and bounds.maximum < bounds.minimum:
            return st.just(bounds.minimum)
        return amounts(bounds)

    def _as_it_stands(self) -> dict[str, Make]:
        if not self.already:
            return {}
        return {"as_it_stands": lambda draw: self._denied(draw(self._right_amount()))}

    def _amounts(self) -> dict[str, Make]:
        bounds = self.bounds
        if bounds is None:
            return {"amount": self._not_taken_amount}
        made: dict[str, Make] = {"amount": partial(self._beyond, bounds)}
        if bounds.default is None:
            made["no_amount"] = lambda _: self._denied(None, "amount_missing")
        return made

    def _not_taken_amount(self, draw: st.DrawFn) -> DeniedCommand:
        return self._denied(draw(wrong_amounts(None)), "amount_not_taken")

    def _beyond(self, bounds: Bounds, draw: st.DrawFn) -> DeniedCommand:
        amount = draw(wrong_amounts(bounds))
        is_low = amount < bounds.minimum
        code = "amount_below_minimum" if is_low else "amount_above_maximum"
        return self._denied(amount, code)

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

    def _one_of(
        self, names: Sequence[str], change: Mistake, reason: str, draw: st.DrawFn
    ) -> DeniedCommand:
        given = change(draw, among(draw, names))
        return self._denied(draw(self._right_amount()), reason, parameters=given)

    def _left_out(self, _: st.DrawFn, name: str) -> dict[str, Any]:
        return {k: v for k, v in self.parameters.items() if k != name}

    def _not_taken(self, _: st.DrawFn, name: str) -> dict[str, Any]:
        return {**self.parameters, name: True}

    def _malformed(self, draw: st.DrawFn, name: str) -> dict[str, Any]:
        wrong = self.case.machine.lifecycle.parameters[name].invalid()
        return {**self.parameters, name: among(draw, wrong)}

    def _guards(self) -> dict[str, Make]:
        """Flags under which a guard fails, by its expression."""
        if not (self.rule.guards and self.rule.spec.is_opening):
            return {}  # if the transaction exists, `can` has these reasons already
        failing = [way for way, _ in tried(self.case, self.name) if self._failed(way)]
        if not failing:
            return {}
        return {"guard": lambda draw: self._under(among(draw, failing))}

    def _under(self, way: CommandVariant) -> DeniedCommand:
        given = plainest(self.case.machine, self.rule, way.flags)
        amount = None if way.bounds is None else way.bounds.minimum
        return self._denied(amount, *self._failed(way), parameters=given)

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
            kind: partial(self._other, reason, given)
            for kind, (reason, given) in wrong.items()
        }

    def _other(
        self, reason: str, given: dict[str, str | None], draw: st.DrawFn
    ) -> DeniedCommand:
        return self._denied(draw(self._right_amount()), reason, **given)
