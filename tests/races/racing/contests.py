"""What is raced for: how each contest begins, what all ask at once, what must hold.

A contest knows neither how its commands come to be carried out at the same moment, nor
how the books are compared: see `runners` and `judge`.
"""

from collections import Counter

import attrs

from kessai import Command

TOTAL = 100
MONTHLY = {"frequency": {"unit": "Month", "value": 1}}


class Violation(AssertionError):
    """An effect that must not be, or one that is missing."""


def demand(holds, message, *details):
    if not holds:
        raise Violation(" ".join([message, *map(repr, details)]))


@attrs.frozen
class Outcome:
    """What one racer asked for, and what it was answered."""

    command: Command
    status: str


@attrs.frozen
class Race:
    """One round: an order id of its own, a source of numbers, so many racers."""

    order: str
    draw: object
    racers: int

    def command(self, name, number, **given):
        order = given.pop("order", self.order)
        key = given.pop("key", f"{self.order} {name} {number}")
        return Command(name, order, key=key, **given)

    def each(self, make):
        return [make(number) for number in range(self.racers)]


def opening(race, **given):
    return race.command("authorize", "first", lifecycle="one_time", **given)


def authorized(race):
    return [opening(race, amount=TOTAL)]


def captured(race):
    return [*authorized(race), race.command("capture", "first")]


def agreed(race):
    return [
        race.command(
            "authorize",
            "first",
            lifecycle="recurring",
            amount=TOTAL,
            parameters=MONTHLY,
        )
    ]


def counts(outcomes):
    return Counter(outcome.status for outcome in outcomes)


def one_winner(race, outcomes, gateway):
    """Exactly one may have it; all others are denied."""
    statuses = counts(outcomes)
    expected = {"succeeded": 1, "denied": race.racers - 1}
    demand(statuses == expected, "not one winner:", statuses)


# ── refunds ─────────────────────────────────────────────────────────────────────────


def refunds_of_sixty(race):
    """Hyperswitch #13182: two refunds of 60 from 100 both succeed."""
    return race.each(lambda n: race.command("refund", n, amount=60))


def refunds_of_any_amount(race):
    draw = race.draw
    return race.each(lambda n: race.command("refund", n, amount=draw.randint(1, 30)))


def all_that_fit(race, outcomes, gateway):
    """No more than was captured, and none refused that would still fit at the end."""
    given = sum(o.command.amount for o in outcomes if o.status == "succeeded")
    left = TOTAL - given
    demand(left >= 0, "refunded more than captured:", given)
    demand(gateway.refunded(race.order) == given, "not what was answered:", given)
    refused = [o.command.amount for o in outcomes if o.status == "denied"]
    demand(all(amount > left for amount in refused), "refused:", refused, left)
    demand(
        set(counts(outcomes)) <= {"succeeded", "denied"}, "answered:", counts(outcomes)
    )


# ── captures and cancels ────────────────────────────────────────────────────────────


def captures(race):
    draw = race.draw
    return race.each(
        lambda n: race.command("capture", n, amount=draw.randint(1, TOTAL))
    )


def cancels(race):
    return race.each(lambda n: race.command("cancel", n))


def captures_and_cancels(race):
    names = ("capture", "cancel")
    return race.each(lambda n: race.command(names[n % 2], n))


# ── the same key, the same order ────────────────────────────────────────────────────


def one_refund_again_and_again(race):
    return race.each(lambda n: race.command("refund", 0, amount=30))


def one_capture_again_and_again(race):
    return race.each(lambda n: race.command("capture", 0, amount=30))


def one_opening_again_and_again(race):
    return race.each(lambda n: opening(race, amount=TOTAL))


def one_effect(race, outcomes, gateway):
    """One was sent, and all have its answer in the end."""
    wire = {"refund": "Refund", "capture": "Capture", "authorize": "Authorize"}
    name = outcomes[0].command.name
    sent = gateway.exchanges(race.order, wire[name])
    demand(len(sent) == 1, "the gateway heard it so often:", len(sent))
    statuses = counts(outcomes)
    demand(statuses == {"succeeded": race.racers}, "answered:", statuses)


def keys_of_two_requests(race):
    """One key for two different requests: one of them is carried out, once."""
    return race.each(lambda n: race.command("refund", 0, amount=30 + n % 2))


def one_request(race, outcomes, gateway):
    sent = gateway.exchanges(race.order, "Refund")
    demand(len(sent) == 1, "the gateway heard it so often:", len(sent))
    for outcome in outcomes:
        is_it = outcome.command.amount == sent[0].amount
        demand(is_it or outcome.status == "denied", "both:", outcome)
        demand(not is_it or outcome.status != "denied", "refused:", outcome)


def openings_for_one_order(race):
    return race.each(
        lambda n: race.command("authorize", n, lifecycle="one_time", amount=1 + n)
    )


def one_opening(race, outcomes, gateway):
    statuses = counts(outcomes)
    demand(statuses["denied"] == race.racers - 1, "not one opening command:", statuses)
    sent = gateway.exchanges(race.order, "Authorize")
    demand(len(sent) == 1, "the gateway heard it so often:", len(sent))


# ── re-authorizations against a termination ─────────────────────────────────────────


def charges_and_a_termination(race):
    last = race.draw.randrange(race.racers)

    def make(number):
        if number == last:
            return race.command("terminate", number)
        return race.command(
            "reauthorize",
            number,
            order=f"{race.order}-{number}",
            lifecycle="charge",
            agreement=race.order,
            amount=1 + number,
        )

    return race.each(make)


def none_after_the_termination(race, outcomes, gateway):
    """What began before may succeed or be declined; what did not, is not anywhere."""
    for outcome in outcomes:
        order = outcome.command.transaction
        if outcome.command.name == "terminate":
            demand(outcome.status == "succeeded", "terminated:", outcome)
            continue
        demand(
            outcome.status in {"succeeded", "declined", "denied"}, "answered:", outcome
        )
        holds = gateway.has_authorized(order)
        demand(holds == (outcome.status == "succeeded"), "not as answered:", outcome)
        agreement_at = gateway.agreement_at_begin(order)
        if outcome.status == "denied":
            demand(agreement_at is None, "denied and begun:", outcome)
        else:
            before = agreement_at < gateway.terminated_at(race.order)
            demand(before, "begun after the termination:", outcome)


@attrs.frozen
class Contest:
    """How it begins, what all ask for at once, and what must hold afterwards."""

    begins: object
    asks: object
    holds: object

    @property
    def name(self):
        return self.asks.__name__.replace("_", " ")


CONTESTS = (
    Contest(captured, refunds_of_sixty, one_winner),
    Contest(captured, refunds_of_any_amount, all_that_fit),
    Contest(authorized, captures, one_winner),
    Contest(authorized, cancels, one_winner),
    Contest(authorized, captures_and_cancels, one_winner),
    Contest(captured, one_refund_again_and_again, one_effect),
    Contest(authorized, one_capture_again_and_again, one_effect),
    Contest(lambda _: [], one_opening_again_and_again, one_effect),
    Contest(captured, keys_of_two_requests, one_request),
    Contest(lambda _: [], openings_for_one_order, one_opening),
    Contest(agreed, charges_and_a_termination, none_after_the_termination),
)
