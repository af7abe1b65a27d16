"""The names under which spans, metrics and log records say the same things.

Where OpenTelemetry's semantic conventions have a name, it is theirs; all others begin
with `kessai.`.
"""

from collections.abc import Iterable, Mapping
from inspect import getgeneratorlocals
from typing import Any
from urllib.parse import urlsplit

from kessai.card_numbers import without_card_numbers
from kessai.flow import Answer, Effect, Flow, Inquiry, Prepared
from kessai.gateway import Failure, Reply, Request
from kessai.machine import Command, Denied, Discrepancy, Reason, Transaction
from kessai.machine.chain import AppliedEvent
from kessai.machine.events import KIND_OF

ACCOUNT = "kessai.account"
COMMAND = "kessai.command"
EVENT = "kessai.event.number"
FLOW = "kessai.flow"
LIFECYCLE = "kessai.lifecycle"
OPERATION = "kessai.operation.id"
OUTCOME = "kessai.outcome"
PHASE = "kessai.phase"
REASON = "kessai.reason"
SOURCE = "kessai.source"
STORE_CALL = "kessai.store.call"
TRANSACTION = "kessai.transaction.id"

ERROR = "error.type"
METHOD = "http.request.method"
PORT = "server.port"
SERVER = "server.address"
STATUS = "http.response.status_code"

Attributes = Mapping[str, str | int]

_PORTS = {"https": 443, "http": 80}


def known(attributes: Mapping[str, Any]) -> Attributes:
    """Those of `attributes` that have a value, as plain values without card numbers.

    An id that somebody asked for may be one, though no transaction has it.
    """
    return {name: _plain(value) for name, value in attributes.items() if value}


def _plain(value: Any) -> str | int:
    return without_card_numbers(str(value)) if isinstance(value, str) else value


def error_type(error: BaseException) -> str:
    """The name of an error's class: its message may hold what is nobody's business."""
    kind = type(error)
    if kind.__module__ in {"builtins", "kessai.errors"}:
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def of_request(request: Request) -> Attributes:
    """The gateway that a request goes to. Its path may hold an id, and is left out."""
    url = urlsplit(request.url)
    port = url.port or _PORTS.get(url.scheme)
    return known({METHOD: request.method, SERVER: url.hostname, PORT: port})


def of_reply(result: Reply | Failure) -> Attributes:
    """A reply's status; an error if it is one, or if no reply came."""
    if isinstance(result, Failure):
        return {ERROR: "no_reply" if result.sent else "never_sent"}
    if result.status >= 400:  # noqa: PLR2004 - as the conventions have it
        return {STATUS: result.status, ERROR: str(result.status)}
    return {STATUS: result.status}


def of_transaction(transaction: Transaction) -> Attributes:
    """Which transaction it is, of which account, under which lifecycle."""
    return known(
        {
            TRANSACTION: transaction.id,
            ACCOUNT: transaction.account,
            LIFECYCLE: transaction.lifecycle,
        }
    )


def of_event(step: AppliedEvent) -> Attributes:
    """An event: whose it is, and what happened, but never how much."""
    event, operation = step.event, step.operation
    command = operation.command if operation else getattr(event, "command", None)
    evidence = getattr(event, "evidence", None)
    return known(
        {
            **of_transaction(step.after),
            EVENT: step.number,
            COMMAND: command,
            OPERATION: operation.id if operation else getattr(event, "operation", None),
            OUTCOME: getattr(event, "outcome", None),
            SOURCE: evidence.source if evidence else None,
            REASON: reasons(step),
        }
    )


def reasons(step: AppliedEvent) -> str:
    """Why a command was denied, or what is in doubt: codes, sorted."""
    match step.event:
        case Denied(reasons=found):
            return _codes(found)
        case Discrepancy(reason=reason):
            return reason
        case _:
            return ""


def _codes(reasons: Iterable[Reason]) -> str:
    return " ".join(sorted({reason.code for reason in reasons}))


def of_result(result: object) -> Attributes:
    """What a flow came to, if it is about one transaction."""
    match result:
        case Answer():
            return known(
                {
                    **of_transaction(result.transaction),
                    COMMAND: result.command,
                    OPERATION: result.operation,
                    OUTCOME: result.status,
                    REASON: _codes(result.denial.reasons) if result.denial else "",
                }
            )
        case Prepared(command=command):
            return known({COMMAND: command.name, TRANSACTION: command.transaction})
        case Transaction():
            return of_transaction(result)
        case Inquiry():
            return of_transaction(result.transaction)
        case _:
            return {}


def of_flow(flow: Flow[Any]) -> Attributes:
    """The transaction that a flow which has not begun yet was asked about, if one was."""
    given = getgeneratorlocals(flow)
    match given.get("command") or given.get("prepared"):
        case Command(transaction=name) | Prepared(command=Command(transaction=name)):
            return known({TRANSACTION: name})
        case _:
            return known({TRANSACTION: given.get("transaction_id")})


def name_of(flow: Flow[Any]) -> str:
    """What a flow does: `execute`, `recover_due` and so on."""
    return str(getattr(flow, "__name__", "flow"))


def call_of(effect: Effect) -> str:
    """Which call of the store an effect is: `load`, `append` and so on."""
    return type(effect).__name__.lower()


def kind_of(step: AppliedEvent) -> str:
    """The kind of an event: `begun`, `reported` and so on."""
    return KIND_OF[type(step.event)]
