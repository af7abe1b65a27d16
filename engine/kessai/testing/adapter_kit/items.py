"""The kit as pytest collects it by an adapter's name: an item a test, and no file."""

from collections.abc import Iterator

import pytest

from kessai.errors import KessaiError
from kessai.testing.adapter_kit.conformance import (
    NotConforming,
    names_of_tests,
    run_test,
)
from kessai.testing.adapter_kit.installed import installed_kit
from kessai.testing.adapter_kit.kit import Kit

MARKER = "kessai_adapter"


class AdapterItem(pytest.Item):
    """One test of the kit, for one adapter."""

    kit: Kit

    def runtest(self) -> None:
        """Run it."""
        run_test(self.name, self.kit)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        """What was found, and nothing of the kit's own code."""
        del style
        if isinstance(excinfo.value, NotConforming):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[str, None, str]:
        """The test, under its adapter's name."""
        return self.nodeid.partition("::")[0], None, self.name


class AdapterCollector(pytest.Collector):
    """All tests of the kit, for one adapter."""

    kit: Kit

    def collect(self) -> Iterator[pytest.Item]:
        """Make the items."""
        for name in names_of_tests():
            item = AdapterItem.from_parent(self, name=name)
            item.kit = self.kit
            item.add_marker(MARKER)
            yield item


def kits(config: pytest.Config, names: list[str]) -> dict[str, Kit]:
    """The kits of the adapters that were named.

    Raises:
        UsageError: one is not installed, or its author put nothing on record.

    """
    config.addinivalue_line(
        "markers", f"{MARKER}: a test that `--kessai-adapter` brought"
    )
    recording = bool(config.getoption("--kessai-record"))
    try:
        return {name: installed_kit(name, recording=recording) for name in names}
    except KessaiError as error:
        message = f"--kessai-adapter: {error}"
        raise pytest.UsageError(message) from error


class AdapterPlugin:
    """Adds the kit's tests of the named adapters to a session."""

    def __init__(self, config: pytest.Config, names: list[str]) -> None:
        self._kits = kits(config, names)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add them first, so that -k and -m choose among them too."""
        for name, kit in self._kits.items():
            collector = AdapterCollector.from_parent(
                session, name=name, nodeid=f"kessai-adapter {name}"
            )
            collector.kit = kit
            items.extend(session.genitems(collector))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Name what was recorded: somebody should read it."""
        for kit in self._kits.values():
            for path in kit.recorded:
                terminalreporter.write_line(
                    f"recorded {path}: read it, it is a promise"
                )
