"""Notifications: the gateway's are read whole, others refused, in constant time."""

import hmac
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from hypothesis import strategies as st

from kessai.errors import NotificationRefused
from kessai.gateway import Evidence, Mention, Outcome, Source
from kessai.gateway_exchange import rebuilt_notification
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.falsify import (
    bodies,
    counterexample,
    is_broken,
    mutants,
)
from kessai.testing.adapter_kit.kit import Kit, is_partly, readable
from kessai.testing.adapter_kit.records import unlike
from kessai.testing.adapter_kit.samples import NotificationSample
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code, in_a_line

PLACES = 256
EXAMPLES = 150
_REFUSED = [
    "with pytest.raises(NotificationRefused):",
    "    adapter.notification(headers, body)",
]


def recorded(kit: Kit) -> Iterator[ConformanceFinding]:
    """Every recorded notification is read as its sample has it, each of its items."""
    for sample in kit.samples.notifications:
        message = kit.samples.notification(sample)
        headers = dict(message.headers)
        answer = kit.notification(headers, message.body)
        wrong = _unlike_notification(sample, answer)
        if wrong:
            right = (
                f"assert adapter.notification(headers, body) == {code(sample.evidence)}"
            )
            yield ConformanceFinding(
                f"{sample.name}: {wrong}",
                contract.PARTLY if sample.refused else contract.EACH_NOTIFICATION,
                _right_notification(sample),
                kit.notification_story(
                    headers, message.body, _REFUSED if sample.refused else [right]
                ),
            )


def _right_notification(sample: NotificationSample) -> str:
    if not sample.refused:
        return (
            f"evidence, {len(sample.evidence)} in number: {in_a_line(sample.evidence)}"
        )
    if sample.evidence:
        return f"NotificationPartlyRefused with readable={in_a_line(sample.evidence)}"
    return "NotificationRefused"


def _unlike_notification(
    sample: NotificationSample,
    answer: tuple[Evidence | Mention, ...] | NotificationRefused,
) -> str:
    if isinstance(answer, NotificationRefused) and not sample.refused:
        return f"it was refused: {answer}"
    if sample.refused and not isinstance(answer, NotificationRefused):
        return "it was accepted, and should have been refused"
    given = readable(answer)
    if len(given) != len(sample.evidence):
        return f"items heard: {len(given)}, not {len(sample.evidence)}"
    for number, pair in enumerate(zip(given, sample.evidence, strict=True)):
        if wrong := _unlike_item(*pair):
            return f"item {number}: {wrong}"
    return ""


def _unlike_item(given: Evidence | Mention, right: Evidence | Mention) -> str:
    if isinstance(given, Evidence) and isinstance(right, Evidence):
        return unlike(given, right)
    return "" if given == right else f"it is {given!r}, not {right!r}"


def on_record(kit: Kit) -> Iterator[ConformanceFinding]:
    """A notification, one of several items, and the way to sign are on record."""
    if kit.samples.notifications_fetch:
        return
    if not kit.samples.notifications:
        return
    if kit.samples.sign is None:
        yield ConformanceFinding(
            "the samples cannot sign a notification",
            contract.NOT_THE_GATEWAYS,
            "sign=…: a function from a body to the headers under which the gateway sends"
            " it; it takes the made-up secret, and needs no adapter",
        )
    if not kit.accepted:
        yield ConformanceFinding(
            "no recorded notification is one that the adapter must hear",
            contract.EACH_NOTIFICATION,
            "a NotificationSample with its evidence",
        )
    several = any(len(sample.evidence) > 1 for sample in kit.samples.notifications)
    if kit.samples.many_a_notification and not several:
        yield ConformanceFinding(
            "no recorded notification holds several items",
            contract.EACH_NOTIFICATION,
            "a NotificationSample with two pieces of evidence or more; if the gateway never"
            " sends them so, many_a_notification=False",
        )


def names_in_any_case(kit: Kit) -> Iterator[ConformanceFinding]:
    """Header names come as the server hands them on: in lower case, by ASGI."""
    for sample, headers, body in kit.accepted:
        for change in (str.lower, str.upper):
            changed = {change(name): value for name, value in headers.items()}
            if isinstance(kit.notification(changed, body), NotificationRefused):
                yield ConformanceFinding(
                    f"{sample.name}: refused with header names in {change.__name__} case",
                    contract.ANY_CASE,
                    "compare header names without regard to case",
                    kit.notification_story(
                        changed, body, ["assert adapter.notification(headers, body)"]
                    ),
                )


