"""What commands print: one JSON object for programs, plain lines for people."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs
import msgspec

from kessai.cli.terminal.tables import console
from kessai.errors import InvalidInput
from kessai.flow import Answer
from kessai.machine import Bounds, Denial, Operation, Transaction
from kessai.whole_file import draft, is_of_a_database, keep

if TYPE_CHECKING:
    from rich.text import Text as Styled


def print_json(value: Any) -> None:
    """Print `value` as one JSON object, keys sorted, in UTF-8 whatever the locale."""
    encoded = msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1)
    put(encoded + b"\n")


def put(data: bytes, out: Path | None = None) -> None:
    """Write `data` to standard output, or to the file `out`.

    Raises:
        InvalidInput: see `writing`.

    """
    with writing(out) as file:
        file.write(data)


@contextmanager
def writing(out: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or the file `out`: written whole or not at all, or a device.

    Raises:
        InvalidInput: the file cannot be written, or belongs to a database.

    """
    if out is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    place = out.resolve()
    if is_of_a_database(place):
        message = f"--out {out}: belongs to a database, and is not overwritten"
        raise InvalidInput(message)
    try:
        if place.exists() and not place.is_file():  # a device, say
            with place.open("wb") as file:
                yield file
            return
        with draft(place) as file:
            yield file
            keep(file, place, replace=True)
    except OSError as error:
        message = f"--out {out}: {error.strerror or error}"
        raise InvalidInput(message) from error


def say(line: "str | Styled") -> None:
    """Print one line for a person."""
    if isinstance(line, str):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    else:
        console(sys.stdout).print(line, soft_wrap=True)


def transaction_data(transaction: Transaction) -> dict[str, Any]:
    """A transaction as JSON shows it: amounts in minor units, times in UTC."""
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
        "discrepancies": transaction.discrepancies,
        "version": transaction.version,
        "head": transaction.head,
    }


def operation_data(operation: Operation) -> dict[str, Any]:
    """An open operation as JSON shows it."""
    return {
        "operation": operation.id,
        "command": operation.command,
        "amount": operation.amount,
        "phase": operation.phase,
        "begun_at": operation.begun_at,
        "key": operation.key,
    }


def bounds_data(bounds: Bounds | None) -> dict[str, Any] | None:
    """Bounds as JSON shows them."""
    return None if bounds is None else attrs.asdict(bounds)


def denial_data(denial: Denial | None, language: str) -> dict[str, Any] | None:
    """A denial as JSON shows it, its sentences in `language`."""
    if denial is None:
        return None
    return {"bounds": bounds_data(denial.bounds), **reasons_data(denial, language)}


def reasons_data(denial: Denial, language: str) -> dict[str, Any]:
    """The reasons of a denial as JSON shows them, with the rules that they name."""
    sentences = denial.sentences(language)
    return {
        "reasons": [
            {"code": reason.code, "rule": reason.rule, "sentence": sentence}
            for reason, sentence in zip(denial.reasons, sentences, strict=True)
        ],
        "rules": denial.rules(language),
    }


def reason_lines(denial: Denial, language: str) -> Iterator[str]:
    """The reasons of a denial for a person, a line each."""
    sentences = denial.sentences(language)
    for reason, sentence in zip(denial.reasons, sentences, strict=True):
        yield f"{sentence} [{reason.code}, {reason.rule}]"


def answer_data(answer: Answer, language: str) -> dict[str, Any]:
    """An answer as JSON shows it."""
    return {
        "status": answer.status,
        "command": answer.command,
        "key": answer.key,
        "operation": answer.operation,
        "is_recorded": answer.is_recorded,
        "may_send_again": answer.may_send_again,
        "denial": denial_data(answer.denial, language),
        "code": answer.evidence.code if answer.evidence else None,
        "transaction": transaction_data(answer.transaction),
    }
