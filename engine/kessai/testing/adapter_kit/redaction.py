"""Redaction: secrets and personal data are planted and searched for."""

import contextlib
import io
import logging
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

import attrs

from kessai.errors import InvalidInput, NotificationRefused
from kessai.gateway import Call, Failure, Request
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.contract import Clause
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.members import at, leaves, replaced, tree_of
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code

PLANTED = "Planted Hanako 山田花子 planted@example.jp"
"""Nothing that is a code, an id or an amount looks like this."""

_SHORTEST = 8
_KEPT = "ids, codes, amounts and times of a known form; never a text for people"


def secrets_are_named(kit: Kit) -> Iterator[ConformanceFinding]:
    """The samples name the adapter's secrets, or nothing could be searched for."""
    if not kit.samples.secrets:
        yield ConformanceFinding(
            "the samples name no secret",
            contract.ERRORS,
            "secrets=(…,): the made-up keys and passwords in their environment",
        )
    elif any(len(secret) < _SHORTEST for secret in kit.samples.secrets):
        yield ConformanceFinding(
            "a secret of the samples is shorter than eight characters",
            contract.ERRORS,
            "made-up ones that are not found by chance",
        )


def in_no_repr(kit: Kit) -> Iterator[ConformanceFinding]:
    """The adapter, and what it asks, can be printed."""
    shown = {"repr(adapter)": repr(kit.adapter), "str(adapter)": str(kit.adapter)}
    for sample in kit.samples.requests:
        request = kit.request(sample.call)
        shown[f"{sample.name}: repr(request)"] = repr(request)
    for what, text in shown.items():
        yield from _no_secret(kit, what, text, contract.IN_NO_REPR)


def in_no_evidence(kit: Kit) -> Iterator[ConformanceFinding]:
    """Evidence goes into the trail: no secret, nothing personal that is on record."""
    everything = b"".join(reply.body for _, reply in kit.replies)
    everything += b"".join(body for _, _, body in kit.accepted)
    for number, person in enumerate(kit.samples.personal):
        if not any(form in everything for form in _forms(person)):
            yield ConformanceFinding(
                f"personal data number {number} of the samples is in no recorded reply",
                contract.FREE,
                "personal=(…,) holds what is in the recorded bytes, or is left out",
            )
    for sample, reply in kit.replies:
        text = repr(kit.evidence(sample.call, reply))
        yield from _nothing(kit, f"the evidence of {sample.name}", text, contract.FREE)
    for notified, headers, body in kit.accepted:
        text = repr(kit.notification(headers, body))
        what = f"the evidence of {notified.name}"
        yield from _nothing(kit, what, text, contract.FREE)


def free_text_is_dropped(kit: Kit) -> Iterator[ConformanceFinding]:
    """A name and an address, put into each member of a reply in turn, are not kept."""
    for sample, reply in kit.replies:
        tree = tree_of(reply.body)
        for path, value in leaves(tree) if tree is not None else []:
            if not isinstance(value, str):
                continue
            planted = attrs.evolve(reply, body=replaced(tree, path, PLANTED))
            evidence = kit.evidence(sample.call, planted)
            if PLANTED in repr(evidence):
                yield ConformanceFinding(
                    f"{sample.name}: what stands in {at(path)} gets into the trail,"
                    " whatever it is",
                    contract.FREE,
                    _KEPT,
                    kit.reply_story(
                        sample.call,
                        planted,
                        [f"assert {code(PLANTED)} not in repr(evidence)"],
                    ),
                )
    for asked in kit.samples.requests:
        failure = Failure(sent=True, reason=PLANTED)
        if PLANTED in repr(kit.evidence(asked.call, failure)):
            yield ConformanceFinding(
                f"{asked.name}: the reason of a failure gets into the trail",
                contract.FREE,
                "a code of your own; the reason may hold an address",
                kit.reply_story(asked.call, failure, []),
            )


def in_no_error(kit: Kit) -> Iterator[ConformanceFinding]:
    """A refusal names the field, and shows neither its value nor a secret."""
    for call in kit.calls.values():
        for planted in _planted_calls(call):
            refusal = kit.refuses(planted)
            text = repr(refusal)
            if isinstance(refusal, InvalidInput):
                text = "".join(traceback.format_exception(refusal))
            if PLANTED in text:
                yield ConformanceFinding(
                    f"{call.command}: "
                    + ("a refusal" if isinstance(refusal, InvalidInput) else "a repr")
                    + " shows the value of a parameter",
                    contract.ERRORS,
                    "the parameter's name, and what would be right; `from None` where an"
                    " inner error holds the value",
                    kit.story(f"adapter.request({code(planted)})"),
                )
            yield from _no_secret(kit, call.command, text, contract.ERRORS)


