"""A story as Python that can be pasted into a test."""

import json
import re

from kessai.prove.story import Moment, ProofStory, StoryStep


def as_test(story: ProofStory, source: str, name: str) -> str:
    """A test that plays `story` on a lifecycle; it passes once the file is mended.

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
            "from kessai.prove import Play",
            f"from kessai.spec import {load}",
            "",
            "",
            f"def test_{about}():",
            f"    play = Play({load}({given}), {_text(story.currency.code)})",
            *(f"    play.{_call(step)}" for step in story.steps),
            "    assert play.wrong == ()",
            "",
        ]
    )


def _call(step: StoryStep) -> str:
    match step.moment:
        case Moment.SUCCEEDS if step.is_stated:
            return f"succeeds({step.operation}, is_stated=True)"
        case Moment.SUCCEEDS | Moment.DECLINES:
            return f"{step.moment}({step.operation})"
        case _:
            amount = [] if step.amount is None else [f"{step.amount:_}"]
            flags = [f"{flag}=True" for flag in step.flags]
            return f"{step.moment}({', '.join([_text(step.name), *amount, *flags])})"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=not value.isprintable())
