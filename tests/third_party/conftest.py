"""An adapter that somebody else published, installed beside kessai."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

EXAMPLE = Path(__file__).parent / "kessai-examplepay"
sys.path.insert(0, str(EXAMPLE))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder into which the package was installed, and nothing else."""
    source = tmp_path_factory.mktemp("source") / "kessai-examplepay"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path_factory.mktemp("site")
    uv = shutil.which("uv")
    install = [uv, "pip", "install", "--python", sys.executable]
    if uv is None:
        install = [sys.executable, "-m", "pip", "install"]
    options = ["--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*install, *options, str(source)], check=True)
    return target


@pytest.fixture(scope="session")
def run(site):
    """Runs a module of Python's where the package is installed."""

    def python(folder, *arguments, **environ):
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(site), **environ},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    return python


@pytest.fixture
def gateway():
    """ExamplePay's stand-in, on loopback."""
    from kessai_examplepay.server import ExamplePayServer

    with ExamplePayServer() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def settings(gateway):
    """The variables that point the adapter at it."""
    from kessai_examplepay.samples import ENVIRONMENT

    return {**ENVIRONMENT, "KESSAI_EXAMPLEPAY_HOST": gateway.url}
