"""Recorded bytes: what is sent is what was recorded, and what came is its evidence."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import INQUIRY, Evidence, Request
from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.http_files import read_message, request_bytes
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.stories import ConformanceFinding
from kessai.testing.paste import code, in_a_line
from kessai.whole_file import draft, keep

_AROUND = 24


def requests(kit: Kit) -> Iterator[ConformanceFinding]:
    """Every recorded call becomes its recorded bytes, to the last one."""
    for sample in kit.samples.requests:
        request, path = kit.request(sample.call), kit.samples.request_file(sample)
        lines = f"call = {code(sample.call)}", "print(adapter.request(call).body)"
        yield from as_recorded(kit, sample.name, path, request, kit.story(*lines))


def as_recorded(
    kit: Kit, name: str, path: Path, request: Request, story: str = ""
) -> Iterator[ConformanceFinding]:
    """How a request is not the one in its file, which is written while recording."""
    if kit.recording:
        _record(kit, path, request)
    elif not path.exists():
        yield ConformanceFinding(
            f"{name}: its request is not on record: no {path.name} in {path.parent}",
            contract.RECORDED,
            "run pytest with --kessai-record, read the file, and check it in",
        )
    elif difference := _differing(request, read_message(path).as_request()):
        yield ConformanceFinding(
            f"{name}: {difference}",
            contract.RECORDED,
            f"the bytes of {path.name}, which the gateway is known to take; if the new"
            " ones are meant, run pytest with --kessai-record",
            story,
        )


def _record(kit: Kit, path: Path, request: Request) -> None:
    """Write a request to its file, if it is not there as it is.

    Raises:
        InvalidInput: it cannot be written.

    """
    content = request_bytes(request)
    if path.exists() and path.read_bytes() == content:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as file:
            file.write(content)
            keep(file, path, replace=True)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise InvalidInput(message) from None
    kit.recorded.append(path)


def _differing(request: Request, recorded: Request) -> str:
    """How a request is not the recorded one; empty if it is."""
    for part in ("method", "url"):
        given, right = getattr(request, part), getattr(recorded, part)
        if given != right:
            return f"the {part} is {given!r}; on record is {right!r}"
    if request.headers != recorded.headers:
        more = [pair for pair in request.headers if pair not in recorded.headers]
        less = [pair for pair in recorded.headers if pair not in request.headers]
        return f"the headers are others: {more!r}; on record are {less!r}"
    given, right = request.body, recorded.body
    if given == right:
        return ""
    same = zip(given, right, strict=False)
    place = next(
        (n for n, (a, b) in enumerate(same) if a != b), min(len(given), len(right))
    )
    near = slice(max(0, place - _AROUND), place + _AROUND)
    return (
        f"its body differs from what was recorded at byte {place}:"
        f" …{given[near]!r}…, not …{right[near]!r}…"
    )


def replies(kit: Kit) -> Iterator[ConformanceFinding]:
    """Every recorded reply is the evidence that its sample has, in every field."""
    for sample, reply in kit.replies:
        evidence = kit.evidence(sample.call, reply)
        wrong = unlike(evidence, sample.evidence)
        if wrong:
            yield ConformanceFinding(
                f"{sample.name}: {wrong}",
                contract.WHAT_CAME,
                in_a_line(sample.evidence),
                kit.reply_story(
                    sample.call, reply, [f"assert evidence == {code(sample.evidence)}"]
                ),
            )


def every_command(kit: Kit) -> Iterator[ConformanceFinding]:
    """What can be asked is on record with a request and with a reply; so is an inquiry."""
    both = {sample.call.command for sample in kit.samples.exchanges}
    requested = both | {sample.call.command for sample in kit.samples.requests}
    replied = both | {sample.call.command for sample in kit.samples.replies}
    for command in sorted(requested | {INQUIRY}):
        for there, what in ((requested, "request"), (replied, "reply")):
            if command not in there:
                yield ConformanceFinding(
                    f"no {what} of {command} is on record",
                    contract.RECORDED,
                    f"a {what.capitalize()}Sample of a call with command={command!r}",
                )


def unlike(given: Evidence, right: Evidence) -> str:
    """The fields in which evidence is not the sample's; empty if in none."""
    different = [
        f"{field.name} is {getattr(given, field.name)!r},"
        f" not {getattr(right, field.name)!r}"
        for field in attrs.fields(Evidence)
        if field.name != "disclosed"
        and getattr(given, field.name) != getattr(right, field.name)
    ]
    if right.disclosed and given.disclosed != right.disclosed:
        different.append("what it discloses is not what its sample has")
    return "; ".join(different)
