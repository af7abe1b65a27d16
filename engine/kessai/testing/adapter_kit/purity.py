"""Purity: the same call gives the same bytes, whenever, wherever, in whatever order."""

import copy
import sys
from collections.abc import Iterator
from contextlib import suppress

from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.cross_process import (
    CrossProcessJob,
    NoAnswerError,
    answers_of,
    asked_cross_process,
)
from kessai.testing.adapter_kit.forms import Question
from kessai.testing.adapter_kit.guard import state_of, watching
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code

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
    for name, question in kit.everything.items():
        _quietly(kit, question)  # what is loaded or made once, at first, is no matter
        with watching(kit.package) as watch:
            _quietly(kit, question)
        for seen in watch.seen:
            yield ConformanceFinding(
                f"{name}: the adapter used {seen}",
                contract.PURE,
                "a function of its arguments; settings are read once, by"
                " from_environment, and all HTTP is done by kessai.transport",
                _watched(kit, question),
            )


def nothing_is_kept(kit: Kit) -> Iterator[ConformanceFinding]:
    """After every sample, the adapter and its modules are as they were."""
    for question in kit.everything.values():
        _quietly(kit, question)
    before = state_of(kit.adapter, kit.package)
    for name, question in kit.everything.items():
        _quietly(kit, question)
        after = state_of(kit.adapter, kit.package)
        changed = sorted(key for key in after if after[key] != before.get(key))
        if changed:
            yield ConformanceFinding(
                f"{name}: {', '.join(changed)} is not as it was before",
                contract.PURE,
                "no attribute and no variable changes; one adapter serves many threads"
                " and processes, and none of them knows of the others",
                _watched(kit, question),
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
    questions = kit.everything
    first = answers_of(kit.adapter, questions)
    again = answers_of(kit.adapter, dict(reversed(questions.items())))
    for name in first:
        if first[name] != again[name]:
            yield ConformanceFinding(
                f"{name}: asked again in another order, the answer is another one",
                contract.PURE,
                _PURE,
                _again(kit, questions[name]),
            )


def any_process(kit: Kit) -> Iterator[ConformanceFinding]:
    """Another hash seed, time zone, locale and working directory change nothing."""
    kind = type(kit.adapter)
    job = CrossProcessJob(
        module=kind.__module__,
        file=getattr(sys.modules.get(kind.__module__), "__file__", None),
        kind=kind.__qualname__,
        environment=dict(kit.samples.environment),
        questions=kit.everything,
    )
    try:
        here, there = asked_cross_process(job)
    except NoAnswerError as error:
        yield ConformanceFinding(
            f"the adapter could not be asked in another process: {error}",
            contract.PURE,
            f"the class {kind.__qualname__} can be imported by its name, and its"
            " from_environment() takes the samples' environment",
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
                _again(kit, kit.everything[name]),
            )


def _watched(kit: Kit, question: Question) -> str:
    """A test that asks a second time and asserts that nothing is done or kept."""
    package, asking = code(kit.package), question.asking
    return kit.question_story(
        question,
        f"{asking}  # what is made once may be",
        f"before = state_of(adapter, {package})",
        f"with watching({package}) as watch:",
        f"    {asking}",
        "assert not watch.seen",
        f"assert state_of(adapter, {package}) == before",
    )


def _again(kit: Kit, question: Question) -> str:
    return kit.question_story(question, f"print({question.asking})")


def _quietly(kit: Kit, question: Question) -> None:
    with suppress(Exception):  # what it raises is for the other checks
        question.put_to(kit.adapter)
