"""Mistakes planted in a lifecycle one at a time: all that an author could get wrong.

Effects are dropped, doubled, turned round, made a hundredfold or done to another amount;
bounds are loosened; guards and conditions are taken out; a move starts or leads
elsewhere; a deadline is not started, does nothing or denies nothing. Exclusions are left
out one by one by `kessai.prove.removals`.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from kessai.spec import Lifecycle

Document = dict[str, Any]
LISTS = {"commit", "reserve", "release", "guards", "from", "starts", "denies"}
EFFECTS = ("reserve", "commit", "release")
TURNED = {"+=": "-=", "-=": "+="}
LOOSER = {" == ": " >= ", " < ": " <= ", " > ": " >= "}


def mutants(lifecycle: Lifecycle) -> dict[str, bytes]:
    """The document of each mutant, by what is wrong with it in the file's own words."""
    whole = _listed(json.loads(lifecycle.document))
    found: dict[str, bytes] = {}
    for name, change in _changes(whole):
        mutant = copy.deepcopy(whole)
        change(mutant)
        found[name] = json.dumps(mutant).encode()
    return found


def _listed(whole: Document) -> Document:
    """The document with every text that counts as a list of one as such a list."""
    for section in ("commands", "reversals", "deadlines"):
        for declared in whole.get(section, {}).values():
            for table in (declared, *declared.get("moves", [])):
                for key in LISTS if section != "deadlines" else LISTS - {"from"}:
                    if isinstance(table.get(key), str):
                        table[key] = [table[key]]
    return whole


Change = tuple[str, Callable[[Document], None]]


def _changes(whole: Document) -> Iterator[Change]:
    for section in ("commands", "reversals", "deadlines"):
        for name, declared in whole.get(section, {}).items():
            path = (section, name)
            for kind in EFFECTS:
                yield from _of_effects(whole, (*path, kind), declared.get(kind, []))
            for key in ("guards", "starts", "denies"):
                yield from _without_each((*path, key), declared.get(key, []))
            if section == "deadlines":
                yield from _elsewhere(whole, (*path, "to"), declared["to"])
            elif not declared.get("reads"):
                yield from _of_command(whole, path, declared)
    for name, track in whole["tracks"].items():
        yield from _elsewhere(whole, ("tracks", name, "declined"), track["declined"])
        yield from _without_each(("tracks", name, "final"), track["final"])


def _of_command(whole: Document, path: tuple, declared: Document) -> Iterator[Change]:
    yield from _of_bounds((*path, "amount"), declared.get("amount", {}))
    for number, move in enumerate(declared["moves"]):
        yield from _of_move(whole, (*path, "moves", number), move)
    for number, opened in enumerate(declared.get("opens", [])):
        if "when" in opened:
            yield _without((*path, "opens", number, "when"))
    if "reports" in declared:
        yield _without((*path, "reports"))
    if "agreement" in declared:
        yield _without((*path, "agreement"))
        yield _without((*path, "agreement", "unless_open"))


def _of_effects(whole: Document, path: tuple, effects: list[str]) -> Iterator[Change]:
    yield from _without_each(path, effects)
    for number, effect in enumerate(effects):
        at = (*path, number)
        target, how, value = effect.split(" ", 2)
        yield _with(path, [*effects[: number + 1], *effects[number:]])
        if how in TURNED:
            yield _with(at, f"{target} {TURNED[how]} {value}")
            yield _with(at, f"{target} = {value}")
        if value != "0":
            yield _with(at, f"{target} {how} 100 * ({value})")
            yield _with(at, f"{target} {how} {value} + 1")
        for other in whole["amounts"]:
            if other != target:
                yield _with(at, f"{other} {how} {value}")


def _of_bounds(path: tuple, amount: dict[str, str]) -> Iterator[Change]:
    if amount:
        for least in ("0", "-1"):
            yield _with((*path, "min"), least)
        most = amount["max"]
        looser = [f"{most} + 1", f"2 * ({most})", "999_999_999_999"]
        looser += [most.replace(part, "", 1) for part in re.findall(r" - \w+", most)]
        for bound in looser:
            yield _with((*path, "max"), bound)


def _of_move(whole: Document, path: tuple, move: Document) -> Iterator[Change]:
    yield _without(path)
    if "to" in move:
        yield from _elsewhere(whole, (*path, "to"), move["to"])
    yield from _without_each((*path, "from"), move["from"])
    for state in _states(whole, move["from"][0]):
        if state not in move["from"]:
            yield _with((*path, "from"), [*move["from"], state])
    if "when" in move:
        yield _without((*path, "when"))
        yield _with((*path, "when"), f"not ({move['when']})")
        for exact, looser in LOOSER.items():
            if exact in move["when"]:
                yield _with((*path, "when"), move["when"].replace(exact, looser))
    yield from _without_each((*path, "guards"), move.get("guards", []))
    yield from _of_effects(whole, (*path, "commit"), move.get("commit", []))


def _elsewhere(whole: Document, path: tuple, state: str) -> Iterator[Change]:
    track = path[1] if path[0] == "tracks" else ""
    for other in _states(whole, f"{track}.{state}" if track else state):
        target = other.partition(".")[2] if track else other
        if target != state:
            yield _with(path, target)


def _states(whole: Document, state: str) -> list[str]:
    track = state.partition(".")[0]
    return [f"{track}.{name}" for name in whole["tracks"][track]["states"]]


def _without_each(path: tuple, items: list[Any]) -> Iterator[Change]:
    for number, item in enumerate(items):
        rest = [*items[:number], *items[number + 1 :]]
        name = f"{'.'.join(map(str, path))} without {item}"
        yield name, lambda whole, rest=rest: _set(whole, path, rest)


def _with(path: tuple, value: Any) -> Change:
    name = f"{'.'.join(map(str, path))}: {value}"
    return name, lambda whole: _set(whole, path, value)


def _without(path: tuple) -> Change:
    return f"{'.'.join(map(str, path))} dropped", lambda whole: _drop(whole, path)


def _set(whole: Any, path: tuple, value: Any) -> None:
    *way, last = path
    for key in way:
        whole = whole[key]
    whole[last] = value


def _drop(whole: Any, path: tuple) -> None:
    *way, last = path
    for key in way:
        whole = whole[key]
    del whole[last]
