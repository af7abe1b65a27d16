"""Malformed replies: what is no answer of the gateway resolves nothing, raises nothing."""

from collections.abc import Collection, Iterator, Mapping

import attrs
from hypothesis import strategies as st

from kessai.gateway import Call, Evidence, Outcome, Reply
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.falsify import (
    bodies,
    counterexample,
    is_broken,
    mutants,
)
from kessai.testing.adapter_kit.kit import RESOLVED, Kit
from kessai.testing.adapter_kit.members import at, doubled, leaves, replaced, tree_of
from kessai.testing.adapter_kit.outcomes import ABOUT, misattributed
from kessai.testing.adapter_kit.samples import ReplySample
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code

SERVER_ERRORS = (500, 501, 502, 503, 504, 520, 599)
REDIRECTIONS = (301, 302, 303, 307, 308)
CUTS = 96
EXAMPLES = 150
LARGEST = 5_000_000
"""Bytes of a reply that the transport still hands on."""

_UNKNOWN = "assert evidence.outcome is Outcome.UNKNOWN"
_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>OK</body></html>"
)
_INSTEAD = (
    ("an empty body", b""),
    ("a proxy's page", _PAGE),
    ("plain text", b"OK"),
    ("a JSON null", b"null"),
    ("a JSON list", b"[]"),
    ("a JSON text", b'"success"'),
    ("a JSON number", b"1"),
    ("a JSON true", b"true"),
    ("an empty object", b"{}"),
    ("an object of something else", b'{"error":"service unavailable"}'),
    ("bytes of no encoding", b"\xff\xfe\x00\x9f\x92\x96"),
    ("lists within lists", b"[" * 100_000),
    ("objects within objects", b'{"a":' * 50_000),
    ("a number without end", b"9" * 100_000),
    ("five million spaces", b" " * LARGEST),
)


def unresolved(evidence: Evidence) -> bool:
    """Whether evidence resolves nothing and lists nothing."""
    resolves = evidence.outcome is not Outcome.UNKNOWN
    return not (
        resolves or evidence.listing or not evidence.found or evidence.never_sent
    )


def another_status(kit: Kit) -> Iterator[ConformanceFinding]:
    """A success under HTTP 5xx or a redirection is none, and neither is a decline."""
    for sample, reply in (*kit.resolved, *kit.inquiries):
        changed = {
            f"under HTTP {status}": attrs.evolve(reply, status=status)
            for status in (*SERVER_ERRORS, *REDIRECTIONS)
        }
        yield from _first_believed(kit, sample, changed)


