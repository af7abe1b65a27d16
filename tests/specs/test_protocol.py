"""The protocol model holds, finds every planted mistake, and still names the code."""

import ast
import importlib.util
import os
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "specs" / "protocol"
ENGINE = ROOT / "engine" / "kessai"
MODEL = sorted(FOLDER.glob("*.pml"))


def _check_module():
    spec = importlib.util.spec_from_file_location(
        "kessai_protocol_check", FOLDER / "check.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


protocol = _check_module()
MISSING = protocol.missing_tools()
IN_CI = os.environ.get("CI", "") not in {"", "0", "false"}

needs_spin = pytest.mark.skipif(
    bool(MISSING) and not IN_CI, reason=f"not installed: {', '.join(MISSING)}"
)


def by_name(variants):
    return pytest.mark.parametrize("variant", variants, ids=lambda v: v.name)


@pytest.fixture
def verdict(variant):
    """What spin says of a variant."""
    is_right = variant in protocol.RIGHT
    return protocol.check(
        variant, protocol.DEPTHS[-1:] if is_right else protocol.DEPTHS
    )


@needs_spin
@by_name(protocol.RIGHT)
def test_the_protocol_holds_in_every_state(variant, verdict):
    assert not verdict.failure, f"{variant.about}\n{verdict}"
    assert verdict.is_exhaustive
    assert verdict.states > 10_000


@needs_spin
@by_name(protocol.ASSUMED)
def test_without_its_assumption_the_double_effect_is_found(variant, verdict):
    assert verdict.failure, f"{variant.about}: not found in {verdict.states} states"
    assert verdict.story[-1] == "BROKEN: an operation is carried out twice"


@needs_spin
@by_name(list(map(protocol.planted, protocol.MISTAKES)))
def test_a_planted_mistake_is_found(variant, verdict):
    assert verdict.failure, f"{variant.about}: not found in {verdict.states} states"
    assert verdict.story[-1].startswith("BROKEN: ")


def test_every_switch_of_a_mistake_is_in_the_model():
    text = "".join(file.read_text("utf-8") for file in MODEL)
    known = set(re.findall(r"defined\((\w+)\)", text))
    used = {
        switch
        for variant in (
            *protocol.RIGHT,
            *protocol.ASSUMED,
            *map(protocol.planted, protocol.MISTAKES),
        )
        for switch in variant.switches
    }
    assert used == known


@cache
def names_in(module):
    """All that `module` defines, methods and fields as `Class.name`."""
    names = set()
    for node in ast.parse((ENGINE / module).read_text("utf-8")).body:
        names |= defined(node)
        if isinstance(node, ast.ClassDef):
            inner = (name for part in node.body for name in defined(part))
            names |= {f"{node.name}.{name}" for name in inner}
    return names


def defined(node):
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return {name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case _:
            return set()


def places():
    """What the model's comments name: `flow/notification.py: receive, receive_notification`."""
    pattern = re.compile(r"([\w/]+\.py): ((?:_?\w[\w.]*)(?:, _?\w[\w.]*)*)")
    for file in MODEL:
        comments = re.findall(r"/\*.*?\*/", file.read_text("utf-8"), re.DOTALL)
        for comment in comments:
            text = re.sub(r"\s*\n\s*\*?\s*", " ", comment)
            for module, names in pattern.findall(text):
                for name in names.split(", "):
                    yield file.name, module, name.rstrip(".")


@pytest.mark.parametrize(("file", "module", "name"), sorted(set(places())))
def test_what_the_model_stands_for_is_still_in_the_code(file, module, name):
    assert name in names_in(module), f"{file} names {module}: {name}, which is gone"


def test_the_read_me_names_modules_that_exist():
    text = (FOLDER / "README.md").read_text("utf-8")
    for module in re.findall(r"`([\w/]+\.py)`", text):
        assert (ENGINE / module).exists() or (FOLDER / module).exists(), module
    for file in MODEL:
        assert f"`{file.name}`" in text
