"""The scripts of this folder can be imported, with what they share; files are in memory."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def folder():
    from breakage.folder import FOLDER

    with tempfile.TemporaryDirectory(dir=FOLDER) as made:
        yield Path(made)


@pytest.fixture
def strace():
    """Tests that need it are skipped where it is not installed; in CI that is an error."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
