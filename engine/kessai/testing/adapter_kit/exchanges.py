"""Exchanges of several requests: as recorded, the same when replayed, a key for each.

NAME-1.request.http  NAME-1.reply.http  NAME-2.request.http  NAME-2.reply.http  …
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import (
    INQUIRY,
    Adapter,
    Call,
    Evidence,
    Failure,
    Mention,
    Reply,
    Request,
)
from kessai.gateway_exchange import can_be_kept, gives_pages, lift
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.forms import ExchangeRun, run
from kessai.testing.adapter_kit.guard import watching
from kessai.testing.adapter_kit.keys import of_operation
from kessai.testing.adapter_kit.kit import RESOLVED, Kit, readable
from kessai.testing.adapter_kit.records import as_recorded, unlike
from kessai.testing.adapter_kit.samples import ExchangeSample, ReplySample
from kessai.testing.adapter_kit.stories import AdapterRaised, ConformanceFinding

_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_SALT = bytes(range(16))
_TOKEN = re.compile(r"(?<![\w-])[\w-]{32}(?![\w-])", re.ASCII)
_KEYS = "the key of each request is call.key(step), with a step of its own"
_BROKEN = (
    Failure(sent=True, reason="ReadTimeout"),
    Failure(sent=False, reason="ConnectError"),
    Reply(status=500),
    Reply(status=200, body=b"<html>"),
)


def recorded(kit: Kit) -> Iterator[ConformanceFinding]:
    """Each request is the recorded one, and the evidence what was noted."""
    for sample, replies in kit.exchanges:
        done = _run(kit, sample.call, replies)
        for number, request in enumerate(done.requests, start=1):
            path = kit.samples.step_file(sample, number, "request")
            yield from as_recorded(kit, f"{sample.name}-{number}", path, request)
        if len(done.requests) != len(replies):
            wrong = f"it sent {len(done.requests)} requests for {len(replies)} replies"
            yield _finding(sample, wrong, contract.RECORDED)
        elif wrong := unlike(done.returned, sample.evidence):
            yield _finding(sample, wrong, contract.SAME_EXCHANGE)


def replayed(kit: Kit) -> Iterator[ConformanceFinding]:
    """The same call and replies, in two exchanges step by step in turn, say the same."""
    for sample, replies in kit.exchanges:
        alone = _run(kit, sample.call, replies)
        for other in _in_turn(kit, sample.call, replies):
            if other != alone:
                yield _finding(
                    sample,
                    "the same call and replies gave other requests or evidence the"
                    " second time",
                    contract.SAME_EXCHANGE,
                )


def keys(kit: Kit) -> Iterator[ConformanceFinding]:
    """Every request that moves something has a key, of its operation and its step alone."""
    for sample, replies in kit.exchanges:
        if sample.call.command == INQUIRY or not kit.samples.key_on_the_wire:
            continue
        one, other = (
            _run(kit, of_operation(sample.call, number), replies).requests
            for number in (1, 2)
        )
        found: set[str] = set()
        for number, (request, another) in enumerate(zip(one, other, strict=False), 1):
            if request.method == "GET":
                continue
            mine = _tokens(request) - _tokens(another)
            if not mine:
                wrong = f"request {number} carries no key of its operation"
                yield _finding(sample, wrong, contract.KEY_OF_EACH, _KEYS)
            if mine & found:
                wrong = f"request {number} has the key of one before it"
                yield _finding(sample, wrong, contract.KEY_OF_EACH, _KEYS)
            found |= mine


def broken_off(kit: Kit) -> Iterator[ConformanceFinding]:
    """Wherever an exchange breaks off after its first request, it is unknown."""
    for sample, replies in kit.exchanges:
        for place in range(1, len(replies)):
            for broken in _BROKEN:
                done = _run(kit, sample.call, (*replies[:place], broken))
                stated: Evidence = done.returned
                if stated.outcome in RESOLVED or stated.never_sent or stated.listing:
                    yield _finding(
                        sample,
                        f"{broken!r} as reply {place + 1}: the outcome is"
                        f" {stated.outcome.value}",
                        contract.AFTER_THE_FIRST,
                        "Outcome.UNKNOWN, with the ids that are known by then",
                    )


def pages(kit: Kit) -> Iterator[ConformanceFinding]:
    """A page is asked for by reading, or by what was sent for it, while keys are known."""
    adapter = lift(kit.adapter)
    if not gives_pages(adapter):
        return
    asks: list[tuple[ExchangeSample | ReplySample, tuple[Reply, ...]]]
    asks = [*kit.exchanges, *((sample, (reply,)) for sample, reply in kit.replies)]
    for sample, replies in asks:
        call, evidence = sample.call, sample.evidence
        if "page" not in evidence.disclosed:
            continue
        later = attrs.evolve(call, references=evidence.references, seed="")
        asked: list[tuple[str, Call, tuple[Request, ...]]]
        asked = [("whose keys are forgotten", later, ())]
        if adapter.replays is not None:
            sent = _run(kit, call, replies).requests
            asked.append(("whose keys are known", call, sent))
        for which, about, repeated in asked:
            for request in _asked_for_page(adapter, about, replies):
                if request.method != "GET" and request not in repeated:
                    yield ConformanceFinding(
                        f"{sample.name}: for the page of a call {which}, it sends"
                        f" another {request.method} request",
                        contract.PAGE,
                        "a GET, or the very request of the exchange for the call",
                    )


def _asked_for_page(
    adapter: Adapter, call: Call, replies: Sequence[Reply]
) -> tuple[Request, ...]:
    try:
        return run(adapter.page(call), replies).requests
    except InvalidInput:  # there is nothing to be asked
        return ()


def sealed(kit: Kit) -> Iterator[ConformanceFinding]:
    """The same moment and nonce give the same bytes; nothing else is looked at."""
    seal = lift(kit.adapter).seal
    for call in kit.calls.values():
        request = kit.request(call)
        seal(request, _AT, _SALT)  # what is made once may be
        with watching(kit.package) as watch:
            first = seal(request, _AT, _SALT)
        later = seal(attrs.evolve(request), _AT + timedelta(0), bytes(_SALT))
        wrong = [f"seal() used {seen}" for seen in watch.seen]
        if first != later:
            wrong.append("the same moment and nonce gave other bytes")
        if (first.method, first.body) != (request.method, request.body):
            wrong.append("seal() changed more than address and headers")
        for each in wrong:
            yield ConformanceFinding(
                f"{call.command}: {each}",
                contract.SEALED,
                "a function of request, at and nonce alone",
            )


def mentions(kit: Kit) -> Iterator[ConformanceFinding]:
    """What a notification mentions is an id that the adapter reports as a reference."""
    evidence = [sample.evidence for sample in kit.samples.replies]
    evidence += [sample.evidence for sample in kit.samples.exchanges]
    known = {kind for each in evidence for kind in each.references}
    for notified, headers, body in kit.accepted:
        for one in readable(kit.notification(headers, body)):
            if isinstance(one, Mention) and one.kind not in known:
                yield ConformanceFinding(
                    f"{notified.name}: it mentions a {one.kind!r}, and no evidence on"
                    " record reports such an id: nothing would ever be found by it",
                    contract.MENTIONED,
                    f"one of: {', '.join(sorted(known)) or 'none is reported'}",
                )


def _run(kit: Kit, call: Call, replies: Sequence[Reply | Failure]) -> ExchangeRun:
    try:
        done = run(lift(kit.adapter).exchange(call), replies)
    except Exception as error:  # noqa: BLE001 - reported, whatever it is
        wrong = f"raised {type(error).__name__}: {error}"
    else:
        if isinstance(done.returned, Evidence) and can_be_kept(done.returned):
            return done
        wrong = f"returned {done.returned!r}"
    raise AdapterRaised(
        ConformanceFinding(
            f"{call.command}: exchange() {wrong}",
            contract.AFTER_THE_FIRST,
            "an Evidence that a store can keep, whatever came back",
        )
    )


def _in_turn(kit: Kit, call: Call, replies: Sequence[Reply]) -> list[ExchangeRun]:
    """Two runs, a step of the one and a step of the other."""
    begun: list[Any] = [lift(kit.adapter).exchange(attrs.evolve(call)) for _ in "12"]
    requests: list[list[Request]] = [[], []]
    returned: list[Any] = [None, None]
    for reply in (None, *replies):
        for one, exchange in enumerate(begun):
            try:
                requests[one].append(exchange.send(reply))
            except StopIteration as stop:
                returned[one] = stop.value
    return [ExchangeRun(tuple(requests[n]), returned[n]) for n in (0, 1)]


def _tokens(request: Request) -> set[str]:
    """What may be a key: 32 characters that stand alone."""
    parts = (request.url, *(value for _, value in request.headers))
    text = "\n".join((*parts, request.body.decode("latin-1")))
    return set(_TOKEN.findall(text))


def _finding(
    sample: ExchangeSample, wrong: str, clause: contract.Clause, right: str = ""
) -> ConformanceFinding:
    right = right or f"the same call and replies as {sample.name}-*.http, and no more"
    return ConformanceFinding(f"{sample.name}: {wrong}", clause, right)
