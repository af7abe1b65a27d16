"""Every wait of the engine, once, and how often it tries; units stand in the names.

A name without a unit is a `timedelta`. Limits that depend on one another stand
together, and their relation is checked when this module is imported.

The longest times that a request can take, on a clock that starts at its intent:

     0:00  the intent is durable
     1:00  `SEND_WITHIN`: the request is sent by now, or never
     3:30  `REPLY_WITHIN`: the transport gives the reply by now, or reports none
     6:30  `MARGIN`: with differing clocks and a slow network, it has arrived by now
    10:00  `IN_FLIGHT_LIMIT`: what the inquiry does not list now never arrived
"""

from datetime import timedelta

import attrs

from kessai.errors import InvalidInput

# ── a request on its way ────────────────────────────────────────────────────────────

SEND_WITHIN = timedelta(seconds=60)
"""How long after an intent its request may be sent: later, it is presumed lost."""

REPLY_WITHIN = timedelta(seconds=150)
"""How long a begun operation's caller may wait for the reply: the transport's limit."""

MARGIN = timedelta(minutes=3)
"""For clocks that differ, processes that sleep, and a slow network."""

IN_FLIGHT_LIMIT = timedelta(minutes=10)
"""How long after the (last) intent to send it a request can still arrive."""


@attrs.frozen(kw_only=True)
class Waits:
    """The longest waits between an intent and the arrival of its request."""

    send_within: timedelta = SEND_WITHIN
    reply_within: timedelta = REPLY_WITHIN
    margin: timedelta = MARGIN

    @property
    def least_limit(self) -> timedelta:
        """The shortest in-flight limit that is longer than all of them together."""
        return self.send_within + self.reply_within + self.margin

    def check(self, in_flight_limit: timedelta) -> None:
        """Refuse a limit after which a request could still arrive.

        Raises:
            InvalidInput: it is shorter than the waits; the message says what is right.

        """
        if in_flight_limit < self.least_limit:
            message = (
                f"in-flight limit {in_flight_limit}: a request may be sent"
                f" {self.send_within} after its intent, be answered {self.reply_within}"
                f" later, and arrive {self.margin} later than that; {self.least_limit}"
                " or more is right"
            )
            raise InvalidInput(message)


WAITS = Waits()
WAITS.check(IN_FLIGHT_LIMIT)

NOTHING_IN_FLIGHT = Waits(
    send_within=timedelta(0), reply_within=timedelta(0), margin=timedelta(0)
)
"""For a gateway inside this process with no call under way: any limit is right."""

# The transport: all of a request, from its name to the last byte of its reply, ends within
# REPLY_SECONDS; what is not connected within CONNECT_SECONDS of them was never sent.
REPLY_SECONDS = REPLY_WITHIN.total_seconds()
CONNECT_SECONDS = 30.0
assert CONNECT_SECONDS <= REPLY_SECONDS  # noqa: S101 - constants, checked where they stand

IDLE_SECONDS = 4.0
"""How long a connection is kept: many servers close theirs after five, and a request that
meets such a close may have been sent."""

# ── what is prepared in a shop's own transaction ────────────────────────────────────

CARRY_OUT_WITHIN = timedelta(hours=1)
"""How long after it was prepared an operation may be sent for the first time: whoever
prepared it has given up, and what is wanted may be something else by now."""

# ── recovery ────────────────────────────────────────────────────────────────────────

LEASE = timedelta(minutes=10)
"""How long one recoverer has a transaction to itself."""

CHUNK_LEASE = timedelta(minutes=2)
"""How long one worker has the bills of a chunk to itself, unless it renews its lease."""

CHUNK_BILLS = 50
"""How many bills are charged under one lease."""

LOOK_AFTER = timedelta(minutes=15)
"""Until a bill is looked after whose charge is open, or could not be asked for: by then
an inquiry may say what became of it."""
assert LOOK_AFTER > IN_FLIGHT_LIMIT  # noqa: S101 - as above

ESCALATION = timedelta(hours=24)
"""An operation that is open for longer is listed for an operator."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
"""Between inquiries without success: the first pause doubles each time, up to this."""

LONGEST_REST = timedelta(days=7)
"""Neither a lease nor a gateway that cannot answer keeps what is open from recovery for
longer: the audit takes a later time for an alteration."""
assert max(LEASE, LONGEST_PAUSE) < LONGEST_REST  # noqa: S101 - as above

LISTING_LAG = timedelta(hours=1)
"""Longer than any list runs behind; what is not listed by then never will be."""

ARCHIVED_AFTER = timedelta(days=1)
"""Since when a transaction must not have changed to be archived: by then no reply, and no
list, may still say anything of what it began."""
assert max(IN_FLIGHT_LIMIT, LISTING_LAG) < ARCHIVED_AFTER  # noqa: S101 - as above

WATCH_SECONDS = 30.0
"""Between two passes of a recoverer that keeps watching, by default."""

# ── how often ───────────────────────────────────────────────────────────────────────

ATTEMPTS = 100
"""How often a step decides when another writer is faster each time."""

COMMITS = 3
"""How often a change whose commit raised is written again to find out."""

MOST_OBSERVED = 1_000
"""How many open transactions a collection of metrics reads."""

# ── stores ──────────────────────────────────────────────────────────────────────────

BUSY_SECONDS = 10.0
"""The wait until `StoreBusy`: for another process's commit, a lock or a connection."""

FORK_SECONDS = 2 * BUSY_SECONDS
"""For other threads to leave a file alone, so that the process can fork."""

KEPT_SECONDS = 60.0
"""For which a database connection stays beside its pool, which closes what is idle."""

STATEMENT_SECONDS = 30.0
"""For one statement in a server."""

REOPEN_SECONDS = 0.01
"""Until a file that was busy is opened again."""

STARTING_SECONDS = 0.2
"""Until a server that is just starting is asked again."""

LOOK_AGAIN_SECONDS = 1.0
"""Until a waiting thread looks by itself, as an interrupt may swallow its wake-up."""

# ── webhooks ────────────────────────────────────────────────────────────────────────

WEBHOOK_SECONDS = 20.0
"""For a receiver to answer."""

WEBHOOK_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each attempt that failed: what fails once more is a dead letter, three days later.
The schedule that Standard Webhooks recommends."""

WEBHOOK_AGE = timedelta(minutes=5)
"""How old a webhook may be, so that nobody sends an old one once more."""

MOST_WAITING = 100
"""Events of one subscriber that wait: with more, its endpoint is left alone instead."""

FOLLOW_SECONDS = 1.0
"""Until a follower of the feed looks again."""

# ── others ──────────────────────────────────────────────────────────────────────────

NOTIFICATION_SECONDS = 30.0
"""For the body of a notification to arrive."""

LAYOUT_SECONDS = 30
"""For Graphviz to lay a picture out."""

SOLVER_UNITS = 20_000_000
"""Of Z3's own count of work, for one question; no answer counts as not proved.

About five seconds. Counted in time, what a machine proves would depend on its speed.
"""
