"""All that leads from one state to another, in the order of the declaration.

A command's beginning, its moves, its decline, a deadline that passes: each format draws
these and no other. The package's docstring describes how ids are built.
"""

from collections import Counter
from collections.abc import Iterator

import attrs

from kessai.diagram.words import elapsed, word
from kessai.spec import CommandSpec, Expression, Lifecycle, Move, Track


@attrs.frozen(kw_only=True)
class Arrow:
    """One arrow from a state; `target` None means that the state stays as it is.

    `cause` is `opening`, `command`, `decline`, `reversal` or `deadline`; `name` the
    command or the deadline. `source` is empty where it comes before the first state.
    `is_external`: the gateway may report it though nobody here asked for it; `move`
    what the machine knows it by; `short`, where it is given, the label that is enough
    beside a title. `serial` distinguishes arrows that share all else.
    """

    cause: str
    name: str
    label: str
    track: str
    source: str
    target: str | None
    rule: str
    when: Expression | None = None
    guards: tuple[str, ...] = ()
    short: str = ""
    is_external: bool = False
    move: Move | None = None
    serial: int = 1

    @property
    def id(self) -> str:
        """What the arrow is called in a drawing."""
        end = self.source if self.target is None else self.target
        named = f"{self.name}{_SUFFIXES.get(self.cause, '')}"
        serial = "" if self.serial == 1 else f"--{self.serial}"
        return f"{self.source_id}--{named}--{state_id(self.track, end)}{serial}"

    @property
    def source_id(self) -> str:
        """What it comes from is called in a drawing."""
        return state_id(self.track, self.source)

    @property
    def target_id(self) -> str:
        """What it leads to is called in a drawing."""
        return state_id(self.track, self.target or self.source)

    @property
    def stays(self) -> bool:
        """Whether it ends where it began."""
        return self.target is None or self.target == self.source


_SUFFIXES = {
    "decline": ".declined",
    "reversal": ".reversed",
    "deadline": ".deadline",
}
"""Marks the causes that are no commands, as their names may be a command's."""


def state_id(track: str, state: str) -> str:
    """Return what a state is called in a drawing; the track alone where it begins."""
    return f"{track}.{state}" if state else track


def track_id(track: str) -> str:
    """Return what the box around a track is called in a drawing."""
    return f"{track}--track"


def every_arrow(lifecycle: Lifecycle, language: str) -> Iterator[Arrow]:
    """Give all arrows of all tracks."""
    for track in lifecycle.tracks.values():
        yield from arrows(lifecycle, track, language)


def arrows(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[Arrow]:
    """Give what opens `track`, then all that leads from one state of it to another."""
    seen = Counter[str]()
    for found in (
        *_openings(lifecycle, track, language),
        *_moves(lifecycle, track, language, "commands"),
        *_declines(lifecycle, track, language),
        *_moves(lifecycle, track, language, "reversals"),
        *_deadlines(lifecycle, track, language),
    ):
        seen[found.id] += 1
        serial = seen[found.id]
        yield found if serial == 1 else attrs.evolve(found, serial=serial)


def _openings(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[Arrow]:
    for command in lifecycle.commands.values():
        for opening in command.opens:
            if opening.track == track.name:
                yield Arrow(
                    cause="opening",
                    name=command.name,
                    label=_labelled(command, "begun", language),
                    track=track.name,
                    source="",
                    target=track.initial,
                    rule=command.rule,
                    when=opening.when,
                )


def _labelled(command: CommandSpec, what: str, language: str) -> str:
    return f"{command.title.in_language(language)}: {word(what, language)}"


def _declines(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[Arrow]:
    openings = _openings(lifecycle, track, language)
    for opening in {opening.name: opening for opening in openings}.values():
        yield attrs.evolve(
            opening,
            cause="decline",
            label=_labelled(lifecycle.commands[opening.name], "declined", language),
            short=word("declined", language),
            source=track.initial,
            target=track.declined,
            when=None,
        )


def _moves(
    lifecycle: Lifecycle, track: Track, language: str, section: str
) -> Iterator[Arrow]:
    is_reversal = section == "reversals"
    for command, move, source in lifecycle.moves(section):
        if move.track == track.name:
            title = command.title.in_language(language)
            if move.external and command.is_asked_for:
                title = _labelled(command, "is_external", language)
            yield Arrow(
                cause="reversal" if is_reversal else "command",
                name=command.name,
                label=title,
                track=track.name,
                source=source,
                target=move.target or (source if is_reversal else None),
                rule=move.rule,
                when=move.when,
                guards=(*command.guards, *move.guards),
                move=move,
                is_external=not (command.is_opening or command.reads),
            )


def _deadlines(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[Arrow]:
    for deadline in lifecycle.deadlines.values():
        if deadline.track == track.name:
            yield Arrow(
                cause="deadline",
                name=deadline.name,
                label=elapsed(deadline.seconds, language),
                track=track.name,
                source=deadline.state,
                target=deadline.target,
                rule=deadline.rule,
                is_external=True,
            )


def role(lifecycle: Lifecycle, track: Track, state: str) -> str:
    """Return what a state is for: `initial`, `normal`, `ended` or `failed`.

    A final state that a decline or a deadline leads to was not asked for: `failed`.
    """
    if state == track.initial:
        return "initial"
    if state not in track.final:
        return "normal"
    late = {d.target for d in lifecycle.deadlines.values() if d.track == track.name}
    return "failed" if state in {track.declined, *late} else "ended"


def state_classes(lifecycle: Lifecycle, track: Track, state: str) -> tuple[str, ...]:
    """Return what a state is in a drawing: `state initial`."""
    purpose = role(lifecycle, track, state)
    final = ("final",) if state in track.final else ()
    return ("state", purpose, *final)


def arrow_classes(arrow: Arrow) -> tuple[str, ...]:
    """Return what an arrow is in a drawing, its kind first."""
    kind = "read" if arrow.target is None else arrow.cause
    loop = ("loop",) if arrow.stays else ()
    external = ("external-possible",) if arrow.is_external else ()
    return (kind, *loop, *external)
