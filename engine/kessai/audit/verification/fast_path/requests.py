"""Requests by their fingerprints, without building each anew as a command.

A fingerprint is the hash of a request's canonical JSON. Here that is put together from
its parts, in each form in which the request may have come.
"""

import hashlib
import re
from functools import lru_cache

import attrs

from kessai.audit.verification.canonical import BegunForm, as_json
from kessai.card_numbers import has_card_number
from kessai.ids import is_id
from kessai.machine import Machine
from kessai.machine.decide import id_pattern

_sha256 = hashlib.sha256
_NULL = b"null"
_GIVEN = tuple(
    (has_amount, has_currency, has_account)
    for has_account in (False, True)
    for has_currency in (False, True)
    for has_amount in (True, False)
)
"""What may have been named in a request, the most frequent first."""


@attrs.frozen(eq=False)
class RequestForm:
    """What of a request was left to the declaration, and what was named."""

    lifecycle: str | None
    has_amount: bool
    has_currency: bool
    has_account: bool


@attrs.frozen
class _RequestShape:
    """What the requests of one command have in common."""

    forms: tuple[tuple[bytes, bytes, RequestForm], ...]
    called: re.Pattern[str] | None
    """What ids an opening command may begin under."""


def is_plain(text: str) -> bool:
    """Whether a command takes `text` as an id or as a key."""
    return is_id(text) and not has_card_number(text)


def form_of(
    machine: Machine, asked_on: tuple[str, str, str], event: BegunForm
) -> RequestForm | None:
    """The form of the request whose fingerprint the operation of `event` bears.

    `asked_on` are the transaction's id, its currency and its account. None where none
    is certain: then it is looked for at length.
    """
    operation, given = event.operation, event.agreement
    transaction, held, account = asked_on
    rule = _shape_of(machine, operation.command)
    if rule is None or not is_plain(operation.key):
        return None
    if rule.called is not None and not rule.called.fullmatch(transaction):
        return None
    if given is not None and not is_plain(given):
        return None
    agreement = _NULL if given is None else as_json(given)
    amount = _NULL if operation.amount is None else b"%d" % operation.amount
    name, request = as_json(transaction), operation.request
    parameters = bytes(operation.parameters)
    for start, lifecycle, form in rule.forms:
        taken = amount if form.has_amount else _NULL
        named = as_json(operation.currency or held) if form.has_currency else _NULL
        of = as_json(event.account or account) if form.has_account else _NULL
        text = start, name, lifecycle, agreement, taken, named, parameters, of
        if _sha256(b"%b%b,%b,%b,%b,%b,%b,%b]" % text).hexdigest() == request:
            return form
    return None


@lru_cache(maxsize=1024)
def _shape_of(machine: Machine, command: str) -> _RequestShape | None:
    if command not in machine.commands:
        return None
    is_opening = machine.commands[command].spec.is_opening
    lifecycles = (machine.name, None) if is_opening else (None, machine.name)
    start = b"[%b," % as_json(command)
    forms = tuple(
        (start, _NULL if name is None else as_json(name), RequestForm(name, *has))
        for has in _GIVEN
        for name in lifecycles
    )
    identifier = machine.lifecycle.identifier
    return _RequestShape(forms, id_pattern(identifier) if is_opening else None)
