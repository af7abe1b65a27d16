"""Holding something to all of its tests by one call, where pytest does not run them."""

from collections.abc import Callable, Sequence

import attrs
import pytest


@attrs.frozen
class Held:
    """A test by its name, what it asks for in a line, and how it is run."""

    name: str
    asks: str
    run: Callable[[], object]


def hold(tests: Sequence[Held], of: str) -> tuple[str, ...]:
    """Run all `tests`; returns the names of those that passed.

    `of` says in an error what they are, such as "cases of a transport".

    Raises:
        ExceptionGroup: what was not kept, one exception a test, each with the name of
            the test and what it asks for.

    """
    passed: list[str] = []
    failed: list[Exception] = []
    for test in tests:
        try:
            _run(test)
        except pytest.skip.Exception:
            continue
        except Exception as error:  # noqa: BLE001 - reported below, all together
            error.add_note(f"{test.name}: {test.asks}")
            failed.append(error)
        else:
            passed.append(test.name)
    if failed:
        message = f"{len(failed)} of {len(tests)} {of}"
        raise ExceptionGroup(message, failed)
    return tuple(passed)


def _run(test: Held) -> None:
    """Run `test`. How pytest says that nothing was raised is no `Exception`."""
    try:
        test.run()
    except pytest.fail.Exception as error:
        raise AssertionError(error.msg) from error
