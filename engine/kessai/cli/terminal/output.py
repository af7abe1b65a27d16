"""What commands print: one JSON object for programs, plain lines for people."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs
import click
import msgspec

from kessai.errors import InvalidInput, ResendWithSameKey, SafeToResend
from kessai.whole_file import check_place, draft, keep
from kessai.words import Words, printable

if TYPE_CHECKING:  # a command that only lists needs none of them
    from rich.text import Text as Styled

    from kessai.flow import Answer, RecoveryFailure
    from kessai.machine import Bounds, Denial, Operation, Transaction


_recovery_word = Words("recovery")


def print_json(value: Any) -> None:
    """Print `value` as one JSON object, keys sorted, in UTF-8 whatever the locale."""
    encoded = msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1)
    put(encoded + b"\n")


def put(data: bytes, out: Path | None = None, *, force: bool = False) -> None:
    """Write `data` to standard output, or to the file `out`.

    Raises:
        InvalidInput: see `writing`.

    """
    with writing(out, force=force) as file:
        file.write(data)


@contextmanager
def writing(out: Path | None, *, force: bool = False) -> Iterator[BinaryIO]:
    """Standard output, or the file `out`: written whole or not at all, or a device.

    Raises:
        InvalidInput: the file cannot be written, belongs to a database, or is there
            already and is not to be replaced by `force`.

    """
    if out is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    place = out.resolve()
    try:
        if place.exists() and not place.is_file():  # a device, say
            with place.open("wb") as file:
                yield file
            return
        check_place(place, replace=force)
        with draft(place) as file:
            yield file
            keep(file, place, replace=force)
    except OSError as error:
        message = f"--out {out}: {error.strerror or error}"
        if isinstance(error, FileExistsError) and not force:
            message += "; --force replaces a file that is no database's"
        raise InvalidInput(message) from error


def free_place(option: str, path: Path, *, replace: bool = False) -> None:
    """See that a new file may be made at `path`, in place of an ordinary one.

    Raises:
        InvalidInput: one is there that is not to be replaced, or a database's; or
            there is no folder for it.

    """
    try:
        check_place(path.resolve(), replace=replace)
    except OSError as error:
        message = f"{option} {path}: {error.strerror}"
        raise InvalidInput(message) from None


def say(line: "str | Styled") -> None:
    """Print one line for a person."""
    if isinstance(line, str):
        sys.stdout.write(f"{printable(line)}\n")
        sys.stdout.flush()
    else:
        from kessai.cli.terminal.columns import console

        line.plain = printable(line.plain)  # as long as before: styles keep their place
        console(sys.stdout).print(line, soft_wrap=True)


def note(text: str) -> None:
    """Print lines on standard error: an error, or what is no part of the result.

    They may repeat what was typed or stored, without the card numbers in it.
    """
    from kessai.card_numbers import without_card_numbers

    lines = map(printable, without_card_numbers(text).split("\n"))
    click.echo("\n".join(lines), err=True)


def error_data(error: Exception) -> dict[str, Any]:
    """An error as JSON shows it: what it is, and whether to send the same again."""
    usage = error if isinstance(error, click.ClickException) else None
    must_keep_key = isinstance(error, ResendWithSameKey)
    return {
        "kind": "Usage" if usage else type(error).__name__,
        "message": usage.format_message() if usage else str(error),
        "may_send_again": must_keep_key or isinstance(error, SafeToResend),
        "with_same_key_only": must_keep_key,
    }


def transaction_data(transaction: "Transaction") -> dict[str, Any]:
    """A transaction as JSON shows it: amounts in minor units, times in UTC."""
    from kessai.machine.unclaimed import all_unclaimed

    return {
        "transaction": transaction.id,
        "lifecycle": transaction.lifecycle,
        "account": transaction.account,
        "agreement": transaction.agreement,
        "currency": transaction.currency,
        "states": transaction.states,
        "amounts": transaction.amounts,
        "deadlines": transaction.deadlines,
        "operations": [operation_data(o) for o in transaction.operations.values()],
        "discrepancies": list(transaction.discrepancies),
        "unclaimed": all_unclaimed(transaction),
        "version": transaction.version,
        "head": transaction.head,
    }


def operation_data(operation: "Operation") -> dict[str, Any]:
    """An open operation as JSON shows it."""
    return {
        "operation": operation.id,
        "command": operation.command,
        "amount": operation.amount,
        "phase": operation.phase,
        "begun_at": operation.begun_at,
        "key": operation.key,
    }


def failure_data(failure: "RecoveryFailure | None") -> dict[str, Any] | None:
    """How a recovery failed, as JSON shows it."""
    return None if failure is None else msgspec.structs.asdict(failure)


def failure_line(failure: "RecoveryFailure", language: str) -> str:
    """The same for a person."""
    shown = {"at": f"{failure.at:%Y-%m-%d %H:%M:%S} UTC", "times": f"{failure.times:,}"}
    return _recovery_word("failed", language, error=failure.error, **shown)


def bounds_data(bounds: "Bounds | None") -> dict[str, Any] | None:
    """Bounds as JSON shows them."""
    return None if bounds is None else attrs.asdict(bounds)


def denial_data(denial: "Denial | None", language: str) -> dict[str, Any] | None:
    """A denial as JSON shows it, its sentences in `language`."""
    if denial is None:
        return None
    return {"bounds": bounds_data(denial.bounds), **reasons_data(denial, language)}


def reasons_data(denial: "Denial", language: str) -> dict[str, Any]:
    """The reasons of a denial as JSON shows them, with the rules that they name."""
    sentences = denial.sentences(language)
    return {
        "reasons": [
            {"code": reason.code, "rule": reason.rule, "sentence": sentence}
            for reason, sentence in zip(denial.reasons, sentences, strict=True)
        ],
        "rules": denial.rules(language),
    }


def reason_lines(denial: "Denial", language: str) -> Iterator[str]:
    """The reasons of a denial for a person, a line each."""
    sentences = denial.sentences(language)
    for reason, sentence in zip(denial.reasons, sentences, strict=True):
        yield f"{sentence} [{reason.code}, {reason.rule}]"


def answer_data(answer: "Answer", language: str) -> dict[str, Any]:
    """An answer as JSON shows it."""
    return {
        "status": answer.status,
        "command": answer.command,
        "key": answer.key,
        "operation": answer.operation,
        "is_recorded": answer.is_recorded,
        "page_lost": answer.is_page_lost,
        "may_send_again": answer.may_send_again,
        "denial": denial_data(answer.denial, language),
        "code": answer.evidence.code if answer.evidence else None,
        "transaction": transaction_data(answer.transaction),
    }
