"""What a caller gives, checked against the annotations: who has no type checker is told.

Plain kinds are checked (a text, a `Command`, a callable); of containers, which come in
many forms, each flow sees for itself what they hold.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from itertools import repeat
from types import FunctionType, UnionType
from typing import Any, TypeVar, get_args, get_origin

from kessai.errors import InvalidCommand, InvalidInput

C = TypeVar("C", bound=type)
Kinds = Mapping[str, tuple[type, ...]]


def with_checked_arguments(kind: C) -> C:
    """The class, its public methods refusing what is not of the kind they declare.

    They raise:
        InvalidCommand, InvalidInput: the message says what was given and what is right.

    """
    for name, method in list(vars(kind).items()):
        if isinstance(method, FunctionType) and not name.startswith("_"):
            kinds = _kinds_of(method.__annotations__)
            if kinds:
                setattr(kind, name, _checking(method, kinds))
    return kind


def check_fields(value: Any) -> None:
    """See that the fields of an attrs object are of the kinds that they declare.

    Raises:
        InvalidInput: one is not; the message says what was given and what is right.

    """
    kinds = _kinds_of_fields(value.__class__)
    _check(kinds, ((name, getattr(value, name)) for name in kinds))


def _checking(method: FunctionType, kinds: Kinds) -> Callable[..., Any]:
    code = method.__code__
    named = code.co_argcount + code.co_kwonlyargcount
    takes_more = bool(code.co_flags & inspect.CO_VARARGS)
    more = code.co_varnames[named] if takes_more else ""
    first = code.co_varnames[: code.co_argcount]

    def check(given: tuple[Any, ...], by_name: Mapping[str, Any]) -> None:
        _check(kinds, zip(first, given, strict=False))
        if takes_more:
            _check(kinds, zip(repeat(more), given[len(first) :], strict=False))
        if by_name:
            _check(kinds, by_name.items())

    @wraps(method)
    def checked(*given: Any, **by_name: Any) -> Any:
        check(given, by_name)
        return method(*given, **by_name)

    @wraps(method)
    async def checked_first(*given: Any, **by_name: Any) -> Any:
        check(given, by_name)
        return await method(*given, **by_name)

    return checked_first if inspect.iscoroutinefunction(method) else checked


def _check(kinds: Kinds, given: Iterable[tuple[str, Any]]) -> None:
    for name, value in given:
        right = kinds.get(name)
        if right is not None and not isinstance(value, right):
            shown = " or ".join(_shown(each) for each in right)
            message = f"{name}: {shown} is right, not {_shown(type(value))}"
            raise (InvalidCommand if name == "command" else InvalidInput)(message)


@cache
def _kinds_of_fields(kind: type) -> Kinds:
    return _kinds_of(kind.__annotations__)


def _kinds_of(annotations: Mapping[str, Any]) -> Kinds:
    found = {name: _kinds(of) for name, of in annotations.items() if name != "return"}
    return {name: kinds for name, kinds in found.items() if kinds}


def _kinds(annotation: Any) -> tuple[type, ...]:
    """The classes that an annotation names; none if it names anything else."""
    is_union = isinstance(annotation, UnionType)
    members = get_args(annotation) if is_union else (annotation,)
    kinds: list[Any] = [Callable if get_origin(m) is Callable else m for m in members]
    return tuple(kinds) if all(map(_is_plain, kinds)) else ()


def _is_plain(kind: Any) -> bool:
    return isinstance(kind, type) and get_origin(kind) is None and kind is not object


def _shown(kind: type) -> str:
    return "None" if kind is type(None) else kind.__name__
