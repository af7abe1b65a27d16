"""Planning a run: a bill for each agreement and period date, however often it is planned.

The charge's id and key follow from the agreement and the period, so what is planned again
is the same bill. Bills are written a page at a time: a million agreements need no more
memory than a page, and a plan that was broken off is finished by planning it once more.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

import attrs
import msgspec

from kessai.billing.schedule import BillingSchedule
from kessai.errors import InvalidInput
from kessai.flow import Bill, Context
from kessai.flow.bills import charging_command, command_of, terms_of
from kessai.ids import is_id
from kessai.machine import Transaction
from kessai.stores import Store
from kessai.stores.protocol import bills_of
from kessai.stores.query import PAGE

MOST_SKIPPED = 100
"""Agreements that are named because nothing was planned for them; others are counted."""


@attrs.frozen(kw_only=True)
class BilledAgreement:
    """An agreement that is charged by a schedule; `amount` in minor units of `currency`.

    Without a currency it is the agreement's own.
    """

    agreement: str
    amount: int
    schedule: BillingSchedule
    currency: str | None = None


@attrs.define
class PlanReport:
    """What was planned: how many bills, and their sums by currency in minor units.

    `written` are new; `standing` are planned or charged already, `differing` of them
    with another amount or in another run. `skipped` are agreements for which nothing was
    planned, with the reason: `no_agreement`, `account` (another's) or `not_charged` (nothing
    charges its lifecycle); at most 100 of them, `skips` counts all.
    """

    written: int = 0
    standing: int = 0
    differing: int = 0
    skips: int = 0
    sums: Counter[str] = attrs.field(factory=Counter[str])
    skipped: dict[str, str] = attrs.field(factory=dict[str, str])


_SKIPPED = frozenset({"no_agreement", "account", "not_charged"})


@attrs.define
class Planning:
    """Plans one run, whose charges have `parameters`.

    Raises:
        InvalidInput: the run has no name that can be one.

    """

    context: Context
    store: Store
    run: str
    parameters: Mapping[str, Any]
    report: PlanReport = attrs.field(factory=PlanReport, init=False)

    def __attrs_post_init__(self) -> None:
        if not is_id(self.run):
            message = "run: a name of one line, such as '2026-01', is right"
            raise InvalidInput(message)

    def write(
        self,
        agreements: Iterable[BilledAgreement],
        since: date,
        until: date,
        *,
        dry_run: bool = False,
    ) -> PlanReport:
        """See `Engine.plan`."""
        kept, planned = bills_of(self.store), self._planned(agreements)
        bills = (
            bill
            for made, schedule in planned
            for bill in _bills(made, schedule, since, until)
        )
        while page := list(islice(bills, PAGE)):
            found = kept.standing(page) if dry_run else kept.add(page)
            _count(self.report, page, found)
        return self.report

    def _planned(
        self, agreements: Iterable[BilledAgreement]
    ) -> Iterator[tuple[Bill, BillingSchedule]]:
        """What the bills of each agreement have in common, where it can be charged."""
        encoded = msgspec.json.encode(self.parameters, order="sorted").decode()
        for each in agreements:
            agreement = self.store.load(None, each.agreement, None).transaction
            command = self._command(agreement)
            if agreement is None or command in _SKIPPED:
                self._skip(each.agreement, command)
                continue
            made = Bill(
                agreement=each.agreement,
                period=date.min,
                charge="",
                key="",
                command=command,
                amount=each.amount,
                currency=each.currency or agreement.currency,
                run=self.run,
                parameters=encoded,
                terms=terms_of(self.context, command, agreement),
            )
            yield made, each.schedule

    def _command(self, agreement: Transaction | None) -> str:
        """The command that charges it, or why none does."""
        if agreement is None or not agreement.exists:
            return "no_agreement"
        if agreement.account not in self.context.adapters:
            return "account"
        return charging_command(self.context, agreement) or "not_charged"

    def _skip(self, agreement: str, why: str) -> None:
        self.report.skips += 1
        if len(self.report.skipped) < MOST_SKIPPED:
            self.report.skipped[agreement] = why


def _bills(
    made: Bill, schedule: BillingSchedule, since: date, until: date
) -> Iterator[Bill]:
    for period in schedule.dates(since, until):
        bill = msgspec.structs.replace(
            of_attempt(made, period, 1), due_at=schedule.due_at(period)
        )
        command_of(bill)  # refused now, and not when it is charged
        yield bill


def of_attempt(bill: Bill, period: date, attempt: int) -> Bill:
    """`bill` with the charge of an attempt: its id follows from agreement and period."""
    again = "" if attempt == 1 else f"-{attempt}"
    charge = f"{bill.agreement}-{period:%Y%m%d}{again}"
    return msgspec.structs.replace(
        bill, period=period, charge=charge, key=f"bill-{charge}"
    )


def _count(report: PlanReport, page: list[Bill], found: list[Bill]) -> None:
    standing = {(bill.agreement, bill.period): bill for bill in found}
    report.standing += len(standing)
    for bill in page:
        other = standing.get((bill.agreement, bill.period))
        if other is None:
            report.written += 1
            report.sums[bill.currency or ""] += bill.amount or 0
        elif (other.run, other.amount, other.currency) != (
            bill.run,
            bill.amount,
            bill.currency,
        ):
            report.differing += 1
