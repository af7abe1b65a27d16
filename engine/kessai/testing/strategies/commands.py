"""Commands drawn from a lifecycle: those that must pass, those that must be denied.

    @given(data())
    def test_my_shop(data):
        command = data.draw(allowed_commands("one_time", transaction, now))

Everything is asked of the lifecycle's own machine: states, bounds, guards and deadlines
stand in the file, and nowhere here.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from hypothesis import strategies as st

from kessai.errors import InvalidInput
from kessai.machine import Command, Operation, Transaction
from kessai.machine.unclaimed import all_unclaimed
from kessai.simulator.world import BEGINNING
from kessai.testing.strategies.agreements import agreement_for
from kessai.testing.strategies.denied import DeniedCommand, denials
from kessai.testing.strategies.lifecycles import AnyLifecycle, machine_of
from kessai.testing.strategies.values import (
    T,
    among,
    amounts,
    keys,
    order_ids,
    parameters,
)
from kessai.testing.strategies.variants import CommandCase, CommandVariant, ways

NOW = BEGINNING
"""The moment that commands are asked for at, unless another is given."""


def allowed_commands(
    lifecycle: AnyLifecycle,
    transaction: Transaction | None = None,
    now: datetime = NOW,
    agreement: Transaction | None = None,
) -> st.SearchStrategy[Command]:
    """Commands that the lifecycle allows on `transaction` at `now`.

    Without a transaction they are opening commands, under order ids of any kind.
    `agreement` is what a charge is made under; a live one is made up where none is
    given. Keys are drawn anew; nothing is drawn where no command is allowed.

    Raises:
        InvalidInput: the lifecycle is none, or has mistakes.

    """
    return _drawn(_allowed, lifecycle, transaction, now, agreement)


def denied_commands(
    lifecycle: AnyLifecycle,
    transaction: Transaction | None = None,
    now: datetime = NOW,
    agreement: Transaction | None = None,
) -> st.SearchStrategy[DeniedCommand]:
    """Commands that the lifecycle denies on `transaction` at `now`, and why.

    The codes of the denial hold all `reasons` that come with the command: a wrong
    state, an amount beyond a bound, a guard that fails, an operation that is open, a
    deadline that has passed, a parameter that is missing, not taken or not within its
    limits.

    Raises:
        InvalidInput: the lifecycle is none, or has mistakes.

    """
    return _drawn(denials, lifecycle, transaction, now, agreement)


def _drawn(
    draw: Callable[[CommandCase], st.SearchStrategy[T]],
    lifecycle: AnyLifecycle,
    transaction: Transaction | None,
    now: datetime,
    agreement: Transaction | None,
) -> st.SearchStrategy[T]:
    """What `draw` gives on `transaction`, or on order ids of any kind without one."""
    if transaction is not None:
        return draw(case_of(lifecycle, transaction, now, agreement))
    machine = machine_of(lifecycle)
    return order_ids(machine).flatmap(
        lambda order: draw(case_of(machine, Transaction(order), now, agreement))
    )


def case_of(
    lifecycle: AnyLifecycle,
    transaction: Transaction,
    now: datetime = NOW,
    agreement: Transaction | None = None,
) -> CommandCase:
    """What commands are asked for on.

    Raises:
        InvalidInput: the transaction runs under another lifecycle.

    """
    machine = machine_of(lifecycle)
    if transaction.exists and transaction.lifecycle != machine.name:
        message = (
            f"transaction {transaction.id!r} runs under {transaction.lifecycle!r},"
            f" not under {machine.name!r}"
        )
        raise InvalidInput(message)
    return CommandCase(machine, transaction, now, agreement or agreement_for(machine))


def _allowed(case: CommandCase) -> st.SearchStrategy[Command]:
    # By name first: a command with many flags shall not crowd out the rest.
    by_name = [found for name in case.machine.commands if (found := ways(case, name))]
    return _in_any_way(case, by_name) if by_name else st.nothing()


@st.composite
def _in_any_way(
    draw: st.DrawFn, case: CommandCase, by_name: Sequence[Sequence[CommandVariant]]
) -> Command:
    return command_in(draw, case, among(draw, by_name), draw(keys()))


def command_in(
    draw: st.DrawFn, case: CommandCase, some: Sequence[CommandVariant], key: str
) -> Command:
    """A command in one of some ways, with amounts and parameters of any kind."""
    way = among(draw, some)
    rule = case.machine.commands[way.name]
    given = parameters(draw, case.machine, rule.spec, way.flags)

    def command(amount: int | None) -> Command:
        return case.command(
            way.name, amount, currency=way.currency, parameters=given, key=key
        )

    some_amount = amounts(way.bounds)
    if rule.amount_guards or all_unclaimed(case.transaction):
        # The bounds alone do not show it.
        some_amount = some_amount.filter(
            lambda amount: isinstance(case.decide(command(amount)), Operation)
        )
    return command(draw(some_amount))
