"""Carrying out the lines of a command file, each once, however often the file is run.

What stands finally under a line's key is its answer, and nothing is sent for it. The
first line without one is where an earlier run was broken off: what that run left open
is recovered there, before anything new is asked for.
"""

import sys
from collections.abc import Callable, Iterable
from datetime import datetime

import attrs

from kessai.cli.recovery.inquire import OPEN, recovery_for, resolved
from kessai.cli.run.command_file import CommandLine
from kessai.cli.terminal.gateways import Wiring
from kessai.cli.terminal.stopping import Stop
from kessai.errors import KessaiError
from kessai.flow import Status

_FINAL = frozenset({Status.SUCCEEDED, Status.DECLINED, Status.DENIED})


@attrs.define
class RunClock:
    """The clock of a run at the emulator: it stands at the time of the line in hand."""

    now: datetime

    def __call__(self) -> datetime:
        """The time of the line in hand."""
        return self.now


@attrs.frozen
class Halt:
    """A run that ended before its file did: after which line, and by which error."""

    after: int
    error: KessaiError | None = None


def carry_out(
    wiring: Wiring,
    clock: RunClock,
    lines: Iterable[CommandLine],
    stop: Stop,
    count: Callable[[], None],
) -> Halt | None:
    """Carry out `lines` in order; None when all are done. `count` is called for each."""
    done = 0
    is_recovered = False
    try:
        for line in lines:
            if stop.is_asked:
                return Halt(done)
            if not is_answered(wiring, line):
                if not is_recovered:
                    _recover_open(wiring, clock, line.at)
                    is_recovered = True
                clock.now = line.at
                _ask(wiring, line)
            done = line.number
            count()
    except KessaiError as error:
        return Halt(done, error)
    return None


def is_answered(wiring: Wiring, line: CommandLine) -> bool:
    """Whether an earlier run has the final answer of `line`."""
    command = line.command
    recorded = wiring.engine.store.load(command.key, command.transaction, None).recorded
    if recorded is None or recorded.outcome not in _FINAL:
        return False
    return recorded.request == command.fingerprint


def _ask(wiring: Wiring, line: CommandLine) -> None:
    answer = wiring.engine.execute(line.command)
    if answer.is_recorded and wiring.local is None:
        return  # left open by an earlier run, and inquired about when this one began
    resolved(wiring, answer)


def _recover_open(wiring: Wiring, clock: RunClock, at: datetime) -> None:
    """Find out what came of whatever was begun and never answered."""
    store = wiring.engine.store
    for transaction_id in store.open_transactions(sys.maxsize):
        transaction = store.load(None, transaction_id, None).transaction
        if transaction is None or not wiring.owns(transaction):
            continue
        # Nothing counts as unanswered before the moment it began.
        begun = (o.begun_at for o in transaction.operations.values())
        clock.now = max(at, *begun)
        recovery = recovery_for(wiring)
        for answer in wiring.engine.recover_transaction(transaction_id, recovery):
            if answer.status in OPEN and wiring.local is not None:
                resolved(wiring, answer)  # sent again just now, and accepted
