"""What commands print: one JSON object for programs, plain lines for people."""

import os
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from kessai.errors import InvalidInput
from kessai.flow import Answer
from kessai.machine import Bounds, Denial, Operation, Transaction


def print_json(value: Any) -> None:
    """Print `value` as one JSON object, keys sorted, in UTF-8 whatever the locale."""
    encoded = msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1)
    put(encoded + b"\n")


def put(data: bytes, out: Path | None = None) -> None:
    """Write `data` to standard output, or to the file `out`: whole, or not at all.

    Raises:
        InvalidInput: the file cannot be written.

    """
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    place = out.resolve()
    is_special = place.exists() and not place.is_file()  # a device, say
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        if is_special:
            place.write_bytes(data)
            return
        beside.write_bytes(data)
        beside.replace(place)
    except OSError as error:
        beside.unlink(missing_ok=True)
        message = f"--out {out}: {error.strerror or error}"
        raise InvalidInput(message) from error


def say(text: str) -> None:
    """Print one line for a person; what the terminal cannot show is replaced."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding))


def transaction_data(transaction: Transaction) -> dict[str, Any]:
    """A transaction as JSON shows it: amounts in minor units, times in UTC."""
    return {
        "transaction": transaction.id,
        "lifecycle": transaction.lifecycle,
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
    if bounds is None:
        return None
    return {
        "minimum": bounds.minimum,
        "maximum": bounds.maximum,
        "default": bounds.default,
    }


def denial_data(denial: Denial | None, language: str) -> dict[str, Any] | None:
    """A denial as JSON shows it, its sentences in `language`."""
    if denial is None:
        return None
    sentences = denial.sentences(language)
    return {
        "bounds": bounds_data(denial.bounds),
        "reasons": [
            {"code": reason.code, "rule": reason.rule, "sentence": sentence}
            for reason, sentence in zip(denial.reasons, sentences, strict=True)
        ],
        "rules": denial.rules(language),
    }


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
