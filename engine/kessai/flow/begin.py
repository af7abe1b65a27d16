"""A command in two parts: begun in the shop's own database transaction, sent after it.

What a shop writes of an order and what the engine writes of its payment are committed
together, or not at all. Nothing is sent within the shop's transaction: whether it will be
committed, nobody knows yet.
"""

import attrs

from kessai.errors import MustRollBack, NotCommitted, VersionConflict
from kessai.flow.answer import Answer, Status
from kessai.flow.effects import Flow, Load, Loaded
from kessai.flow.execute import take_up, to_answer, was_denied
from kessai.flow.steps import Context, contended, refuse_archived
from kessai.limits import ATTEMPTS
from kessai.machine import Command, Denial, Phase, Transaction


@attrs.frozen(kw_only=True)
class Prepared:
    """A command that stands in the shop's own transaction, to be carried out after it.

    `answer` is None while there is something to send. Else nothing will be sent: the
    command was denied, or its key had been used for it before.
    """

    command: Command
    answer: Answer | None = None

    @property
    def denial(self) -> Denial | None:
        """Why it was denied; None if it was not.

        Roll the shop's transaction back then, or commit what the trail has of it.
        """
        return None if self.answer is None else self.answer.denial


def begin(context: Context, command: Command) -> Flow[Prepared]:
    """Write the intent to carry out `command`, or its denial, and send nothing.

    Raises:
        InvalidCommand, AccountUnknown: see `execute`.
        MustRollBack: what is read here is older than what others have committed.
        VersionConflict: another writer was faster each time.

    """
    before = None
    for _ in range(ATTEMPTS):
        loaded: Loaded = yield Load(command.key, command.transaction, command.agreement)
        refuse_archived(loaded)
        if loaded == before:
            message = (
                f"{command.transaction}: this database transaction does not see what"
                " others have committed since it began: roll it back, begin it anew"
            )
            raise MustRollBack(message)
        if (again := _recorded(command, loaded)) is not None:
            return again
        try:
            taken = yield from take_up(context, command, loaded, prepares=True)
        except MustRollBack:
            raise
        except VersionConflict:
            before = loaded
            continue
        answer = taken if isinstance(taken, Answer) else None
        return Prepared(command=command, answer=answer)
    raise contended(command.transaction)


def _recorded(command: Command, loaded: Loaded) -> Prepared | None:
    """What stands under the key for this very request; None if nothing does."""
    recorded = loaded.recorded
    if recorded is None or recorded.request != command.fingerprint:
        return None
    if was_denied(command, recorded):
        return None
    transaction = loaded.transaction or Transaction(command.transaction)
    opened = transaction.operations.get(recorded.operation or "")
    if opened is not None and opened.phase is Phase.PREPARED:
        return Prepared(command=command)
    answer = to_answer(recorded, transaction, is_recorded=True)
    return Prepared(command=command, answer=answer)


def carry_out_prepared(context: Context, prepared: Prepared) -> Flow[Answer]:
    """Send what `begin` has prepared, once its intent is found committed.

    Raises:
        NotCommitted: it is not; nothing was sent.
        AccountUnknown, VersionConflict, CommitUnknown: see `execute`.

    """
    command, answer = prepared.command, prepared.answer
    if answer is not None and answer.status is Status.DENIED:
        return answer
    for _ in range(ATTEMPTS):
        loaded: Loaded = yield Load(command.key, command.transaction, command.agreement)
        refuse_archived(loaded)
        if loaded.recorded is None or was_denied(command, loaded.recorded):
            message = (
                f"{command.transaction}: {command.name} is not in the store, so nothing"
                " was sent: the transaction that it was begun in is not committed, was"
                " rolled back, or is of another database"
            )
            raise NotCommitted(message)
        try:
            taken = yield from take_up(context, command, loaded)
        except VersionConflict:
            continue
        assert isinstance(taken, Answer)  # noqa: S101 - nothing is begun under a used key
        return taken
    raise contended(command.transaction)
