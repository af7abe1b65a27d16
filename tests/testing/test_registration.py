"""`st.from_type` knows kessai's types, and costs nobody else anything."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai import Command, Operation, Transaction
from kessai.machine import Event
from kessai.machine.events import KINDS

MACHINE = {"kessai.machine", "kessai.spec", "kessai.shell", "transitions", "msgspec"}


def printed(code):
    call = [sys.executable, "-c", code]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("kind", [Command, Operation, Transaction, *KINDS.values()])
def test_every_type_is_drawn_by_its_name(kind):
    @settings(max_examples=25)
    @given(st.from_type(kind))
    def check(value):
        assert isinstance(value, kind)

    check()


@settings(max_examples=25)
@given(st.from_type(Event))
def test_an_event_of_any_kind_is_drawn(event):
    assert type(event) in KINDS.values()


def test_importing_hypothesis_alone_imports_no_machine():
    code = "import hypothesis, sys; print(*sys.modules)"
    loaded = set(printed(code).split())
    assert "kessai.testing.strategies.registration" in loaded
    assert not loaded & MACHINE


@pytest.mark.parametrize(
    "imports",
    ["kessai, hypothesis", "hypothesis, kessai", "kessai.machine, hypothesis"],
)
def test_the_types_are_known_whatever_is_imported_first(imports):
    code = f"""
import {imports}
from hypothesis import strategies as st
from kessai.machine import Command
import warnings; warnings.simplefilter("ignore")
print(type(st.from_type(Command).example()).__name__)
print(kessai.machine.__loader__ is kessai.machine.__spec__.loader)
"""
    assert printed(code).split() == ["Command", "True"]
