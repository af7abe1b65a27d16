"""A command is refused for its shape before anything looks at what it asks for."""

from enum import StrEnum
from types import MappingProxyType

import pytest

from kessai import Command
from kessai.errors import InvalidCommand
from kessai.ids import is_id
from kessai.money import AMOUNT_LIMIT

GOOD = {"name": "capture", "transaction": "order-1", "key": "key-1"}


def command(**given):
    fields = {**GOOD, **given}
    return Command(fields.pop("name"), fields.pop("transaction"), **fields)


NO_COMMAND = "command: must be a name such as 'capture'"
NO_LIFECYCLE = "lifecycle: must be a name such as 'one_time'"
NO_ID = (
    "must be a text of 1 to 255 characters, without control characters or half a"
    " surrogate pair"
)
NO_AMOUNT = "amount: a whole number of minor units below 1,000,000,000,000,000"
NO_MAPPING = "parameters: must be a mapping from names to values"
NO_PARAMETER = "parameters: must be named like 'note'"
NO_VALUE = "a text, true or false, or a frequency (unit, value)"
NO_TEXT = (
    "note: a text of at most 16384 characters without NUL or half a surrogate pair"
)
CARD = (
    "a card number, or what looks like one; text without it is right, and for an id"
    " letters between its digits"
)
VISA, AMEX = "4111111111111111", "378282246310005"


@pytest.mark.parametrize("name", ["capture", "refund_2", "x" * 64])
def test_what_a_file_may_declare_can_be_asked_for(name):
    assert Command(name, "order-1", key="a", parameters={name: True}).name == name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": ""}, NO_COMMAND),
        ({"name": "Capture"}, NO_COMMAND),
        ({"name": "capture now"}, NO_COMMAND),
        ({"name": "x" * 65}, NO_COMMAND),
        ({"name": "2_capture"}, NO_COMMAND),
        ({"name": None}, NO_COMMAND),
        ({"transaction": ""}, f"transaction: {NO_ID}"),
        ({"transaction": "x" * 256}, f"transaction: {NO_ID}"),
        ({"transaction": "a\nb"}, f"transaction: {NO_ID}"),
        ({"transaction": "a\x7f"}, f"transaction: {NO_ID}"),
        ({"transaction": "a\x85"}, f"transaction: {NO_ID}"),
        ({"transaction": "\ud800"}, f"transaction: {NO_ID}"),
        ({"transaction": 7}, f"transaction: {NO_ID}"),
        ({"key": ""}, f"key: {NO_ID}"),
        ({"key": "a\x00"}, f"key: {NO_ID}"),
        ({"key": b"key"}, f"key: {NO_ID}"),
        ({"lifecycle": "One"}, NO_LIFECYCLE),
        ({"lifecycle": ""}, NO_LIFECYCLE),
        ({"agreement": ""}, f"agreement: {NO_ID}"),
        ({"agreement": "a\tb"}, f"agreement: {NO_ID}"),
        ({"amount": 1.0}, NO_AMOUNT),
        ({"amount": "1"}, NO_AMOUNT),
        ({"amount": True}, NO_AMOUNT),
        ({"amount": AMOUNT_LIMIT}, NO_AMOUNT),
        ({"amount": -AMOUNT_LIMIT}, NO_AMOUNT),
        ({"parameters": [("note", "x")]}, NO_MAPPING),
        ({"parameters": "note"}, NO_MAPPING),
        ({"parameters": {"Note": "x"}}, NO_PARAMETER),
        ({"parameters": {7: "x"}}, NO_PARAMETER),
        ({"parameters": {"note": 7}}, f"note: {NO_VALUE}"),
        ({"parameters": {"note": None}}, f"note: {NO_VALUE}"),
        ({"parameters": {"note": b"x"}}, f"note: {NO_VALUE}"),
        ({"parameters": {"note": "a\x00"}}, NO_TEXT),
        ({"parameters": {"note": "\udfff"}}, NO_TEXT),
        ({"parameters": {"note": "x" * 16_385}}, NO_TEXT),
        *(
            ({"parameters": {"frequency": frequency}}, f"frequency: {NO_VALUE}")
            for frequency in (
                {"unit": "Month"},
                {"unit": "Month", "value": 1, "more": 1},
                {"unit": "Month", "value": 1.0},
                {"unit": "Month", "value": True},
                {"unit": "", "value": 1},
                {"unit": 1, "value": 1},
                ["Month", 1],
            )
        ),
        # What looks like a card number is refused wherever it stands, and not told again.
        ({"transaction": VISA}, f"transaction: {CARD}"),
        ({"key": VISA}, f"key: {CARD}"),
        ({"agreement": VISA}, f"agreement: {CARD}"),
        ({"amount": int(AMEX)}, f"amount: {CARD}"),
        ({"parameters": {"note": VISA}}, f"note: {CARD}"),
        (
            {"parameters": {"frequency": {"unit": VISA, "value": 1}}},
            f"frequency: {CARD}",
        ),
        (
            {"parameters": {"frequency": {"unit": "Day", "value": int(AMEX)}}},
            f"frequency: {CARD}",
        ),
    ],
)
def test_a_command_that_is_not_well_formed_is_refused_with_what_would_be_right(
    given, message
):
    with pytest.raises(InvalidCommand) as refusal:
        command(**given)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "fits"),
    [("a", True), ("x" * 255, True), ("", False), ("x" * 256, False), ("a\n", False)],
)
def test_what_cannot_be_an_id_is_known_before_a_store_is_asked(text, fits):
    assert is_id(text) is fits


def parameters(count):
    return {f"p{'x' * number}": True for number in range(count)}


def test_a_command_has_64_parameters_at_most():
    assert len(command(parameters=parameters(64)).parameters) == 64
    with pytest.raises(InvalidCommand) as refusal:
        command(parameters=parameters(65))
    assert str(refusal.value) == "parameters: must be at most 64"


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
        {"account": "shop-2/test"},
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
