"""Evidence that can be kept: what an adapter states, before anything is made of it.

Adapters are other people's code. An amount of 2**64, half a surrogate pair or a time
without a zone could not be written down, and the flow would break off after the call
was sent, again and again. What cannot be kept is no evidence: the outcome is unknown.
"""

import re
from collections.abc import Iterable
from datetime import datetime

import attrs

from kessai.errors import PushRefused
from kessai.gateway import Call, Evidence, ListedExchange, Outcome
from kessai.money import is_amount

UNREADABLE = "unreadable"
"""The code of evidence that its adapter gave and that could not be kept."""

_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,255}")


def credible(call: Call, evidence: Evidence) -> Evidence:
    """`evidence` of `call`, or that there is none where it could not be kept."""
    if _can_be_kept(evidence):
        return evidence
    return attrs.evolve(_without(evidence), transaction=call.transaction)


def credible_push(evidence: Evidence) -> Evidence:
    """`evidence` of a notification, or a reason for an inquiry where it cannot be kept.

    Raises:
        PushRefused: the transaction's id is none, so that nobody could be asked about.

    """
    if not evidence.transaction or not _is_text(evidence.transaction):
        message = "push refused: it names no transaction"
        raise PushRefused(message)
    if _can_be_kept(evidence):
        return evidence
    return attrs.evolve(_without(evidence), look_up=True)


def _without(evidence: Evidence) -> Evidence:
    """Who spoke, about what, and what is for the caller's eyes; nothing else of it."""
    command = evidence.command
    return Evidence(
        source=evidence.source,
        transaction=evidence.transaction,
        command=command if command is None or _is_text(command) else None,
        outcome=Outcome.UNKNOWN,
        code=UNREADABLE,
        disclosed=evidence.disclosed,
    )


def _can_be_kept(evidence: Evidence) -> bool:
    return (
        _is_stated(evidence.outcome, evidence.amount, evidence.reported_at)
        and _are_texts((evidence.transaction, evidence.code, evidence.actor))
        and _are_texts((evidence.command or "", evidence.exchange or "", evidence.note))
        and all(map(_is_exchange, evidence.listing))
    )


def _is_exchange(listed: ListedExchange) -> bool:
    texts = (listed.command, listed.exchange or "")
    return _is_stated(listed.outcome, listed.amount, listed.at) and _are_texts(texts)


def _is_stated(outcome: object, amount: object, at: object) -> bool:
    return (
        isinstance(outcome, Outcome)
        and (amount is None or (is_amount(amount) and amount >= 0))
        and (at is None or (isinstance(at, datetime) and at.utcoffset() is not None))
    )


def _are_texts(values: Iterable[object]) -> bool:
    return all(map(_is_text, values))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and _TEXT.fullmatch(value) is not None
