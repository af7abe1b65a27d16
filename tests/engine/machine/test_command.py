"""A command is refused for its shape before anything looks at what it asks for."""

from enum import StrEnum
from types import MappingProxyType

import pytest

from kessai import Command
from kessai.errors import InvalidCommand
from kessai.money import AMOUNT_LIMIT

GOOD = {"name": "capture", "transaction": "order-1", "key": "key-1"}


def command(**given):
    fields = {**GOOD, **given}
    return Command(fields.pop("name"), fields.pop("transaction"), **fields)


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "Capture"},
        {"name": "capture now"},
        {"name": "x" * 65},
        {"name": None},
        {"transaction": ""},
        {"transaction": "x" * 256},
        {"transaction": "a\nb"},
        {"transaction": "a\x7f"},
        {"transaction": "a\x85"},
        {"transaction": "\ud800"},
        {"transaction": 7},
        {"key": ""},
        {"key": "a\x00"},
        {"key": b"key"},
        {"lifecycle": "One"},
        {"lifecycle": ""},
        {"agreement": ""},
        {"agreement": "a\tb"},
        {"amount": 1.0},
        {"amount": "1"},
        {"amount": True},
        {"amount": AMOUNT_LIMIT},
        {"amount": -AMOUNT_LIMIT},
        {"parameters": [("note", "x")]},
        {"parameters": "note"},
        {"parameters": {"Note": "x"}},
        {"parameters": {7: "x"}},
        {"parameters": {"note": 7}},
        {"parameters": {"note": None}},
        {"parameters": {"note": b"x"}},
        {"parameters": {"note": "a\x00"}},
        {"parameters": {"note": "\udfff"}},
        {"parameters": {"note": "x" * 16_385}},
        {"parameters": {"frequency": {"unit": "Month"}}},
        {"parameters": {"frequency": {"unit": "Month", "value": 1, "more": 1}}},
        {"parameters": {"frequency": {"unit": "Month", "value": 1.0}}},
        {"parameters": {"frequency": {"unit": "Month", "value": True}}},
        {"parameters": {"frequency": {"unit": "", "value": 1}}},
        {"parameters": {"frequency": {"unit": 1, "value": 1}}},
        {"parameters": {"frequency": ["Month", 1]}},
    ],
)
def test_a_command_that_is_not_well_formed_is_refused(given):
    with pytest.raises(InvalidCommand):
        command(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x" * 64},
        {"transaction": "x" * 255},
        {"transaction": "注文-1 😀"},
        {"key": "x" * 255},
        {"lifecycle": "one_time"},
        {"agreement": "x" * 255},
        {"amount": 0},
        {"amount": -1},
        {"amount": AMOUNT_LIMIT - 1},
        {"parameters": {"note": ""}},
        {"parameters": {"note": "a\n\t\x01語"}},
        {"parameters": {"note": "x" * 16_384}},
        {"parameters": {"with_capture": False}},
        {"parameters": {"frequency": {"unit": "Month", "value": -1}}},
        {"parameters": {"frequency": {"unit": "月", "value": 1}}},
    ],
)
def test_what_a_lifecycle_may_refuse_is_well_formed_all_the_same(given):
    assert len(command(**given).fingerprint) == 64


@pytest.mark.parametrize(
    "given",
    [
        {"name": "refund"},
        {"transaction": "order-2"},
        {"lifecycle": "one_time"},
        {"agreement": "order-2"},
        {"amount": 0},
        {"parameters": {"note": "x"}},
        {"parameters": {"with_capture": False}},
    ],
)
def test_the_fingerprint_tells_apart_everything_asked_for(given):
    assert command(**given).fingerprint != command().fingerprint


def test_the_fingerprint_leaves_out_the_key_and_the_order_of_parameters():
    one = command(parameters={"note": "x", "details": True})
    other = command(key="key-2", parameters={"details": True, "note": "x"})
    assert one.fingerprint == other.fingerprint


def test_a_command_keeps_what_it_was_asked_whatever_the_caller_does_next():
    frequency = {"unit": "Month", "value": 1}
    given = {"frequency": frequency, "note": "x"}
    asked = command(parameters=given)
    before = asked.fingerprint
    given["note"] = "y"
    frequency["value"] = 12
    assert asked.fingerprint == before
    assert asked.parameters == {
        "frequency": {"unit": "Month", "value": 1},
        "note": "x",
    }


def test_any_mapping_and_any_text_will_do_for_parameters():
    class Note(StrEnum):
        THANKS = "thanks"

    frequency = {"unit": "Month", "value": 1}
    plain = command(parameters={"frequency": frequency, "note": "thanks"})
    wrapped = command(
        parameters=MappingProxyType(
            {"frequency": MappingProxyType(frequency), "note": Note.THANKS}
        )
    )
    assert wrapped.fingerprint == plain.fingerprint
    assert wrapped == plain


def test_parameters_show_in_no_repr():
    assert "secret" not in repr(command(parameters={"note": "secret"}))
