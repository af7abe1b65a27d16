"""All that leads from one state to another, in the order of the declaration.

A command's move, a decline, a deadline that passes: each format draws these and no
other. Ids hold names of the declaration only, so that a console can find what it shows.
"""

from collections.abc import Iterator

import attrs

from kessai.diagram.words import elapsed, word
from kessai.spec import Expression, Lifecycle, Track


@attrs.frozen(kw_only=True)
class Arrow:
    """One way from a state; `target` None means that the state stays.

    `cause` is `command`, `declined` or `deadline`; `name` the command or the deadline.
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

    @property
    def id(self) -> str:
        """What the arrow is called in a drawing."""
        end = self.source if self.target is None else self.target
        return f"edge-{self.track}-{self.source}-{self.name}-{end}"


def state_id(track: str, state: str) -> str:
    """Return what a state is called in a drawing."""
    return f"state-{track}-{state}"


def arrows(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[Arrow]:
    """Give all that leads from one state of `track` to another."""
    for command, move, source in lifecycle.moves():
        if move.track == track.name:
            yield Arrow(
                cause="command",
                name=command.name,
                label=command.title.in_language(language),
                track=track.name,
                source=source,
                target=move.target,
                rule=move.rule,
                when=move.when,
                guards=(*command.guards, *move.guards),
            )
    for command in lifecycle.commands.values():
        if any(opening.track == track.name for opening in command.opens):
            title = command.title.in_language(language)
            yield Arrow(
                cause="declined",
                name=f"{command.name}-declined",
                label=f"{title}: {word('declined', language)}",
                track=track.name,
                source=track.initial,
                target=track.declined,
                rule=command.rule,
            )
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
