"""The pytest plugin by which an adapter is tested: `pytest --kessai-adapter NAME`.

It adds the conformance kit's tests to whatever else is collected, and needs no test
file. Without the option nothing is imported and nothing is collected.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ADAPTER = "--kessai-adapter"
RECORD = "--kessai-record"


def pytest_addoption(parser: "pytest.Parser") -> None:
    """Declare the options."""
    group = parser.getgroup("kessai")
    group.addoption(
        ADAPTER,
        metavar="NAME",
        action="append",
        help="Hold the installed gateway adapter NAME against kessai's contract; may be"
        " repeated. `-m kessai_adapter` runs nothing else.",
    )
    group.addoption(
        RECORD,
        action="store_true",
        help="Write the requests of adapters' samples instead of comparing them.",
    )


def pytest_configure(config: "pytest.Config") -> None:
    """Find the adapters, if any is named."""
    given: list[str] | None = config.getoption(ADAPTER)
    names = list(dict.fromkeys(given or ()))
    if names:
        from kessai.testing.adapter_kit.items import AdapterPlugin

        config.pluginmanager.register(AdapterPlugin(config, names), "kessai-adapters")
