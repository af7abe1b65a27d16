"""Lists: filtered, newest first, a page at a time by cursors; and what is expanded."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from kessai_adapters.emulators.stripe.books import ApiObject, Books
from kessai_adapters.emulators.stripe.errors import invalid, missing
from kessai_adapters.emulators.stripe.events import shown
from kessai_adapters.emulators.stripe.forms import Params

_LIMIT: Final = 10
_MOST: Final = 100


def page(
    path: str, objects: Iterable[ApiObject], given: Params, filters: Sequence[str] = ()
) -> ApiObject:
    """A page of `objects`, oldest first as they come, that agree with the filters.

    Raises:
        ApiError: a parameter is none of a list's.

    """
    found = list(_filtered(objects, given, filters))[::-1]
    limit = given.integer("limit")
    after, before = given.text("starting_after"), given.text("ending_before")
    given.finish()
    if limit is not None and not 1 <= limit <= _MOST:
        message = f"limit must be between 1 and {_MOST}"
        raise invalid(message, param="limit")
    if after and before:
        message = "Only one of starting_after and ending_before"
        raise invalid(message, param="limit")
    size = limit or _LIMIT
    ids = [each["id"] for each in found]
    if before:
        until = _place(ids, before)
        first = max(0, until - size)
        return _list(path, found[first:until], has_more=first > 0)
    first = _place(ids, after) + 1 if after else 0
    has_more = first + size < len(found)
    return _list(path, found[first : first + size], has_more=has_more)


def _place(ids: list[str], cursor: str) -> int:
    if cursor not in ids:
        what = "object"
        raise missing(what, cursor, "starting_after")
    return ids.index(cursor)


def _list(path: str, data: list[ApiObject], *, has_more: bool) -> ApiObject:
    return {"object": "list", "data": data, "has_more": has_more, "url": path}


def _filtered(
    objects: Iterable[ApiObject], given: Params, filters: Sequence[str]
) -> Iterator[ApiObject]:
    wanted = {name: given.text(name) for name in filters}
    created = given.inner("created")
    bounds = {name: created.integer(name) for name in ("gt", "gte", "lt", "lte")}
    created.finish()
    for each in objects:
        agrees = all(
            value is None or each.get(name) == value for name, value in wanted.items()
        )
        if agrees and _is_within(each["created"], bounds):
            yield each


def _is_within(created: int, bounds: dict[str, int | None]) -> bool:
    over, least, under, most = (bounds[name] for name in ("gt", "gte", "lt", "lte"))
    return (
        (over is None or created > over)
        and (least is None or created >= least)
        and (under is None or created < under)
        and (most is None or created <= most)
    )


def expanded(books: Books, answer: ApiObject, wanted: Iterable[str]) -> Any:
    """`answer` as it is shown, with the objects that were asked for in full.

    Raises:
        ApiError: what was asked for cannot be expanded.

    """
    found = shown(answer)
    for path in wanted:
        name = path.removeprefix("data.")
        within = found["data"] if name != path and "data" in found else [found]
        for each in within:
            _expand(books, each, name)
    return found


def _expand(books: Books, within: ApiObject, name: str) -> None:
    if name not in within:
        message = f"This property cannot be expanded ({name})"
        raise invalid(message, param="expand")
    held = within[name]
    if isinstance(held, str):
        within[name] = shown(_of_id(books, held))


def _of_id(books: Books, name: str) -> ApiObject | None:
    kind = name.partition("_")[0]
    if kind == "ch":
        return books.of_charge(name, "expand").charge
    if kind == "pi":
        return books.payment(name).intent
    objects = {"cus": books.customers, "pm": books.methods}.get(kind, {})
    return objects.get(name)
