"""Outcomes: each is on record, each piece of evidence is about what was asked."""

from collections.abc import Iterator

from kessai.gateway import INQUIRY, Call, Evidence, Failure, Outcome, Source
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code, in_a_line
from kessai.testing.strategies.lifecycles import lifecycle_of

_NETWORK = (
    *("ReadTimeout", "WriteTimeout", "ReadError", "WriteError", "CloseError"),
    *("RemoteProtocolError", "LocalProtocolError", "DecodingError", "ProxyError"),
    *("the answer is too long", "the answer came too slowly"),
)
_NO_CONNECTION = (
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "UnsupportedProtocol",
)

ABOUT = (
    "source, transaction and command are those of the call; an inquiry has no command;"
    " the listing is an inquiry's, actor and note an operator's"
)


def every_outcome(kit: Kit) -> Iterator[ConformanceFinding]:
    """Each outcome is on record; reversed where a lifecycle declares reversals."""
    on_record = [(each.call, each.evidence) for each in kit.samples.replies]
    on_record += [(each.call, each.evidence) for each in kit.samples.exchanges]
    reached = {stated.outcome for call, stated in on_record if call.command != INQUIRY}
    notified = {
        stated.outcome
        for sample in kit.samples.notifications
        for stated in sample.evidence
        if isinstance(stated, Evidence)
    }
    never = set(kit.samples.never)
    if not any(lifecycle_of(name).reversals for name in kit.samples.lifecycles):
        never.add(Outcome.REVERSED)
    for outcome in Outcome:
        if outcome not in reached | notified | never:
            yield ConformanceFinding(
                f"no recorded reply or notification is {outcome.value}",
                contract.WHAT_CAME,
                f"a sample whose evidence is Outcome.{outcome.name}; if the gateway"
                f" never states it, never=frozenset({{Outcome.{outcome.name}}})",
            )


def about_what_was_asked(kit: Kit) -> Iterator[ConformanceFinding]:
    """A reply is evidence of the call that it answers, and an adapter is no operator."""
    for sample, reply in kit.replies:
        evidence = kit.evidence(sample.call, reply)
        wrong = misattributed(sample.call, evidence)
        if wrong:
            yield ConformanceFinding(
                f"{sample.name}: {wrong}",
                contract.LISTED,
                ABOUT,
                kit.reply_story(sample.call, reply, [_asked_assert(sample.call)]),
            )


def misattributed(call: Call, evidence: Evidence) -> str:
    """In what evidence is not about its call; empty if in nothing."""
    looks = call.command == INQUIRY
    right: dict[str, object] = {
        "source": Source.INQUIRY if looks else Source.REPLY,
        "transaction": call.transaction,
        "command": None if looks else call.command,
        "actor": "",
        "note": "",
    }
    if not looks:
        right |= {"listing": (), "found": True}
    return "; ".join(
        f"its {name} is {getattr(evidence, name)!r}, not {value!r}"
        for name, value in right.items()
        if getattr(evidence, name) != value
    )


def _asked_assert(call: Call) -> str:
    command = None if call.command == INQUIRY else call.command
    transaction = code(call.transaction)
    return (
        "assert (evidence.transaction, evidence.command) =="
        f" ({transaction}, {code(command)})"
    )


def broken_off(kit: Kit) -> Iterator[ConformanceFinding]:
    """A request that may have arrived is unknown, however its reply got lost."""
    for call in kit.calls.values():
        for reason in _NETWORK:
            failure = Failure(sent=True, reason=reason)
            evidence = kit.evidence(call, failure)
            wrong = _unlike_failure(call, evidence, Outcome.UNKNOWN, never_sent=False)
            if wrong:
                yield ConformanceFinding(
                    f"{call.command}, lost by {reason}: {wrong}",
                    contract.NEVER_SENT,
                    "Outcome.UNKNOWN: the gateway may have carried it out; only an"
                    " inquiry can show",
                    kit.reply_story(
                        call, failure, ["assert evidence.outcome is Outcome.UNKNOWN"]
                    ),
                )
                break


def never_left(kit: Kit) -> Iterator[ConformanceFinding]:
    """A connection that was never made: the caller may try anew, and nothing happened."""
    for call in kit.calls.values():
        looks = call.command == INQUIRY
        right = Outcome.UNKNOWN if looks else Outcome.DECLINED
        for reason in _NO_CONNECTION:
            failure = Failure(sent=False, reason=reason)
            evidence = kit.evidence(call, failure)
            wrong = _unlike_failure(call, evidence, right, never_sent=True)
            if wrong:
                yield ConformanceFinding(
                    f"{call.command}, not sent by {reason}: {wrong}",
                    contract.DECLINED_UNSENT,
                    f"never_sent=True and Outcome.{right.name}"
                    + (": an unanswered inquiry resolves nothing" if looks else ""),
                    kit.reply_story(call, failure, ["assert evidence.never_sent"]),
                )
                break


def _unlike_failure(
    call: Call, evidence: Evidence, outcome: Outcome, *, never_sent: bool
) -> str:
    if evidence.outcome is not outcome:
        return f"the outcome is {evidence.outcome.value}"
    if evidence.never_sent is not never_sent:
        return f"never_sent is {evidence.never_sent}"
    if evidence.listing or not evidence.found:
        return f"it states what the gateway lists: {in_a_line(evidence)}"
    return misattributed(call, evidence)
