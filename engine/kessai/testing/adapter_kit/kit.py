"""An adapter and what is on record of it, as the checks ask them."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs

from kessai.errors import InvalidInput, NotificationRefused
from kessai.gateway import (
    INQUIRY,
    AnyAdapter,
    Call,
    Evidence,
    Failure,
    Mention,
    NotificationPartlyRefused,
    Outcome,
    Reply,
    Request,
)
from kessai.gateway_exchange import can_be_kept
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.contract import Clause
from kessai.testing.adapter_kit.forms import Question
from kessai.testing.adapter_kit.samples import (
    AdapterSamples,
    ExchangeSample,
    NotificationSample,
    ReplySample,
)
from kessai.testing.adapter_kit.stories import (
    AdapterRaised,
    ConformanceFinding,
    as_test,
)

RESOLVED = frozenset({Outcome.SUCCEEDED, Outcome.DECLINED})
"""What ends an operation, so that it must not be a guess."""


@attrs.define(slots=False, repr=False)  # an adapter that shows its key would show it
class Kit:
    """The adapter under test, its samples, and where both can be imported from.

    `made` is how a pasted test makes the adapter: lines of imports, and an expression.
    """

    adapter: AnyAdapter
    samples: AdapterSamples
    made: tuple[tuple[str, ...], str] = ((), "make_adapter()  # as your tests make it")
    recording: bool = False
    recorded: list[Path] = attrs.field(factory=list[Path])

    @cached_property
    def package(self) -> str:
        """The package that the adapter's code is in."""
        module = type(self.adapter).__module__
        found = module if "." not in module else module.rpartition(".")[0]
        return module if found in {"tests", ""} else found

    @cached_property
    def replies(self) -> list[tuple[ReplySample, Reply]]:
        """The recorded replies, each with its sample."""
        samples = self.samples
        return [(sample, samples.reply(sample)) for sample in samples.replies]

    @cached_property
    def exchanges(self) -> list[tuple[ExchangeSample, tuple[Reply, ...]]]:
        """The recorded exchanges of several requests, each with its replies."""
        samples = self.samples
        return [(sample, samples.steps(sample)) for sample in samples.exchanges]

    @cached_property
    def resolved(self) -> list[tuple[ReplySample, Reply]]:
        """The recorded replies that end, or accept, an operation; no inquiries."""
        return [
            (sample, reply)
            for sample, reply in self.replies
            if sample.call.command != INQUIRY
            and sample.evidence.outcome is not Outcome.UNKNOWN
        ]

    @cached_property
    def inquiries(self) -> list[tuple[ReplySample, Reply]]:
        """The recorded replies to inquiries that are believed."""
        return [
            (sample, reply)
            for sample, reply in self.replies
            if sample.call.command == INQUIRY
            and sample.evidence.outcome is Outcome.SUCCEEDED
        ]

    @cached_property
    def accepted(self) -> list[tuple[NotificationSample, dict[str, str], bytes]]:
        """The recorded notifications that are the gateway's: sample, headers, body."""
        return [
            (sample, dict(message.headers), message.body)
            for sample in self.samples.notifications
            if not sample.refused
            for message in [self.samples.notification(sample)]
        ]

    @cached_property
    def calls(self) -> Mapping[str, Call]:
        """One call of each command that is on record."""
        calls = [sample.call for sample in self.samples.requests]
        calls += [sample.call for sample in self.samples.replies]
        calls += [sample.call for sample in self.samples.exchanges]
        return {call.command: call for call in reversed(calls)}

    @cached_property
    def everything(self) -> dict[str, Question]:
        """All that is on record as questions, by the kinds and names of their samples."""
        asked = {}
        for sample in self.samples.requests:
            asked[f"request {sample.name}"] = _request(sample.call)
        for replied, reply in self.replies:
            asked[f"reply {replied.name}"] = _evidence(replied.call, reply)
        for several, replies in self.exchanges:
            given = {"call": several.call}
            asked[f"exchange {several.name}"] = Question("exchange", given, replies)
        for notified, headers, body in self.accepted:
            asked[f"notification {notified.name}"] = _notification(headers, body)
        return asked

    def request(self, call: Call) -> Request:
        """The adapter's request.

        Raises:
            AdapterRaised: it is none.

        """
        question = _request(call)
        request = self._answer(question, contract.SAME_BYTES)
        if not isinstance(request, Request):
            raise self._wrong_kind(question, request, Request)
        return request

    def refuses(self, call: Call) -> Request | InvalidInput:
        """The adapter's request, or its refusal to make one.

        Raises:
            AdapterRaised: it raised something else.

        """
        try:
            answer: Request = self._answer(
                _request(call), contract.ERRORS, passes=InvalidInput
            )
        except InvalidInput as refusal:
            return refusal
        return answer

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What the adapter makes of a reply.

        Raises:
            AdapterRaised: it raised, or gave something that is none or could not be kept.

        """
        question = _evidence(call, reply)
        evidence = self._answer(question, contract.STRANGE)
        if not isinstance(evidence, Evidence):
            raise self._wrong_kind(question, evidence, Evidence)
        if not can_be_kept(evidence):
            raise AdapterRaised(
                ConformanceFinding(
                    f"evidence() gave what no store can keep: {evidence!r}",
                    contract.KEPT,
                    "amounts are integers from 0 to 2**63 - 1 or None, times are aware,"
                    " texts are plain and of at most 255 characters",
                    self.reply_story(call, reply, ["assert can_be_kept(evidence)"]),
                )
            )
        return evidence

    def notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[Evidence | Mention, ...] | NotificationRefused:
        """What the adapter makes of a notification, or its refusal of it.

        Raises:
            AdapterRaised: it raised something else, or gave something else.

        """
        question, clause = _notification(headers, body), contract.NOT_THE_GATEWAYS
        try:
            answer = self._answer(question, clause, passes=NotificationRefused)
        except NotificationRefused as refusal:
            answer = refusal
        items = readable(answer)
        known = Evidence | Mention
        if not isinstance(items, tuple) or not all(isinstance(i, known) for i in items):
            raise self._wrong_kind(question, items, tuple)
        return answer  # type: ignore[no-any-return] # its items are checked

    def _answer(self, question: Question, clause: Clause, passes: Any = ()) -> Any:
        """What the adapter answers; what it raises is a finding, unless it `passes`."""
        try:
            return question.put_to(self.adapter)
        except passes:
            raise
        except Exception as error:  # noqa: BLE001 - reported, whatever it is
            raise AdapterRaised(
                ConformanceFinding(
                    f"{question.method}() raised {type(error).__name__}: {error}",
                    clause,
                    _RIGHT_ERROR[question.method],
                    self.question_story(question, question.asking),
                )
            ) from None

    def _wrong_kind(
        self, question: Question, answer: object, right: type
    ) -> AdapterRaised:
        return AdapterRaised(
            ConformanceFinding(
                f"{question.method}() gave a {type(answer).__name__}",
                contract.PLAIN,
                _RIGHT_KIND[right],
                self.question_story(
                    question,
                    f"assert isinstance({question.asking}, {right.__name__})",
                ),
            )
        )

    def story(self, *lines: str) -> str:
        """A test to paste, with `adapter` in it."""
        imports, adapter = self.made
        if hasattr(self.adapter, "exchange"):
            where = "kessai.testing.adapter_kit.forms"
            imports = (*imports, f"from {where} import as_functions")
            lines = ("adapter = as_functions(adapter)", *lines)
        return as_test(imports, [f"adapter = {adapter}", *lines])

    def question_story(self, question: Question, *lines: str) -> str:
        """A test to paste in which something is asked; none of an exchange."""
        return "" if question.replies else self.story(*question.lines, *lines)

    def reply_story(self, call: Call, reply: Reply | Failure, lines: list[str]) -> str:
        """A test to paste in which `reply` comes back."""
        question = _evidence(call, reply)
        return self.question_story(question, f"evidence = {question.asking}", *lines)

    def notification_story(
        self, headers: Mapping[str, str], body: bytes, lines: list[str]
    ) -> str:
        """A test to paste in which a notification arrives."""
        return self.question_story(_notification(headers, body), *lines)


Check = Callable[[Kit], Iterator[ConformanceFinding]]


def _request(call: Call) -> Question:
    return Question("request", {"call": call})


def _evidence(call: Call, reply: Reply | Failure) -> Question:
    return Question("evidence", {"call": call, "reply": reply})


def _notification(headers: Mapping[str, str], body: bytes) -> Question:
    return Question("notification", {"headers": dict(headers), "body": body})


def found_by(check: Check, kit: Kit) -> Iterator[ConformanceFinding]:
    """What `check` finds; where the adapter breaks off, that."""
    try:
        yield from check(kit)
    except AdapterRaised as broken:
        yield broken.finding
    except InvalidInput as mistake:
        yield ConformanceFinding(
            f"what is on record cannot be used: {mistake}",
            contract.RECORDED,
            "a file for each sample, in the folder that the samples name",
        )


_RIGHT_ERROR = {
    "request": "a Request, or InvalidInput for what the gateway cannot be sent",
    "evidence": "an Evidence with Outcome.UNKNOWN, whatever came back",
    "notification": "NotificationRefused for all that is not the gateway's or cannot be read",
}
_RIGHT_KIND: Mapping[type, str] = {
    Request: "a kessai.gateway.Request",
    Evidence: "an Evidence",
    tuple: "a tuple of Evidence",
}


def readable(answer: Any) -> Any:
    """The items of a notification that were read; those of a refusal, if it is partial."""
    is_refused = isinstance(answer, NotificationRefused)
    return getattr(answer, "readable", ()) if is_refused else answer


def is_partly(refusal: object) -> bool:
    """Whether a notification was refused in part only."""
    return isinstance(refusal, NotificationPartlyRefused)