def any_bit(kit: Kit) -> Iterator[ConformanceFinding]:
    """One bit of the body or of its signature is flipped: the notification is refused.

    Where nothing signs the body, it may only cause an inquiry.
    """
    for sample, headers, body in kit.accepted:
        if not kit.samples.signs_body:
            yield from _believed(kit, sample, headers, body)
        for place in _places(len(body) if kit.samples.signs_body else 0):
            changed = bytearray(body)
            changed[place] ^= 1 << (place % 8)
            yield from _heard(kit, sample, headers, bytes(changed), f"byte {place}")
        for name in _signing(kit, body):
            value = _held(headers, name)
            for place in _places(len(value) * 8):
                flipped = _flipped(value, place)
                if flipped.lower() != value.lower():
                    forged = {**_without(headers, name), name: flipped}
                    what = f"bit {place} of {name}"
                    yield from _heard(kit, sample, forged, body, what)


def forged(kit: Kit) -> Iterator[ConformanceFinding]:
    """Without a signature, with an empty one, or with another body's, it is refused."""
    for sample, headers, body in kit.accepted:
        for name in _signing(kit, body):
            bare = _without(headers, name)
            yield from _heard(kit, sample, bare, body, f"{name} left out")
            yield from _heard(kit, sample, {**bare, name: ""}, body, f"an empty {name}")
        yield from _heard(kit, sample, {}, body, "all headers left out")
        if not kit.samples.signs_body:
            continue
        yield from _heard(kit, sample, headers, b"", "its body left out")
        yield from _heard(kit, sample, headers, body + b" ", "a space after its body")
        if kit.samples.sign is not None:
            signed = {**headers, **_cased(headers, kit.samples.sign(b"another body"))}
            yield from _heard(kit, sample, signed, body, "another body's signature")


def _cased(headers: Mapping[str, str], signed: Mapping[str, str]) -> dict[str, str]:
    """`signed` under the names that `headers` has for them."""
    names = {name.lower(): name for name in headers}
    return {names.get(name.lower(), name): value for name, value in signed.items()}


def constant_time(kit: Kit) -> Iterator[ConformanceFinding]:
    """hmac.compare_digest finds a forged signature, not the first wrong byte."""
    for sample, given, body in kit.accepted:
        headers, changed, what = given, body[:-1] + bytes([body[-1] ^ 1]), "body"
        if not kit.samples.signs_body:
            name = next(iter(_signing(kit, body)))
            value = _flipped(_held(given, name), 0)
            headers, changed, what = {**_without(given, name), name: value}, body, name
        with _comparisons(kit.package) as seen:
            _ = kit.notification(headers, changed)
        if not any(equal is False for equal in seen):
            yield ConformanceFinding(
                f"{sample.name}: the {what} was changed, and no hmac.compare_digest"
                " found its signature wrong" + ("" if seen else "; none was called"),
                contract.CONSTANT_TIME,
                "hmac.compare_digest(claimed, proof): `==` ends at the first byte that"
                " differs, and so shows a forger, by time, how much is right",
                kit.notification_story(headers, changed, _REFUSED),
            )


@contextmanager
def _comparisons(package: str) -> Iterator[list[bool | None]]:
    """What comparisons in constant time found meanwhile; None where that is not seen."""
    seen: list[bool | None] = []
    original = hmac.compare_digest

    def compare(first: Any, second: Any) -> bool:
        equal = original(first, second)
        seen.append(equal)
        return equal

    holders: list[tuple[Any, str]] = [
        (hmac, "compare_digest"),
        (secrets, "compare_digest"),
        *(
            (module, name)
            for module_name, module in list(sys.modules.items())
            if module_name == package or module_name.startswith(f"{package}.")
            for name, value in list(vars(module).items())
            if value is original
        ),
    ]
    for holder, name in holders:
        setattr(holder, name, compare)
    profiler = sys.getprofile()
    sys.setprofile(_verifies(seen))
    try:
        yield seen
    finally:
        sys.setprofile(profiler)
        for holder, name in holders:
            setattr(holder, name, original)


def _verifies(seen: list[bool | None]) -> Callable[[Any, str, Any], None]:
    """Notices public-key signatures, which verify in constant time by themselves."""

    def profile(_frame: Any, event: str, called: Any) -> None:
        if event == "c_exception" and getattr(called, "__name__", "") == "verify":
            seen.append(False)

    return profile


