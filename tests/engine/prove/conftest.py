"""Copies of the shipped lifecycle files with a mistake planted, and the command line."""

import sys
from importlib import resources
from pathlib import Path

import pytest

from kessai.spec import load_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture
def planted(tmp_path):
    """The path of a lifecycle file in which every `old` is replaced by its `new`."""

    def plant(name, *changes):
        files = _files(name)
        for old, new in changes:
            assert any(old in text for text in files.values()), f"no such text: {old}"
            files = {path: text.replace(old, new) for path, text in files.items()}
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text, "utf-8")
        return tmp_path / f"{name}.toml"

    return plant


@pytest.fixture
def mistaken(planted):
    """The lifecycle of such a file."""
    return lambda name, *changes: load_file(planted(name, *changes))


def _files(name):
    if (own := HERE / f"{name}.toml").exists():
        return {own.name: own.read_text("utf-8")}
    package = resources.files("kessai_specs")
    shared = {
        f"shared/{file.name}": file.read_text("utf-8")
        for file in package.joinpath("shared").iterdir()
        if file.name.endswith(".toml")
    }
    own = f"{name}.toml"
    return {own: package.joinpath(own).read_text("utf-8"), **shared}
