"""Same operation, same key; another operation, another key; all of a call is sent."""

from collections.abc import Iterator
from typing import Any

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import INQUIRY, Call
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code


def resend(kit: Kit) -> Iterator[ConformanceFinding]:
    """An operation that is sent once more is the very same request."""
    for call in _moving(kit):
        first, again = of_operation(call, 1), of_operation(call, 1)
        if kit.request(first) != kit.request(again):
            yield ConformanceFinding(
                f"{call.command}: a resend of the same operation is another request:"
                " the gateway would carry it out twice",
                contract.RESEND,
                "the key on the wire is call.key(), or call.key(step)",
                _two_calls(kit, first, again, "=="),
            )


def another_operation(kit: Kit) -> Iterator[ConformanceFinding]:
    """Two refunds of the same amount are two requests that the gateway can distinguish."""
    for call in _moving(kit):
        first, second = of_operation(call, 1), of_operation(call, 2)
        differ = kit.request(first) != kit.request(second)
        if kit.samples.key_on_the_wire and not differ:
            yield ConformanceFinding(
                f"{call.command}: two operations have the same key on the wire: the"
                " gateway would take the second for a resend of the first",
                contract.RESEND,
                "call.key() is part of every request that moves something; if"
                " the gateway has no such key, the samples have key_on_the_wire=False",
                _two_calls(kit, first, second, "!="),
            )
        elif differ and not kit.samples.key_on_the_wire:
            yield ConformanceFinding(
                f"{call.command}: by the samples no key is on the wire, but the"
                " request changes with it",
                contract.RESEND,
                "key_on_the_wire=True, or a request that does without the key",
                _two_calls(kit, first, second, "=="),
            )


def what_is_asked_is_sent(kit: Kit) -> Iterator[ConformanceFinding]:
    """Another transaction, amount or currency is another request, or is refused."""
    for call in kit.calls.values():
        changes: dict[str, Any] = {"transaction": f"{call.transaction}-2"}
        if call.references:  # the gateway's ids stand for the transaction
            others = {kind: f"{name}-2" for kind, name in call.references.items()}
            changes = {"references": others}
        clauses = dict.fromkeys(changes, contract.WHAT_CAME)
        if call.amount is not None:
            changes["amount"] = call.amount + 1
            if not call.references:
                changes["currency"] = "JPY" if call.currency == "USD" else "USD"
        for field, value in changes.items():
            other = attrs.evolve(call, **{field: value})
            if kit.refuses(other) == kit.request(call):
                yield ConformanceFinding(
                    f"{call.command}: {field} {value!r} is sent as"
                    f" {getattr(call, field)!r}",
                    clauses.get(field, contract.AMOUNTS),
                    f"{field} is part of the request, or InvalidInput lists which are"
                    " possible",
                    _two_calls(kit, call, other, "!="),
                )


def one_message(kit: Kit) -> Iterator[ConformanceFinding]:
    """Whatever an id or a parameter holds, it stays inside its place in the request."""
    for call in kit.calls.values():
        host = _host(kit.request(call).url)
        for strange in _strange(call):
            request = kit.refuses(strange)
            if isinstance(request, InvalidInput):
                continue
            wrong = _not_one_message(request, host)
            if wrong:
                yield ConformanceFinding(
                    f"{call.command}: {wrong}",
                    contract.SENDABLE,
                    "texts are percent-encoded in the address and in the body, and"
                    " refused or encoded in headers",
                    kit.story(f"print(adapter.request({code(strange)}))"),
                )


def _moving(kit: Kit) -> list[Call]:
    """The calls that move something: what only asks needs no key."""
    return [
        call
        for call in kit.calls.values()
        if call.command != INQUIRY and kit.request(call).method != "GET"
    ]


def of_operation(call: Call, number: int) -> Call:
    """The same call for operation `number` of its transaction."""
    operation = f"{call.transaction}.{number}"
    return attrs.evolve(call, operation=operation, seed=f"kit:{operation}")


def _two_calls(kit: Kit, first: Call, second: Call, relation: str) -> str:
    return kit.story(
        f"first = {code(first)}",
        f"second = {code(second)}",
        f"assert adapter.request(first) {relation} adapter.request(second)",
    )


_STRANGE_ID = "a/../b?c=d#e&f=g%00 日本"
_STRANGE_TEXT = "x\r\nX-Planted: 1"


def _strange(call: Call) -> Iterator[Call]:
    yield attrs.evolve(call, transaction=_STRANGE_ID)
    for name, value in call.parameters.items():
        if isinstance(value, str):
            changed = {**call.parameters, name: value + _STRANGE_TEXT}
            yield attrs.evolve(call, parameters=changed)


def _host(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _not_one_message(request: Any, host: str) -> str:
    if _host(request.url) != host:
        return f"a strange id leads to another host: {request.url!r}"
    if not request.url.isascii() or not request.url.isprintable() or " " in request.url:
        return f"its address is none: {request.url!r}"
    if "#" in request.url or "/../" in request.url:
        return f"a strange id leaves its place in the address: {request.url!r}"
    for name, value in request.headers:
        if any(char in f"{name}{value}" for char in "\r\n\0"):
            return f"a line end got into its header {name!r}"
    return ""
