"""The map is true: each path in it is there, and its contracts forget no module."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest

import kessai

ENGINE = Path(inspect.getfile(kessai)).parent
ROOT = Path(__file__).parent.parent
MAP = (ROOT / "ARCHITECTURE.md").read_text("utf-8")

PATHS = sorted(
    {
        path
        for path in re.findall(r"`([\w./*]+)`", MAP)
        if "/" in path or path.endswith((".py", ".toml", ".md"))
    }
)
HOUSE = MAP.partition("```")[2].partition("```")[0]
ROOMS = re.findall(r"^  (\S+(?: \S+)*)", HOUSE, re.MULTILINE)
BESIDES = {"__init__", "__main__", "gateway", "errors", "card_numbers"}
"""The modules that an adapter may import, and those that nobody does."""


@pytest.mark.parametrize("path", PATHS)
def test_each_path_in_the_map_is_there(path):
    homes = (ROOT, ENGINE, ROOT / "adapters", ROOT / "specs/kessai_specs/shared")
    assert any(list(home.glob(path.rstrip("/"))) for home in homes)


@pytest.mark.parametrize("path", ROOMS)
def test_each_room_of_the_house_is_there(path):
    homes = (ENGINE, ROOT / "adapters/kessai_adapters")
    for name in path.split():
        assert any((home / name).exists() for home in homes), name


def test_the_house_names_every_room_of_the_tests():
    named = re.findall(r"\w+", HOUSE.partition("\ntests/")[2])
    rooms = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert sorted(named) == sorted(rooms - {"__pycache__", "data"})


def test_the_contract_of_adapters_names_every_module_of_the_engine():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    contract = next(c for c in contracts if c["name"].startswith("an adapter knows"))
    modules = {
        path.stem
        for path in ENGINE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    named = {name.removeprefix("kessai.") for name in contract["forbidden_modules"]}
    assert named == modules - BESIDES
