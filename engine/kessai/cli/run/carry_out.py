"""Carrying out the lines of a command file, each once, however often the file is run.

What stands finally under a line's key is its answer, and nothing is sent for it. The
first line without one is where an earlier run was broken off: what that run left open
is recovered there, before anything new is asked for.

At the emulator in this process, lines that have nothing to do with each other are
carried out together, and their events committed together. A real gateway is asked one
thing after the other: what waits for its turn must not be sent too late.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import takewhile

import attrs

from kessai.cli.recovery.inquire import recovery_for, resolved
from kessai.cli.run.command_file import CommandLine
from kessai.cli.terminal.gateways import Wiring
from kessai.cli.terminal.stopping import Stop
from kessai.driver import FlowRun
from kessai.errors import KessaiError
from kessai.flow import Flow, execute, recover
from kessai.flow.answer import OPEN, OVER
from kessai.flow.effects import ARCHIVED, Loaded, Recorded

MOST_TOGETHER = 32
"""Lines. More would hardly share fewer commits; all of them are finished after Ctrl-C."""

_FINAL = OVER | {ARCHIVED}

LineFlow = Flow[KessaiError | None]
"""Carries out a line; gives the error that ends the run."""


@attrs.define
class RunClock:
    """The clock of a run at the emulator: it stands at the time of the line in hand."""

    now: datetime

    def __call__(self) -> datetime:
        """The time of the line in hand."""
        return self.now

    def at(self, moment: datetime, flow: LineFlow) -> LineFlow:
        """`flow`, with the clock at `moment` for all that it asks for."""
        with FlowRun(flow) as run:
            for effect in run:
                self.now = moment
                try:
                    run.result = yield effect
                except Exception as error:  # noqa: BLE001 - it is for the flow
                    run.error = error
        return run.value


@attrs.frozen
class Halt:
    """A run that ended before its file did: after which line, and by which error.

    `line` is the line that the error is about, if it is about one: nothing was sent for it.
    """

    after: int
    error: KessaiError | None = None
    line: int | None = None


def carry_out(
    wiring: Wiring,
    clock: RunClock,
    lines: Iterable[CommandLine],
    stop: Stop,
    count: Callable[[], None],
) -> Halt | None:
    """Carry out `lines` in order; None when all are done. `count` is called for each."""
    done = 0
    asking = _Asking(wiring, clock)
    try:
        for group in independent(lines, 1 if wiring.local is None else MOST_TOGETHER):
            taken = takewhile(lambda _: not stop.is_asked, group)
            results = wiring.engine.drive_together(map(asking.flow, taken))
            for line, error in zip(group, results, strict=False):
                if error is not None:
                    return Halt(done, error, line.number)
                done = line.number
                count()
            if len(results) < len(group):
                return Halt(done)
    except KessaiError as error:
        return Halt(done, error)
    return None


def independent(lines: Iterable[CommandLine], most: int) -> Iterator[list[CommandLine]]:
    """`lines` in groups, in order; in none is a line about what another one changes."""
    group: list[CommandLine] = []
    changed: set[str] = set()
    used: set[str | None] = {None}
    for line in lines:
        own, agreement = line.command.transaction, line.command.agreement
        depends = own in changed or own in used or agreement in changed
        if depends or len(group) == most:
            yield group
            group, changed, used = [], set(), {None}
        group.append(line)
        changed.add(own)
        used.add(agreement)
    if group:
        yield group


def is_answered(line: CommandLine, recorded: Recorded | None) -> bool:
    """Whether what an earlier run recorded under the key of `line` is its final answer."""
    if recorded is None or recorded.outcome not in _FINAL:
        return False
    return recorded.request == line.command.fingerprint


@attrs.define
class _Asking:
    """The lines of one run: before the first new one, what was left open is recovered."""

    wiring: Wiring
    clock: RunClock
    is_recovered: bool = False

    def flow(self, line: CommandLine) -> LineFlow:
        """What carries out `line`, if it has no answer yet."""
        loaded = self._loaded(line)
        if is_answered(line, loaded.recorded):
            return _nothing()
        if not self.is_recovered:
            _recover_open(self.wiring, self.clock, line.at)
            self.is_recovered = True
            loaded = self._loaded(line)
        return self.clock.at(line.at, _ask(self.wiring, line, loaded))

    def _loaded(self, line: CommandLine) -> Loaded:
        asked = line.command
        store = self.wiring.engine.store
        return store.load(asked.key, asked.transaction, asked.agreement)


def _nothing() -> LineFlow:
    yield from ()
    return None


def _ask(wiring: Wiring, line: CommandLine, loaded: Loaded) -> LineFlow:
    context = wiring.engine.context
    try:
        answer = yield from execute(context, line.command, loaded)
        # What an earlier run left open at a gateway was inquired about when this began.
        is_known = answer.is_recorded and wiring.local is None
        if answer.status in OPEN and not is_known:
            yield from recover(context, answer.transaction.id, recovery_for(wiring))
    except KessaiError as error:
        return error
    return None


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
