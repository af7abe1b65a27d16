"""A story as Python that can be pasted into a test."""

import json
import re

from kessai.prove.story import ProofStory, StoryStep, TransitionKind


def as_test(story: ProofStory, source: str, name: str) -> str:
    """A test that replays `story` on a lifecycle; it passes once the file is mended.

    `source` is a shipped lifecycle's name or the path of a .toml file, `name` what the
    test is about: it becomes part of its name.
    """
    is_file = source.endswith(".toml")
    load = "load_file" if is_file else "load_shipped"
    given = f"Path({_text(source)})" if is_file else _text(source)
    about = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return "\n".join(
        [
            *(["from pathlib import Path", ""] if is_file else []),
            "from kessai.prove import Replay",
            f"from kessai.spec import {load}",
            "",
            "",
            f"def test_{about}():",
            f"    replay = Replay({load}({given}), {_text(story.currency.code)})",
            *(f"    replay.{_call(step)}" for step in story.steps),
            "    assert replay.wrong == ()",
            "",
        ]
    )


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
