"""Mistakes in waiting, resending, recovering and attributing: each loses a payment.

They show only at certain moments: around the in-flight limit, after a resend, between
two operations that look alike, under a lease that has run out, at a deadline.
"""

from datetime import timedelta
from importlib import import_module

import attrs
from planting import begins_under, defect, planted

from kessai import MemoryStore
from kessai.machine import Operation, Phase

absence = import_module("kessai.evidence.absence")
execute = import_module("kessai.flow.execute")
inquiry = import_module("kessai.flow.inquiry")
listing = import_module("kessai.evidence.listing")
outcome = import_module("kessai.evidence.outcome")
recover = import_module("kessai.flow.recover")
evolve = import_module("kessai.machine.evolve")

FIRST_SEND = (Operation, "sent_at", property(lambda operation: operation.begun_at))


# ── what an operator is asked ──────────────────────────────────────────────────────────


@defect
def what_is_explained_stays_open():
    """What was set aside and applied a moment later asks for an operator for ever."""
    with planted((evolve, "unexplained", lambda _, before, *__: before.discrepancies)):
        yield


# ── the in-flight limit ─────────────────────────────────────────────────────────────


def limit_shorter_by(shorter):
    original = inquiry.Presumption

    def presumption(sent_by, *others):
        return original(sent_by + shorter, *others)

    return planted((inquiry, "Presumption", presumption))


@defect
def the_in_flight_limit_is_a_minute():
    """What is not listed a minute after its intent is presumed lost."""
    with limit_shorter_by(timedelta(minutes=9)):
        yield


@defect
def the_in_flight_limit_is_a_minute_short():
    """Clocks that differ, a late send and a slow network take all of it."""
    with limit_shorter_by(timedelta(minutes=1)):
        yield


@defect
def the_in_flight_limit_counts_from_the_first_send():
    """What was sent again a moment ago is presumed lost, as its first request is old."""
    original = absence._unlisted

    def unlisted(*given):
        with planted(FIRST_SEND):
            return original(*given)

    with planted((absence, "_unlisted", unlisted)):
        yield


@defect
def a_worker_sends_however_late():
    """A process that slept sends what others have presumed lost."""
    with planted((execute, "SEND_WITHIN", timedelta(days=40))):
        yield


# ── resends ─────────────────────────────────────────────────────────────────────────


@defect
def no_answer_counts_from_the_first_send():
    """A caller who waits for the reply to a resend is given up at once."""
    original = inquiry._presume_unanswered

    def presume_unanswered(*given):
        return begins_under(original(*given), FIRST_SEND)

    with planted((inquiry, "_presume_unanswered", presume_unanswered)):
        yield


@defect
def what_may_be_anothers_is_sent_again():
    """The list shows one of two like refunds, and the other is sent once more."""
    never = (absence, "is_attributed_to_another", lambda attempts, operation: False)
    with planted(never):
        yield


@defect
def a_sleeper_declines_what_was_sent_since():
    """A request that never left says something of the one that was sent after it."""
    original = execute._events

    def events(machine, transaction, operation, evidence, now):
        current = transaction.operations.get(operation.id, operation)
        return original(machine, transaction, current, evidence, now)

    with planted((execute, "_events", events)):
        yield


@defect
def a_resend_needs_no_lease():
    """A recoverer that slept sends again what another has taken up."""
    original = recover._intend

    def intend(machine, operation, transaction_id, now, lease):
        return original(machine, operation, transaction_id, now, None)

    with planted((recover, "_intend", intend)):
        yield


# ── leases ──────────────────────────────────────────────────────────────────────────


@defect
def a_stale_recoverer_writes():
    """The store takes a change under a lease that somebody else has by now."""
    with planted((MemoryStore, "_check_lease", lambda self, lease: None)):
        yield


@defect
def a_recoverer_writes_without_its_lease():
    """What it presumes lost is written whoever has the lease."""
    original = inquiry.write

    def write(machine, transaction, events, lease=None):
        return original(machine, transaction, events)

    with planted((inquiry, "write", write)):
        yield


# ── attribution ─────────────────────────────────────────────────────────────────────


@defect
def a_late_reply_counts_again():
    """An exchange that was attributed to another counts for its own caller too."""
    never = (execute, "is_attributed_to_another", lambda attempts, operation: False)
    with planted(never):
        yield


@defect
def the_newest_comes_first_among_equals():
    """A listed refund ends the one in flight, and the older one is presumed lost."""
    original = listing.begun_before_listed

    def begun_before_listed(attempts, listed, found):
        found = original(attempts, listed, found)
        found = sorted(found, key=lambda one: one.sent_at, reverse=True)
        return sorted(found, key=lambda one: one.phase is not Phase.PENDING)

    with planted((listing, "begun_before_listed", begun_before_listed)):
        yield


@defect
def a_lower_amount_ends_an_operation():
    """A refund of 50 in the portal is taken for the refund of 100 that was lost."""
    original = listing.begun_before_listed

    def begun_before_listed(attempts, listed, found):
        found = original(attempts, listed, found)
        if found or listed.amount is None:
            return found
        return [
            attempt.operation
            for attempt in attempts.of(listed.command)
            if attempt.end is None and (attempt.operation.amount or 0) > listed.amount
        ]

    with planted(
        (listing, "begun_before_listed", begun_before_listed),
        (outcome, "_wrong_amount", lambda *given: ""),
    ):
        yield


@defect
def an_overwritten_amount_is_applied():
    """An update that arrived too late undoes the one after it."""
    with planted((listing._Worklist, "_is_overwritten", lambda self, listed: False)):
        yield


# ── deadlines ───────────────────────────────────────────────────────────────────────


@defect
def a_deadline_lapses_over_an_open_operation():
    """A capture without an answer may have been carried out before the deadline."""
    original = recover.overdue

    def overdue(machine, transaction, now):
        return original(machine, attrs.evolve(transaction, operations={}), now)

    with planted((recover, "overdue", overdue)):
        yield


@defect
def a_deadline_counts_from_reading():
    """An authorization ends when the evidence was read, not when it was given."""
    original = evolve._restarted

    def restarted(rule, transaction, event):
        undated = attrs.evolve(event.evidence, reported_at=None)
        event = attrs.evolve(event, evidence=undated)
        return original(rule, transaction, event)

    with planted((evolve, "_restarted", restarted)):
        yield
