"""The pytest plugin that records what of a lifecycle a test suite exercises.

    pytest --kessai-coverage=coverage.json
    kessai audit coverage coverage.json --lifecycle one_time

Every event that an engine or the simulator appends in the session counts. Without the
option nothing is imported and nothing is observed.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

OPTION = "--kessai-coverage"


def pytest_addoption(parser: "pytest.Parser") -> None:
    """Declare the option."""
    parser.getgroup("kessai").addoption(
        OPTION,
        metavar="FILE",
        default=None,
        help="Record in FILE what of each lifecycle the tests exercise; see"
        " `kessai audit coverage`.",
    )


def pytest_configure(config: "pytest.Config") -> None:
    """Begin to observe, if asked for."""
    path = config.getoption(OPTION)
    if path is not None:
        from kessai.testing.pytest_plugin.observer import CoveragePlugin

        config.pluginmanager.register(CoveragePlugin(config, path), "kessai-coverage")
