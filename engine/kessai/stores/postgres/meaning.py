"""What an error of the database means for the caller: whether anything was written.

A server that reports ERROR has rolled the statement back, and reports why. Everything
else (FATAL, PANIC, a connection that ends) proves nothing about a commit under way.

Only the server's primary message is quoted: its details may hold what was written.
"""

from typing import NoReturn

import psycopg

from kessai.errors import (
    CommitUnknown,
    InvalidInput,
    KessaiError,
    StoreBusy,
    StoreFailed,
    StoreUnsuitable,
    VersionConflict,
)

_CONFLICTS = {"40001", "40P01"}  # serialization failure, deadlock
_BUSY = {"55P03", "57014", "53300"}  # lock timeout, statement timeout, connections
READS_ONLY = "25006"
_NOT_KNOWN = {"40003", "08007"}  # the server itself does not know
_TAKEN = "23505"
KEYS = "kessai_answers_pkey"
"""The constraint that makes keys unique."""


def refuse(
    error: Exception, where: str, *, writes: bool, conflict: type[KessaiError]
) -> NoReturn:
    """Raise what `error`, of a statement at `where`, means.

    `writes` means that the statement would have been committed by itself, or was the
    commit. `conflict` is raised for a statement that lost against another session, so
    that the command can be decided again.
    """
    raise _meaning(error, where, writes=writes, conflict=conflict) from error


def _meaning(
    error: Exception, where: str, *, writes: bool, conflict: type[KessaiError]
) -> KessaiError:
    if not isinstance(error, psycopg.Error) or _is_of_values(error):
        message = (
            f"{where}: a text has a character that cannot be kept: NUL, or half of a"
            " surrogate pair"
        )
        return InvalidInput(message)
    if not _is_rolled_back(error):
        if writes:
            message = (
                f"{where}: the commit was not confirmed; it may or may not be there"
                f" ({message_of(error)})"
            )
            return CommitUnknown(message)
        return failed(error, where)
    return _rolled_back(error, where, conflict)


def _rolled_back(
    error: psycopg.Error, where: str, conflict: type[KessaiError]
) -> KessaiError:
    state = error.sqlstate or ""
    message = f"{where}: {message_of(error)}"
    if state in _CONFLICTS:
        return conflict(message)
    if state == _TAKEN and error.diag.constraint_name == KEYS:
        return VersionConflict("the key is taken")
    if state == READS_ONLY:  # the primary may have become a standby meanwhile
        return StoreFailed(f"{message}: nothing was written, the server only reads now")
    if state in _BUSY:
        return StoreBusy(message)
    if state[:2] in {"22", "54"}:  # data exception, program limit exceeded
        return InvalidInput(message)
    return StoreFailed(message)


def _is_of_values(error: psycopg.Error) -> bool:
    """Whether a value could not be sent at all."""
    return isinstance(error, psycopg.DataError) and error.sqlstate is None


def _is_rolled_back(error: psycopg.Error) -> bool:
    """Whether the server reported that the statement was rolled back."""
    state = error.sqlstate
    if state is None or state in _NOT_KNOWN or state.startswith("08"):
        return False
    severity = error.diag.severity_nonlocalized or error.diag.severity
    return severity == "ERROR"


def failed(error: Exception, where: str) -> StoreFailed:
    """What to raise where nothing was being written."""
    return StoreFailed(f"{where}: {message_of(error)}")


def unreachable(error: Exception, where: str) -> KessaiError:
    """What to raise where no connection could be made."""
    message = message_of(error)
    if "unsupported startup parameter" not in message:
        return failed(error, where)
    return StoreUnsuitable(
        f"{where}: {message}: a pooler in between takes no options; have the schema set"
        " for the user: ALTER ROLE … SET search_path = …"
    )


def message_of(error: Exception) -> str:
    """The message of the server or the library, on one line, without details."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    text = primary or str(error) or type(error).__name__
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())