def cut_off(kit: Kit) -> Iterator[ConformanceFinding]:
    """A reply that is cut off anywhere is not believed."""
    for sample, reply in (*kit.resolved, *kit.inquiries):
        whole = len(reply.body.rstrip())  # none where a status alone is the answer
        lengths = [*range(0, whole, max(1, whole // CUTS)), whole - 1] if whole else []
        changed = {
            f"cut off after {length} of {whole} bytes": attrs.evolve(
                reply, body=reply.body[:length]
            )
            for length in lengths
        }
        yield from _first_believed(kit, sample, changed)


def something_else(kit: Kit) -> Iterator[ConformanceFinding]:
    """Pages, nothing at all, nonsense and what is huge are unknown, under any status."""
    # A reply that is a status alone says all with it, whatever its body.
    with_a_body = [(s, r) for s, r in kit.replies if r.body.strip()]
    kinds = {(s.call.command, r.status): (s, r) for s, r in with_a_body}
    for sample, reply in kinds.values():
        for what, body in _INSTEAD:
            instead = attrs.evolve(reply, body=body)
            label = f"with {what}, HTTP {reply.status}"
            yield from _first_believed(kit, sample, {label: instead})


def another_transaction(kit: Kit) -> Iterator[ConformanceFinding]:
    """The reply to one transaction is no evidence about another."""
    for sample, reply in (*kit.resolved, *kit.inquiries):
        call = sample.call
        if call.transaction.encode() not in reply.body:
            continue  # nothing in it names its transaction
        other = attrs.evolve(call, transaction="another-transaction")
        evidence = kit.evidence(other, reply)
        if not unresolved(evidence):
            yield ConformanceFinding(
                f"{sample.name}: the reply to {call.transaction} is taken for one to"
                f" another transaction: {_stated(evidence)}",
                contract.WHAT_CAME,
                "Outcome.UNKNOWN when a reply names a transaction that was not asked for",
                kit.reply_story(other, reply, [_UNKNOWN]),
            )


def two_of_a_member(kit: Kit) -> Iterator[ConformanceFinding]:
    """Where the member that decides is there twice, with two values, none is believed."""
    known = [tree for _, reply in kit.replies if (tree := tree_of(reply.body))]
    for sample, reply in kit.resolved:
        tree = tree_of(reply.body)
        if tree is None:
            continue
        for path, value in leaves(tree):
            for other in _others(known, path, value):
                evidence = kit.evidence(
                    sample.call, attrs.evolve(reply, body=replaced(tree, path, other))
                )
                if evidence.outcome is sample.evidence.outcome:
                    continue  # it decides nothing
                twice = {
                    f"with two {at(path)}, {first!r} and {second!r}": attrs.evolve(
                        reply, body=doubled(tree, path, [first, second])
                    )
                    for first, second in ((value, other), (other, value))
                }
                found = list(_first_believed(kit, sample, twice, RESOLVED))
                yield from found
                if found:
                    break


def any_bytes(kit: Kit) -> Iterator[ConformanceFinding]:
    """No bytes whatever, under no status, make the adapter raise or believe them."""
    calls = list(kit.calls.values())
    bare = {reply.status for _, reply in kit.replies if not reply.body.strip()}
    statuses = sorted({200, *(reply.status for _, reply in kit.replies)} - bare)
    strange = st.builds(
        lambda call, status, body: (call, Reply(status=status, body=body)),
        st.sampled_from(calls),
        st.sampled_from(statuses) | st.integers().filter(lambda n: n not in bare),
        bodies(),
    )
    found = counterexample(
        strange, lambda case: is_broken(_strange(kit, *case)), EXAMPLES
    )
    if found is not None:
        yield from _strange(kit, *found)


def anything_like_a_reply(kit: Kit) -> Iterator[ConformanceFinding]:
    """A recorded reply changed in one place raises nothing, and can be kept."""
    recorded = [(sample.call, reply) for sample, reply in kit.replies if reply.body]
    if not recorded:
        return
    by_call = st.sampled_from(recorded).flatmap(
        lambda pair: st.tuples(
            st.just(pair[0]),
            mutants([pair[1].body]).map(lambda b: attrs.evolve(pair[1], body=b)),
        )
    )

    found = counterexample(
        by_call, lambda case: is_broken(_misattributed(kit, *case)), EXAMPLES
    )
    if found is not None:
        yield from _misattributed(kit, *found)


def _misattributed(kit: Kit, call: Call, reply: Reply) -> Iterator[ConformanceFinding]:
    """In what the evidence of a reply is not about its call."""
    if wrong := misattributed(call, kit.evidence(call, reply)):
        about = f"assert evidence.command == {code(call.command)}"
        yield ConformanceFinding(
            f"{call.command}: {wrong}",
            contract.LISTED,
            ABOUT,
            kit.reply_story(call, reply, [about]),
        )


def _strange(kit: Kit, call: Call, reply: Reply) -> Iterator[ConformanceFinding]:
    """What is made of bytes that mean nothing, if it is anything."""
    evidence = kit.evidence(call, reply)
    found = misattributed(call, evidence)
    if not unresolved(evidence):
        found = found or f"believed: {_stated(evidence)}"
    if found:
        yield ConformanceFinding(
            f"{call.command}, HTTP {reply.status} with bytes that mean nothing: {found}",
            contract.STRANGE,
            "Outcome.UNKNOWN, and nothing listed",
            kit.reply_story(call, reply, [_UNKNOWN]),
        )


def _first_believed(
    kit: Kit,
    sample: ReplySample,
    changed: Mapping[str, Reply],
    outcomes: Collection[Outcome] = tuple(Outcome),
) -> Iterator[ConformanceFinding]:
    """The first of some changed replies that is believed, and resolves as `outcomes`."""
    for what, reply in changed.items():
        evidence = kit.evidence(sample.call, reply)
        if not unresolved(evidence) and evidence.outcome in outcomes:
            yield ConformanceFinding(
                f"{sample.name} {what}: believed: {_stated(evidence)}",
                contract.STRANGE,
                "Outcome.UNKNOWN, found, without a listing: only a whole answer of the"
                " gateway's own resolves anything",
                kit.reply_story(sample.call, reply, [_UNKNOWN]),
            )
            return


def _stated(evidence: Evidence) -> str:
    if evidence.outcome is Outcome.SUCCEEDED and not evidence.found:
        return "the gateway does not know the transaction"
    if evidence.listing:
        return (
            f"{evidence.outcome.value}, with {len(evidence.listing)} listed exchanges"
        )
    return evidence.outcome.value + (", never sent" if evidence.never_sent else "")


def _others(
    known: list[object], path: tuple[str | int, ...], value: object
) -> list[object]:
    """What other recorded replies have in the same place, each once."""
    held = [held for tree in known for place, held in leaves(tree) if place == path]
    return [each for n, each in enumerate(held) if each not in (value, *held[:n])]
