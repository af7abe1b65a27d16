"""Every error kessai raises, sorted by whether the caller may send it again.

    KessaiError
    ├── SafeToResend          nothing was sent and nothing changed
    │   ├── LeaseLost
    │   ├── NotCommitted
    │   ├── StoreBusy
    │   ├── StoreFailed
    │   └── VersionConflict
    │       └── MustRollBack
    ├── ResendWithSameKey     the effect is not known; the same key never repeats it
    │   └── CommitUnknown
    └── NeverResend           the same request can only fail the same way
        ├── InvalidInput
        │   ├── AccountUnknown
        │   ├── InvalidCommand
        │   ├── InvalidCommandFile
        │   ├── InvalidLifecycle
        │   └── StoreMissing
        ├── UnknownLifecycle
        ├── UnknownTransaction
        ├── TransactionArchived
        ├── AdapterMissing
        ├── NotificationRefused
        ├── RecoveryFailed
        ├── RedirectRefused
        ├── StoreUnsuitable
        └── TrailBroken

A refused command is none of these: it is an answer, a `kessai.Denial`.

Messages never carry a secret or personal data: they name the field, not its value,
unless the value is an id, an amount or a name that kessai itself declares.
"""

from collections.abc import Mapping, Sequence


class KessaiError(Exception):
    """The root of all errors that kessai raises on purpose."""


class SafeToResend(KessaiError):
    """Nothing was sent to the gateway and nothing changed: send it again."""


class StoreBusy(SafeToResend):
    """Another process held the store for longer than the store's patience."""


class StoreFailed(SafeToResend):
    """The store had no room or no permission to write; nothing was written."""


class LeaseLost(SafeToResend):
    """Another recoverer has claimed the transaction since; this one changes nothing."""


class VersionConflict(SafeToResend):
    """Someone else appended to the transaction first; the flow decides again.

    `Engine` and `AsyncEngine` handle it themselves. It reaches a caller only when a
    transaction is contended at every attempt.
    """


class MustRollBack(VersionConflict):
    """The shop's own database transaction lost against another one.

    It does not see what others have committed meanwhile, so nothing can be decided in
    it: roll it back, and begin it anew.
    """


class NotCommitted(SafeToResend):
    """What is to be carried out is not in the store: nothing was sent.

    The shop's own database transaction is not committed yet, or was rolled back.
    """


class ResendWithSameKey(KessaiError):
    """The effect is not known. Send it again with the same key, never with another."""


class CommitUnknown(ResendWithSameKey):
    """The store failed while it committed: the record may or may not be there."""


class NeverResend(KessaiError):
    """Sending the same again cannot help; something must be changed first."""


class InvalidInput(NeverResend):
    """The input is malformed; the message says what, where, and what is right."""


class AccountUnknown(InvalidInput):
    """Whose payments these are: of an account that this engine has no adapter for.

    Or it must be said which of several is meant. Nothing was sent, nothing written.
    """


class InvalidCommand(InvalidInput):
    """A command has a field that is missing, unknown or of the wrong shape."""


class InvalidCommandFile(InvalidInput):
    """A file of commands has a line that cannot be carried out; nothing was sent."""


class InvalidLifecycle(InvalidInput):
    """A lifecycle file has mistakes; `mistakes` holds all of them.

    `mistakes` is a tuple of `kessai.spec.Mistake`, each with its place in the file.
    """

    def __init__(self, mistakes: tuple[object, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class StoreMissing(InvalidInput):
    """There is no store at that place, and none was to be made."""


class UnknownLifecycle(NeverResend):
    """No lifecycle of that name, or of that hash, is known here."""


class UnknownTransaction(NeverResend):
    """No transaction has that id."""


class TransactionArchived(NeverResend):
    """The transaction, or the one that the key was used for, was moved to an archive.

    Nothing is done under its id or its keys any more; the archive shows what was.
    """


class AdapterMissing(NeverResend):
    """No installed package offers a gateway adapter, or an emulator, of that name."""


class NotificationRefused(NeverResend):
    """A notification is not the gateway's or not this merchant's; nothing changed."""


class RecoveryFailed(NeverResend):
    """Some transactions could not be recovered; all others that were due have been.

    `failures` holds what each failed with: kessai's own error with its message, or the
    class and the place of any other, whose text may hold personal data. The store has it
    too (`Store.recovery_failure`). Each rests for half an hour and more, and is tried
    again then. `answers` are those of the others.
    """

    def __init__(
        self, failures: Mapping[str, str], answers: Sequence[object] = ()
    ) -> None:
        said = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
        super().__init__(f"recovery failed: {said}")
        self.failures = failures
        self.answers = answers


class RedirectRefused(NeverResend):
    """The browser came back without the gateway's proof."""


class StoreUnsuitable(NeverResend):
    """The store cannot give what is promised, for instance durable commits."""


class TrailBroken(NeverResend):
    """The audit trail does not hold: an event was changed, moved or removed.

    `transaction` is the id of the one it belongs to, where many were being read, and
    `code` the name that the audit has for what is wrong with it.
    """

    def __init__(
        self,
        message: str,
        *,
        transaction: str | None = None,
        code: str = "state_unreadable",
    ) -> None:
        super().__init__(message)
        self.transaction = transaction
        self.code = code
