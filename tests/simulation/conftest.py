"""A stage for worlds: the shipped lifecycles, the emulator, a store in memory."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from staging import memory_stage


@pytest.fixture(scope="session")
def stage():
    return memory_stage()