def in_no_refused_notification(kit: Kit) -> Iterator[ConformanceFinding]:
    """A refused notification is logged: no secret, and nothing of the notification."""
    for notified, headers, body in kit.accepted:
        for name in headers:
            refusal = kit.notification({**headers, name: PLANTED}, body)
            if isinstance(refusal, NotificationRefused):
                text = "".join(traceback.format_exception(refusal))
                yield from _no_secret(kit, notified.name, text, contract.ERRORS)
                if PLANTED in text:
                    yield ConformanceFinding(
                        f"{notified.name}: the refusal shows what stood in {name}",
                        contract.ERRORS,
                        "the header's name, and what would be right",
                        kit.notification_story({**headers, name: PLANTED}, body, []),
                    )


def in_no_setting(kit: Kit) -> Iterator[ConformanceFinding]:
    """A setting that is missing or wrong is named, and its value is not shown."""
    make = getattr(type(kit.adapter), "from_environment", None)
    if make is None:
        yield ConformanceFinding(
            "the adapter's class has no from_environment",
            contract.PLAIN,
            "a class method that takes the environment: `--gateway NAME` needs it",
        )
        return
    environment = dict(kit.samples.environment)
    for variable in environment:
        less = {name: held for name, held in environment.items() if name != variable}
        for changed in (less, {**environment, variable: PLANTED}):
            yield from _setting(kit, make, variable, changed)


def _setting(
    kit: Kit, make: Any, variable: str, environment: Mapping[str, str]
) -> Iterator[ConformanceFinding]:
    what = "set to something else" if variable in environment else "missing"
    try:
        adapter = make(environment)
    except InvalidInput as refusal:
        text = "".join(traceback.format_exception(refusal))
        if variable not in str(refusal):
            yield ConformanceFinding(
                f"{variable} {what}: the refusal does not name it: {refusal}",
                contract.ERRORS,
                f"InvalidInput: {variable}: is not set, or what would be right",
            )
    except Exception as error:  # noqa: BLE001 - reported, whatever it is
        yield ConformanceFinding(
            f"{variable} {what}: from_environment raised {type(error).__name__}",
            contract.ERRORS,
            f"InvalidInput that names {variable}",
        )
        return
    else:
        text = repr(adapter)
    if PLANTED in text:
        yield ConformanceFinding(
            f"{variable} {what}: its value is shown",
            contract.ERRORS,
            "the variable's name, never its value: a key may stand in the wrong place",
        )
    yield from _no_secret(kit, f"{variable} {what}", text, contract.ERRORS)


def in_no_log(kit: Kit) -> Iterator[ConformanceFinding]:
    """What the adapter logs, prints or warns of, and its form for logs, is masked."""
    with _overheard() as printed:
        for asked in kit.samples.requests:
            kit.refuses(asked.call)
        for replied, reply in kit.replies:
            kit.evidence(replied.call, reply)
        for notified in kit.samples.notifications:
            message = kit.samples.notification(notified)
            kit.notification(dict(message.headers), message.body)
    logged = printed.getvalue()
    yield from _nothing(kit, "what the adapter logged", logged, contract.ERRORS)
    form = kit.samples.logged
    for replied, reply in kit.replies:
        request = kit.refuses(replied.call)
        if form is not None and isinstance(request, Request):
            text = repr(form(replied.call, request, reply))
            what = f"the form for logs of {replied.name}"
            yield from _nothing(kit, what, text, contract.ERRORS)


@contextmanager
def _overheard() -> Iterator[io.StringIO]:
    """All that is logged, at any level, printed or warned of."""
    printed, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(printed), root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            yield printed
        printed.writelines(str(warning.message) for warning in caught)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def _no_secret(
    kit: Kit, what: str, text: str, clause: Clause
) -> Iterator[ConformanceFinding]:
    if any(secret in text for secret in kit.samples.secrets):
        yield ConformanceFinding(
            f"{what} shows a secret",
            clause,
            "attrs.field(repr=False) for credentials, and messages that name a field"
            " and not its value",
        )


def _nothing(
    kit: Kit, what: str, text: str, clause: Clause
) -> Iterator[ConformanceFinding]:
    """Neither a secret nor personal data."""
    yield from _no_secret(kit, what, text, clause)
    shown = [n for n, person in enumerate(kit.samples.personal) if person in text]
    if shown:
        yield ConformanceFinding(
            f"{what} shows personal data (number {shown[0]} of the samples)",
            contract.FREE,
            f"{_KEPT}; what the caller must see is `disclosed`",
        )


def _forms(person: str) -> tuple[bytes, ...]:
    """How a text may stand in recorded bytes."""
    return (
        person.encode(),
        quote(person).encode(),
        quote_plus(person).encode(),
        person.encode("ascii", "backslashreplace"),
        person.encode("shift_jis", "replace"),
    )


def _planted_calls(call: Call) -> Iterator[Call]:
    wrongs = (PLANTED, [PLANTED], {PLANTED: PLANTED}, f"{PLANTED}\ud83c")
    for name in (*call.parameters, "no_such_parameter"):
        for wrong in wrongs:
            yield attrs.evolve(call, parameters={**call.parameters, name: wrong})
    yield attrs.evolve(call, parameters={**call.parameters, PLANTED: "x"})
