"""Mistakes of sense in a well-shaped lifecycle, all at once.

This module owns how declarations refer to each other. Which names an expression may
read is `kessai.spec.scope`'s, which move is chosen is `kessai.spec.choices`'s.
"""

import string
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import attrs

from kessai.spec.choices import check_choices
from kessai.spec.expression import WORDS
from kessai.spec.model import (
    LONGEST_NAME,
    NAME,
    CommandSpec,
    Lifecycle,
    Move,
    Track,
    rule_codes,
)
from kessai.spec.places import Path
from kessai.spec.scope import check_scope
from kessai.spec.table import Notebook
from kessai.words import Text

DENIAL_FIELDS = frozenset({"transaction", "amount", "deadline"})
"""The names that a denial's sentence may have between braces."""

READS = "a command that reads changes no state and no amount"

NOT_NAMES = WORDS | {"amount"}
"""Words with a meaning of their own in expressions, so nothing may have such a name."""


def check(lifecycle: Lifecycle, notebook: Notebook) -> None:
    """Note every mistake of sense in `lifecycle`."""
    for part in (
        _check_names,
        _check_tracks,
        _check_commands,
        _check_moves,
        _check_reversals,
        _check_deadlines,
        _check_parameters,
        _check_guards,
        _check_reachable,
        _check_sentences,
        _check_rules,
        check_scope,
        check_choices,
    ):
        part(lifecycle, notebook)


def _check_names(lifecycle: Lifecycle, notebook: Notebook) -> None:
    names: list[tuple[Path, str]] = [(("lifecycle", "name"), lifecycle.name)]
    names += [
        ((section, name), name)
        for section in (
            *("tracks", "amounts", "parameters", "guards"),
            *("commands", "deadlines", "invariants", "reversals"),
        )
        for name in getattr(lifecycle, section)
    ]
    names += [
        (("tracks", track.name, "states", state), state)
        for track in lifecycle.tracks.values()
        for state in track.states
    ]
    for path, name in names:
        if name and not NAME.fullmatch(name):
            notebook.wrong(path, _not_a_name(name))
        if name in NOT_NAMES:
            notebook.wrong(path, f"'{name}' has a meaning of its own in expressions")


def _not_a_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters, not {len(name)}"
    return f"a name is of a-z, 0-9 and _, not {name!r}"


def _check_tracks(lifecycle: Lifecycle, notebook: Notebook) -> None:
    if not lifecycle.tracks:
        notebook.wrong(("tracks",), "a lifecycle needs at least one track")
    opened = {o.track for c in lifecycle.commands.values() for o in c.opens}
    for track in lifecycle.tracks.values():
        path: Path = ("tracks", track.name)
        states = _DeclaredNames(notebook, "state", track.states)
        states.check((*path, "initial"), [track.initial])
        states.check((*path, "declined"), [track.declined])
        states.check((*path, "final"), sorted(track.final))
        if track.name not in opened:
            notebook.wrong(path, f"no command opens track '{track.name}'")


def _check_commands(lifecycle: Lifecycle, notebook: Notebook) -> None:
    if not any(c.is_opening for c in lifecycle.commands.values()):
        notebook.wrong(("commands",), "no command opens a track: nothing can begin")
    parameters = _DeclaredNames(notebook, "parameter", lifecycle.parameters)
    guards = _DeclaredNames(notebook, "guard", lifecycle.guards)
    commands = _DeclaredNames(notebook, "command", lifecycle.commands)
    tracks = _DeclaredNames(notebook, "track", lifecycle.tracks)
    for command in lifecycle.commands.values():
        path: Path = ("commands", command.name)
        parameters.check((*path, "required"), command.required)
        parameters.check((*path, "optional"), command.optional)
        guards.check((*path, "guards"), command.guards)
        commands.check((*path, "alongside"), sorted(command.alongside))
        tracks.check((*path, "opens"), (opening.track for opening in command.opens))
        for name in sorted(set(command.required).intersection(command.optional)):
            notebook.wrong(path, f"'{name}' is both required and optional")
        if command.agreement is not None and not command.is_opening:
            message = "only a command that opens a track can need an agreement"
            notebook.wrong((*path, "agreement"), message)


