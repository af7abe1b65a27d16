"""`check_store`: the suite that every store must pass, by one call, without pytest.

check_store(lambda folder: MyStore(folder / "data"), shared=True)
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kessai.stores import Store
from kessai.testing.holding import Held, hold
from kessai.testing.store_kit.conformance import (
    SharedStoreConformance,
    StoreConformance,
)

MakeStore = Callable[[Path], Store]


def check_store(make_store: MakeStore, *, shared: bool = False) -> tuple[str, ...]:
    """Put a store through its suite; returns the names of the tests that it passed.

    `make_store` gives a new store, which may keep its data in the folder that it is
    given. With `shared` two stores made in one folder must have the same data.

    Raises:
        ExceptionGroup: what the store does not keep, one exception a test, each with
            the name of the test and what it asks for.

    """
    suite = SharedStoreConformance if shared else StoreConformance
    tests = [
        Held(
            name,
            _first_line(suite, name),
            partial(_run, suite, make_store, name.partition("[")[0], given),
        )
        for name, given in _cases(suite)
    ]
    return hold(tests, f"tests of {suite.__name__}")


def _cases(suite: type) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every test of the suite, once for each value that it is given."""
    for name in dir(suite):
        if not name.startswith("test_"):
            continue
        marks = getattr(getattr(suite, name), "pytestmark", ())
        tables = [mark.args for mark in marks if mark.name == "parametrize"]
        if not tables:
            yield name, {}
        for argument, values in tables:
            for value in values:
                yield f"{name}[{value}]", {argument: value}


def _run(
    suite: type[StoreConformance],
    make_store: MakeStore,
    name: str,
    given: dict[str, Any],
) -> None:
    tests = suite()
    tests.make_store = make_store  # type: ignore[method-assign, assignment]
    test = getattr(tests, name)
    wanted = signature(test).parameters
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as open_:
        for fixture in wanted.keys() & {"store", "other"}:
            given[fixture] = open_.enter_context(closing(make_store(Path(folder))))
        if "tmp_path" in wanted:
            given["tmp_path"] = Path(folder)
        test(**given)


def _first_line(suite: type, name: str) -> str:
    documentation = getattr(suite, name.partition("[")[0]).__doc__ or ""
    return documentation.strip().partition("\n")[0]
