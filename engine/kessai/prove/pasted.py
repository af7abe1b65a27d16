"""A story as Python that can be pasted into a test."""

import json
import re
from collections.abc import Iterator

from kessai.prove.story import ProofStory, StoryStep, TransitionKind


def as_test(story: ProofStory, source: str, name: str, agreement: str = "") -> str:
    """A test that replays `story` on a lifecycle; it passes once the file is mended.

    `source` is a shipped lifecycle's name or the path of a .toml file, `name` what the
    test is about: it becomes part of its name. `agreement` is the source of the
    agreement's lifecycle; without it, a shipped one.
    """
    under = story.agreement
    sources = [source] if under is None else [source, agreement or under.lifecycle]
    loaders = sorted({_loader(one) for one in sources})
    about = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return "\n".join(
        [
            *(["from pathlib import Path", ""] if "load_file" in loaders else []),
            "from kessai.prove import Replay",
            f"from kessai.spec import {', '.join(loaders)}",
            "",
            "",
            f"def test_{about}():",
            *(() if under is None else _lines(under, "agreement", sources[1])),
            *_lines(story, "replay", source),
            "    assert replay.wrong == ()",
            "",
        ]
    )


def _loader(source: str) -> str:
    return "load_file" if source.endswith(".toml") else "load_shipped"


def _lines(story: ProofStory, name: str, source: str) -> Iterator[str]:
    load = _loader(source)
    given = f"Path({_text(source)})" if load == "load_file" else _text(source)
    under = ", agreement" if story.agreement is not None else ""
    currency = _text(story.currency.code)
    yield f"    {name} = Replay({load}({given}), {currency}{under})"
    yield from (f"    {name}.{_call(step)}" for step in story.steps)


def _call(step: StoryStep) -> str:
    match step.kind:
        case TransitionKind.SUCCEEDS if step.is_stated:
            return f"succeeds({step.operation}, is_stated=True)"
        case TransitionKind.SUCCEEDS | TransitionKind.DECLINES:
            return f"{step.kind}({step.operation})"
        case _:
            amount = [] if step.amount is None else [f"{step.amount:_}"]
            flags = [f"{flag}=True" for flag in step.flags]
            return f"{step.kind}({', '.join([_text(step.name), *amount, *flags])})"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=not value.isprintable())
