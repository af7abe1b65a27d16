"""An adapter and what is on record of it, as the checks ask them."""

from collections.abc import Iterator, Mapping
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
from kessai.testing.adapter_kit.forms import as_functions
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
    code,
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
    def replies(self) -> tuple[tuple[ReplySample, Reply], ...]:
        """The recorded replies, each with its sample."""
        return tuple(
            (sample, self.samples.reply(sample)) for sample in self.samples.replies
        )

    @cached_property
    def exchanges(self) -> tuple[tuple[ExchangeSample, tuple[Reply, ...]], ...]:
        """The recorded exchanges of several requests, each with its replies."""
        samples = self.samples
        return tuple((sample, samples.steps(sample)) for sample in samples.exchanges)

    @cached_property
    def functions(self) -> Any:
        """The adapter, asked as two functions."""
        return as_functions(self.adapter)

    @cached_property
    def resolved(self) -> tuple[tuple[ReplySample, Reply], ...]:
        """The recorded replies that end, or accept, an operation; no inquiries."""
        return tuple(
            (sample, reply)
            for sample, reply in self.replies
            if sample.call.command != INQUIRY
            and sample.evidence.outcome is not Outcome.UNKNOWN
        )

    @cached_property
    def inquiries(self) -> tuple[tuple[ReplySample, Reply], ...]:
        """The recorded replies to inquiries that are believed."""
        return tuple(
            (sample, reply)
            for sample, reply in self.replies
            if sample.call.command == INQUIRY
            and sample.evidence.outcome is Outcome.SUCCEEDED
        )

    @cached_property
    def accepted(
        self,
    ) -> tuple[tuple[NotificationSample, Mapping[str, str], bytes], ...]:
        """The recorded notifications that are the gateway's: sample, headers, body."""
        return tuple(
            (sample, dict(message.headers), message.body)
            for sample in self.samples.notifications
            if not sample.refused
            for message in [self.samples.notification(sample)]
        )

    @cached_property
    def calls(self) -> Mapping[str, Call]:
        """One call of each command that is on record."""
        calls = [sample.call for sample in self.samples.requests]
        calls += [sample.call for sample in self.samples.replies]
        calls += [sample.call for sample in self.samples.exchanges]
        return {call.command: call for call in reversed(calls)}

    def request(self, call: Call) -> Request:
        """The adapter's request.

        Raises:
            Broken: it is none.

        """
        try:
            request: Any = self.functions.request(call)
        except Exception as error:  # noqa: BLE001 - reported, whatever it is
            story = self.story(f"adapter.request({code(call)})")
            raise AdapterRaised(
                _raised("request", error, contract.SAME_BYTES, story)
            ) from None
        if not isinstance(request, Request):
            story = self.story(
                f"assert isinstance(adapter.request({code(call)}), Request)"
            )
            raise AdapterRaised(
                _no_value("request", request, "a kessai.gateway.Request", story)
            )
        return request

    def refuses(self, call: Call) -> Request | InvalidInput:
        """The adapter's request, or its refusal to make one.

        Raises:
            Broken: it raised something else, or gave something else.

        """
        try:
            request: Request = self.functions.request(call)
        except InvalidInput as refusal:
            return refusal
        except Exception as error:  # noqa: BLE001 - reported, whatever it is
            clause = contract.ERRORS
            story = self.story(f"adapter.request({code(call)})")
            raise AdapterRaised(_raised("request", error, clause, story)) from None
        return request

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What the adapter makes of a reply.

        Raises:
            Broken: it raised, or gave something that is none or could not be kept.

        """
        try:
            evidence: Any = self.functions.evidence(call, reply)
        except Exception as error:  # noqa: BLE001 - reported, whatever it is
            story = self.reply_story(call, reply, [])
            raise AdapterRaised(
                _raised("evidence", error, contract.STRANGE, story)
            ) from None
        if not isinstance(evidence, Evidence):
            story = self.reply_story(
                call, reply, ["assert isinstance(evidence, Evidence)"]
            )
            raise AdapterRaised(_no_value("evidence", evidence, "an Evidence", story))
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
            Broken: it raised something else, or gave something else.

        """
        story = self.notification_story(
            headers, body, ["adapter.notification(headers, body)"]
        )
        try:
            answer: object = self.functions.notification(headers, body)
        except NotificationRefused as refusal:
            answer = getattr(refusal, "readable", ())
            if not _are_evidence(answer):
                raise AdapterRaised(
                    _no_value("readable", answer, _TUPLE, story)
                ) from None
            return refusal
        except Exception as error:  # noqa: BLE001 - reported, whatever it is
            raise AdapterRaised(
                _raised("notification", error, contract.NOT_THE_GATEWAYS, story)
            ) from None
        if not _are_evidence(answer):
            raise AdapterRaised(_no_value("notification", answer, _TUPLE, story))
        return answer  # type: ignore[return-value]

    def story(self, *lines: str) -> str:
        """A test to paste, with `adapter` in it."""
        imports, adapter = self.made
        if hasattr(self.adapter, "exchange"):
            where = "kessai.testing.adapter_kit.forms"
            imports = (*imports, f"from {where} import as_functions")
            lines = ("adapter = as_functions(adapter)", *lines)
        return as_test(imports, [f"adapter = {adapter}", *lines])

    def reply_story(self, call: Call, reply: Reply | Failure, lines: list[str]) -> str:
        """A test to paste in which `reply` comes back."""
        asked = [
            f"call = {code(call)}",
            f"reply = {code(reply)}",
            "evidence = adapter.evidence(call, reply)",
        ]
        return self.story(*asked, *lines)

    def notification_story(
        self, headers: Mapping[str, str], body: bytes, lines: list[str]
    ) -> str:
        """A test to paste in which a notification arrives."""
        return self.story(
            f"headers = {code(dict(headers))}", f"body = {code(body)}", *lines
        )


_TUPLE = "a tuple of Evidence"


def found_by(check: Any, kit: Kit) -> Iterator[ConformanceFinding]:
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


def _are_evidence(answer: object) -> bool:
    return isinstance(answer, tuple) and all(
        isinstance(one, Evidence | Mention) for one in answer
    )


def _raised(
    method: str, error: Exception, clause: Clause, story: str
) -> ConformanceFinding:
    return ConformanceFinding(
        f"{method}() raised {type(error).__name__}: {error}",
        clause,
        _RIGHT_ERROR[method],
        story,
    )


_RIGHT_ERROR = {
    "request": "a Request, or InvalidInput for what the gateway cannot be sent",
    "evidence": "an Evidence with Outcome.UNKNOWN, whatever came back",
    "notification": "NotificationRefused for all that is not the gateway's or cannot be read",
}


def _no_value(method: str, value: object, right: str, story: str) -> ConformanceFinding:
    return ConformanceFinding(
        f"{method}() gave a {type(value).__name__}", contract.PLAIN, right, story
    )


def is_partly(refusal: object) -> bool:
    """Whether a notification was refused in part only."""
    return isinstance(refusal, NotificationPartlyRefused)
