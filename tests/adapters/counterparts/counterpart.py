"""The other side of the wire: packages that others published, as processes of their own."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest

HERE = Path(__file__).parent


def with_python(package, script):
    """The command that runs `script`, which needs a package of Python's."""
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed: uv sync")
    return sys.executable, str(HERE / script)


def with_node(package, script):
    """The command that runs `script`, which needs a package of Node's."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (HERE / "node_modules" / package).is_dir():
        pytest.skip(f"{package} is not installed: npm ci in {HERE}")
    return node, str(HERE / script)


@contextmanager
def started(command, **more):
    """A process that says in its first line that it is ready, and ends with its input."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, **more
    ) as process:
        said = process.stdout.readline().strip()
        try:
            assert said, f"{command[-1]} did not start"
            yield process, said
        finally:
            process.stdin.close()


@attrs.define
class AmazonClient:
    """Amazon's own client for Node, in a process of its own."""

    process: object
    settings: dict

    def calls(self, method, *args, **settings):
        """What a method of the client gives: its `status` and `data`, or its `failure`."""
        asked = {"settings": {**self.settings, **settings}, "method": method}
        print(json.dumps({**asked, "args": args}), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())