def _check_moves(lifecycle: Lifecycle, notebook: Notebook) -> None:
    guards = _DeclaredNames(notebook, "guard", lifecycle.guards)
    tracks = _DeclaredNames(notebook, "track", lifecycle.tracks)
    for section, command in lifecycle.changes:
        if command.reads:
            for effects in ("reserve", "commit", "release"):
                if getattr(command, effects):
                    notebook.wrong(("commands", command.name, effects), READS)
        for number, move in enumerate(command.moves):
            path: Path = (section, command.name, "moves", number)
            guards.check((*path, "guards"), move.guards)
            _check_guards_of_move(notebook, (*path, "guards"), command, move)
            tracks.check((*path, "from"), [move.track])
            if track := lifecycle.tracks.get(move.track):
                _check_move(notebook, path, command, move, track)


def _check_reversals(lifecycle: Lifecycle, notebook: Notebook) -> None:
    moving = sorted(c.name for c in lifecycle.commands.values() if not c.reads)
    for reversal in lifecycle.reversals.values():
        path: Path = ("reversals", reversal.name)
        if reversal.name not in moving:
            message = f"no command '{reversal.name}' moves anything to be taken back"
            notebook.wrong(path, f"{message}; these do: {', '.join(moving)}")
        for number, move in enumerate(reversal.moves):
            if move.guards:
                message = "a reversal has no guards: nobody asks for it"
                notebook.wrong((*path, "moves", number, "guards"), message)


def _check_guards_of_move(
    notebook: Notebook, path: Path, command: CommandSpec, move: Move
) -> None:
    if command.is_opening and move.guards:
        message = "a command that opens a track has guards of its own, not of its moves"
        notebook.wrong(path, message)
    for code in sorted({*move.guards}.intersection(command.guards)):
        notebook.wrong(path, f"'{code}' is a guard of the whole command already")


def _check_move(
    notebook: Notebook, path: Path, command: CommandSpec, move: Move, track: Track
) -> None:
    states = _DeclaredNames(notebook, "state", track.states)
    states.check((*path, "from"), move.sources)
    states.check((*path, "to"), [move.target or ""])
    if command.reads:
        if move.target is not None or move.commit:
            notebook.wrong(path, READS)
        return
    if move.external:
        _check_external(notebook, path, command, move)
    if path[0] == "reversals" or move.external:
        return  # what is final ends what may be asked for, and these are not
    for state in sorted(track.final.intersection(move.sources)):
        message = f"'{state}' is final: only a command that reads starts there"
        notebook.wrong((*path, "from"), message)


def _check_external(
    notebook: Notebook, path: Path, command: CommandSpec, move: Move
) -> None:
    if path[0] == "reversals":
        notebook.wrong(path, "a reversal is external by itself")
    elif command.is_opening or move.guards:
        message = "an external move is never asked for: it opens nothing, and has no"
        notebook.wrong(path, f"{message} guards")
    asked = [m for m in command.moves if not m.external and m.track == move.track]
    for state in move.sources:
        if any(state in other.sources for other in asked):
            message = f"'{command.name}' may be asked for in '{move.track}.{state}'"
            notebook.wrong((*path, "from"), f"{message}, so that is not external")


def _check_deadlines(lifecycle: Lifecycle, notebook: Notebook) -> None:
    commands = _DeclaredNames(notebook, "command", lifecycle.commands)
    tracks = _DeclaredNames(notebook, "track", lifecycle.tracks)
    for deadline in lifecycle.deadlines.values():
        path: Path = ("deadlines", deadline.name)
        commands.check((*path, "starts"), sorted(deadline.starts))
        commands.check((*path, "denies"), sorted(deadline.denies))
        tracks.check((*path, "from"), [deadline.track])
        if track := lifecycle.tracks.get(deadline.track):
            states = _DeclaredNames(notebook, "state", track.states)
            states.check((*path, "from"), [deadline.state])
            states.check((*path, "to"), [deadline.target])


