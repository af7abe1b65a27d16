"""What holds for all tests."""

import os

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "") not in {"", "0", "false"}

if not IN_CI:  # there Hypothesis chooses a fixed seed and no deadline by itself
    settings.register_profile("patient", deadline=None)  # a busy machine is no failure
    settings.load_profile("patient")


def pytest_collection_modifyitems(items):
    """SQLite's own warning of its WAL-reset bug says nothing of a test."""
    ignore = pytest.mark.filterwarnings("ignore::kessai.StoreWarning")
    for item in items:
        item.add_marker(ignore)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A part that is missing skips a test on a user's machine, and fails it in CI."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report