def any_body(kit: Kit) -> Iterator[ConformanceFinding]:
    """Whatever is signed is read or refused; whatever is not signed is refused."""
    sign = kit.samples.sign
    if sign is None or not kit.samples.notifications:
        return
    held = [body for _, _, body in kit.accepted]
    strange = bodies() | mutants(held) if held else bodies()
    found = counterexample(
        strange, lambda body: is_broken(_amiss(kit, sign, body)), EXAMPLES
    )
    if found is not None:
        yield from _amiss(kit, sign, found)
    headers = st.dictionaries(
        st.sampled_from([*sign(b""), "Content-Type"]) | st.text(max_size=8), st.text()
    )
    anybodys = partial(_heard, kit, NotificationSample("a notification of anybody's"))
    unsigned = counterexample(
        st.tuples(headers, strange),
        lambda case: is_broken(anybodys(*case, "no signature")),
        EXAMPLES,
    )
    if unsigned is not None:
        yield from anybodys(*unsigned, "no signature")


def _amiss(
    kit: Kit, sign: Callable[[bytes], Mapping[str, str]], body: bytes
) -> Iterator[ConformanceFinding]:
    headers = dict(sign(body))
    for one in readable(kit.notification(headers, body)):
        if text := _not_kept(one):
            yield ConformanceFinding(
                f"a notification: {text}",
                contract.KEPT,
                "NotificationRefused, or evidence with source=Source.NOTIFICATION, a"
                " transaction and a command",
                kit.notification_story(
                    headers, body, ["print(adapter.notification(headers, body))"]
                ),
            )


def _not_kept(evidence: Evidence | Mention) -> str:
    if isinstance(evidence, Evidence) and evidence.source is not Source.NOTIFICATION:
        return f"its source is {evidence.source!r}"
    try:
        kept = rebuilt_notification(evidence)
    except NotificationRefused:
        return "it is of a transaction without an id"
    return "" if kept == evidence else f"it cannot be kept: {evidence!r}"


def from_nobody(kit: Kit) -> Iterator[ConformanceFinding]:
    """An adapter without notifications refuses them all."""
    for body in (b"", b"{}", b"a=b"):
        if not kit.samples.notifications and not isinstance(
            kit.notification({}, body), NotificationRefused
        ):
            yield ConformanceFinding(
                "a notification was heard, and none is on record",
                contract.NOT_THE_GATEWAYS,
                "NotificationRefused for all, or NotificationSamples of what is heard",
                kit.notification_story({}, body, _REFUSED),
            )


def _heard(
    kit: Kit,
    sample: NotificationSample,
    headers: Mapping[str, str],
    body: bytes,
    changed: str,
) -> Iterator[ConformanceFinding]:
    answer = kit.notification(headers, body)
    if not isinstance(answer, NotificationRefused) or is_partly(answer):
        yield ConformanceFinding(
            f"{sample.name} with {changed} changed: it was heard",
            contract.SIGNED,
            "NotificationRefused, before one byte of it is interpreted",
            kit.notification_story(headers, body, _REFUSED),
        )


def _believed(
    kit: Kit, sample: NotificationSample, headers: Mapping[str, str], body: bytes
) -> Iterator[ConformanceFinding]:
    """What is stated of a body that nothing signs."""
    for item in readable(kit.notification(headers, body)):
        if isinstance(item, Evidence) and item.outcome is not Outcome.UNKNOWN:
            yield ConformanceFinding(
                f"{sample.name}: nothing signs its body, and it is believed to be"
                f" {item.outcome.value}",
                contract.SIGNED,
                "a Mention, or Outcome.UNKNOWN with needs_inquiry",
                kit.notification_story(
                    headers, body, ["print(adapter.notification(headers, body))"]
                ),
            )


def _signing(kit: Kit, body: bytes) -> list[str]:
    return [] if kit.samples.sign is None else list(kit.samples.sign(body))


def _held(headers: Mapping[str, str], name: str) -> str:
    return next((v for n, v in headers.items() if n.lower() == name.lower()), "")


def _without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {n: value for n, value in headers.items() if n.lower() != name.lower()}


def _places(length: int) -> range:
    return range(0, length, max(1, length // PLACES))


def _flipped(text: str, place: int) -> str:
    changed = bytearray(text, "latin-1")
    changed[place // 8] ^= 1 << (place % 8)
    return changed.decode("latin-1")