def _check_parameters(lifecycle: Lifecycle, notebook: Notebook) -> None:
    parameters = _DeclaredNames(notebook, "parameter", lifecycle.parameters)
    for parameter in lifecycle.parameters.values():
        path: Path = ("parameters", parameter.name)
        parameters.check((*path, "needs"), [parameter.needs or ""])
        if parameter.mistake:
            notebook.wrong(path, parameter.mistake)
        if parameter.name in lifecycle.amounts:
            notebook.wrong(path, f"'{parameter.name}' is the name of an amount too")


def _check_guards(lifecycle: Lifecycle, notebook: Notebook) -> None:
    named = {
        guard
        for command in lifecycle.commands.values()
        for guards in (command.guards, *(move.guards for move in command.moves))
        for guard in guards
    }
    for code in lifecycle.guards:
        if code not in named:
            message = f"no command names the guard '{code}': it would never run"
            notebook.wrong(("guards", code), message)


def _check_reachable(lifecycle: Lifecycle, notebook: Notebook) -> None:
    for track in lifecycle.tracks.values():
        reached = _reached(lifecycle, track)
        for state in track.states:
            if state not in reached:
                path = ("tracks", track.name, "states", state)
                notebook.wrong(path, f"no history leads to '{track.name}.{state}'")


def _reached(lifecycle: Lifecycle, track: Track) -> set[str]:
    edges: dict[str, set[str]] = defaultdict(set)
    for _, command in lifecycle.changes:
        for move in command.moves:
            if move.track == track.name and move.target is not None:
                for source in move.sources:
                    edges[source].add(move.target)
    for deadline in lifecycle.deadlines.values():
        if deadline.track == track.name:
            edges[deadline.state].add(deadline.target)
    reached, todo = {track.initial, track.declined}, [track.initial]
    while todo:
        fresh = edges[todo.pop()] - reached
        reached |= fresh
        todo.extend(fresh)
    return reached


def _check_sentences(lifecycle: Lifecycle, notebook: Notebook) -> None:
    sentences: list[tuple[Path, Text]] = [
        *((("guards", guard.code), guard.text) for guard in lifecycle.guards.values()),
        *((("deadlines", d.name), d.text) for d in lifecycle.deadlines.values()),
    ]
    for path, text in sentences:
        for language in ("en", "ja"):
            at: Path = (*path, language)
            for message in _wrong_fields(text.in_language(language)):
                notebook.wrong(at, message)


def _check_rules(lifecycle: Lifecycle, notebook: Notebook) -> None:
    """A file with a table of rules has a sentence for every rule that it names."""
    rules = _DeclaredNames(notebook, "rule", lifecycle.rules)
    for path, rule in lifecycle.rule_places() if lifecycle.rules else ():
        rules.check((*path, "rule"), rule_codes(rule))
    for code in lifecycle.rules:
        if rule_codes(code) != (code,):
            message = f"the code of a rule has no comma, so that a list can: {code!r}"
            notebook.wrong(("rules", code), message)


def _wrong_fields(sentence: str) -> Iterator[str]:
    try:
        fields = list(string.Formatter().parse(sentence))
    except ValueError as error:
        yield f"{sentence!r}: {error}"
        return
    for _, field, form, conversion in fields:
        # A conversion or a format would show an amount in a way of its own.
        if field is not None and (field not in DENIAL_FIELDS or form or conversion):
            known = ", ".join(f"{{{name}}}" for name in sorted(DENIAL_FIELDS))
            yield f"'{{{field}}}' is not known, or not plain; known are: {known}"


@attrs.frozen
class _DeclaredNames:
    """The declared names of one kind; notes every undeclared one that is used.

    An empty name is a missing value, which the reader has noted already.
    """

    notebook: Notebook
    kind: str
    names: Collection[str]

    def check(self, path: Path, used: Iterable[str]) -> None:
        for name in used:
            if name and name not in self.names:
                declared = ", ".join(sorted(self.names)) or "none"
                message = f"unknown {self.kind} '{name}'; declared are: {declared}"
                self.notebook.wrong(path, message)
