"""Purity: the same call gives the same bytes, whenever, wherever, in whatever order."""

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import attrs

from kessai.gateway import Call, Reply
from kessai.gateway_exchange import lift
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.cross_process import (
    CrossProcessJob,
    NoAnswerError,
    answers_of,
    asked_cross_process,
)
from kessai.testing.adapter_kit.forms import run
from kessai.testing.adapter_kit.guard import state_of, watching
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import ConformanceFinding, code

_PURE = "a request comes from the call and from the adapter's settings alone"


def same_bytes(kit: Kit) -> Iterator[ConformanceFinding]:
    """Asked twice, with an equal call, the request is the same."""
    for sample in kit.samples.requests:
        first = kit.request(sample.call)
        if kit.request(copy.deepcopy(sample.call)) != first:
            yield ConformanceFinding(
                f"{sample.name}: the same call gave other bytes the second time",
                contract.SAME_BYTES,
                f"{_PURE}: no fresh id, no time of day, no counter",
                kit.story(
                    f"call = {code(sample.call)}",
                    "assert adapter.request(call) == adapter.request(call)",
                ),
            )


def nothing_but_bytes(kit: Kit) -> Iterator[ConformanceFinding]:
    """No file, connection, clock, random number, thread or variable of the environment."""
    for name, ask, story in _everything(kit):
        _quietly(ask)  # what is loaded or made once, at the first call, is no matter
        with watching(kit.package) as watch:
            _quietly(ask)
        for seen in watch.seen:
            yield ConformanceFinding(
                f"{name}: the adapter used {seen}",
                contract.PURE,
                "a function of its arguments; settings are read once, by"
                " from_environment, and all HTTP is done by kessai.transport",
                story,
            )


def nothing_is_kept(kit: Kit) -> Iterator[ConformanceFinding]:
    """After every sample, the adapter and its modules are as they were."""
    asked = list(_everything(kit))
    for _, ask, _ in asked:
        _quietly(ask)
    before = state_of(kit.adapter, kit.package)
    for name, ask, story in asked:
        _quietly(ask)
        after = state_of(kit.adapter, kit.package)
        changed = sorted(key for key in after if after[key] != before.get(key))
        if changed:
            yield ConformanceFinding(
                f"{name}: {', '.join(changed)} is not as it was before",
                contract.PURE,
                "no attribute and no variable changes; one adapter serves many threads"
                " and processes, and none of them knows of the others",
                story,
            )
            before = after


def nothing_given_is_changed(kit: Kit) -> Iterator[ConformanceFinding]:
    """The parameters of a call are the engine's: a resend reads them again."""
    for sample in kit.samples.requests:
        call = copy.deepcopy(sample.call)
        kit.request(call)
        if call != sample.call:
            yield ConformanceFinding(
                f"{sample.name}: request() changed the parameters of its call",
                contract.RESEND,
                "read them, or change a copy",
                kit.story(
                    f"call = {code(sample.call)}",
                    "before = copy.deepcopy(call)",
                    "adapter.request(call)",
                    "assert call == before",
                ),
            )


def any_order(kit: Kit) -> Iterator[ConformanceFinding]:
    """What is asked before changes no answer after it."""
    job = _job(kit)
    first = answers_of(kit.adapter, job)
    again = answers_of(kit.adapter, _reversed(job))
    for name in first:
        if first[name] != again[name]:
            yield ConformanceFinding(
                f"{name}: asked again in another order, the answer is another one",
                contract.PURE,
                _PURE,
                _again_story(kit, name),
            )


def any_process(kit: Kit) -> Iterator[ConformanceFinding]:
    """Another hash seed, time zone, locale and working directory change nothing."""
    try:
        here, there = asked_cross_process(_job(kit))
    except NoAnswerError as error:
        yield ConformanceFinding(
            f"the adapter could not be asked in another process: {error}",
            contract.PURE,
            f"the class {adapter_class(kit).__qualname__} can be imported by its name, and its from_environment() takes the samples'"
            " environment",
        )
        return
    for name in here:
        if here[name] != there[name]:
            yield ConformanceFinding(
                f"{name}: two processes with another hash seed (PYTHONHASHSEED), time"
                " zone (TZ), locale and working directory gave two answers",
                contract.SAME_BYTES,
                "sort what has no order of its own (a set), name the time zone, and do"
                " not use hash() or id()",
                _again_story(kit, name),
            )


def adapter_class(kit: Kit) -> type:
    """The adapter's class."""
    return type(kit.adapter)


def _everything(kit: Kit) -> Iterator[tuple[str, Callable[[], object], str]]:
    adapter = kit.functions
    for asked in kit.samples.requests:
        call = asked.call
        lines = [f"call = {code(call)}", *_watched(kit, "adapter.request(call)")]
        story = kit.story(*lines)
        yield asked.name, partial(adapter.request, call), story
    for sample, reply in kit.replies:
        call = sample.call
        lines = _watched(kit, "adapter.evidence(call, reply)")
        story = kit.reply_story(call, reply, lines)
        yield sample.name, partial(adapter.evidence, call, reply), story
    for several, replies in kit.exchanges:
        exchange = partial(_whole, kit, several.call, replies)
        yield several.name, exchange, ""
    for notified, headers, body in kit.accepted:
        lines = _watched(kit, "adapter.notification(headers, body)")
        story = kit.notification_story(headers, body, lines)
        yield notified.name, partial(adapter.notification, headers, body), story


def _whole(kit: Kit, call: Call, replies: Sequence[Reply]) -> object:
    return run(lift(kit.adapter).exchange(call), replies)


def _watched(kit: Kit, asking: str) -> list[str]:
    """Lines that ask a second time and assert that nothing is done or kept."""
    package = code(kit.package)
    return [
        f"{asking}  # what is made once may be",
        f"before = state_of(adapter, {package})",
        f"with watching({package}) as watch:",
        f"    {asking}",
        "assert not watch.seen",
        f"assert state_of(adapter, {package}) == before",
    ]


def _quietly(ask: Callable[[], object]) -> None:
    with suppress(Exception):  # what it raises is for the other checks
        ask()


def _job(kit: Kit) -> CrossProcessJob:
    kind = adapter_class(kit)
    return CrossProcessJob(
        module=kind.__module__,
        file=getattr(sys.modules.get(kind.__module__), "__file__", None),
        kind=kind.__qualname__,
        environment=dict(kit.samples.environment),
        requests=[(sample.name, sample.call) for sample in kit.samples.requests],
        replies=[(sample.name, sample.call, reply) for sample, reply in kit.replies],
        exchanges=[(one.name, one.call, replies) for one, replies in kit.exchanges],
        notifications=[
            (sample.name, head, body) for sample, head, body in kit.accepted
        ],
    )


def _reversed(job: CrossProcessJob) -> CrossProcessJob:
    return attrs.evolve(
        job,
        requests=job.requests[::-1],
        replies=job.replies[::-1],
        exchanges=job.exchanges[::-1],
        notifications=job.notifications[::-1],
    )


def _again_story(kit: Kit, name: str) -> str:
    what, _, sample = name.partition(" ")
    found: Any = {s.name: s for s in kit.samples.requests}.get(sample)
    if what != "request" or found is None:
        return ""
    return kit.story(f"print(adapter.request({code(found.call)}).body)")
