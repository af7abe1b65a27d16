"""The members of a JSON body, one changed, or one there twice, the rest as it was."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]

_PATIENCE = 200
"""Members at most that are looked at in one body."""


def tree_of(body: bytes) -> Any:
    """What a JSON body holds, if it is an object; else None."""
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict) else None


def leaves(tree: Any) -> list[tuple[Path, Any]]:
    """The members that hold no others, and where they are."""
    return [leaf for leaf, _ in zip(_leaves(tree, ()), range(_PATIENCE), strict=False)]


def _leaves(tree: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _leaves(value, (*path, name))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from _leaves(value, (*path, number))
    elif path:
        yield path, tree


def at(path: Path) -> str:
    """The place of a member, for people."""
    return ".".join(map(str, path))


def replaced(tree: Any, path: Path, value: Any) -> bytes:
    """The body with another value in one place."""
    return _text(tree, path, [json.dumps(value, ensure_ascii=False)]).encode()


def doubled(tree: Any, path: Path, values: Sequence[Any]) -> bytes:
    """The body with a member that is there once for each of `values`."""
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    return _text(tree, path, texts).encode()


def _text(tree: Any, path: Path, instead: Sequence[str]) -> str:
    """`tree` as JSON, what is at `path` written as the texts `instead`."""
    if isinstance(tree, Mapping):
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}:{text}"
            for name, value in tree.items()
            for text in _texts(name, value, path, instead)
        ]
        return "{" + ",".join(parts) + "}"
    if isinstance(tree, list):
        parts = [
            text
            for number, value in enumerate(tree)
            for text in _texts(number, value, path, instead)
        ]
        return "[" + ",".join(parts) + "]"
    return json.dumps(tree, ensure_ascii=False)


def _texts(
    name: str | int, value: Any, path: Path, instead: Sequence[str]
) -> Sequence[str]:
    if path == (name,):
        return instead
    below = path[1:] if path[:1] == (name,) else ()
    return [_text(value, below, instead)]
