"""A card number is refused wherever it stands, and nothing that is none is."""

import json
import random  # noqa: TID251 - from a fixed seed
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kessai import Command
from kessai.card_numbers import has_card_number, without_card_numbers
from kessai.errors import InvalidCommand, InvalidInput, UnknownTransaction

ORDERS = Path(__file__).parents[1] / "data" / "orders-1000.jsonl"
ISSUED = [
    "4111111111111111",
    "4222222222222",
    "4000000000000000006",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "36227206271667",
    "3566002020360505",
    "6011000990139424",
    "6200000000000005",
    "6759649826438453",
]
"""Numbers that networks and gateways publish for tests."""
WRITTEN = {
    "alone": "4111111111111111",
    "by four": "4111 1111 1111 1111",
    "with hyphens": "4111-1111-1111-1111",
    "with dots": "4111.1111.1111.1111",
    "with strokes": "4111/1111/1111/1111",
    "by two": "41 11 11 11 11 11 11 11",
    "one by one": "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "by eight": "41111111 11111111",
    "widely spaced": "4111 - 1111 - 1111 - 1111",
    "over lines": "4111\n1111\n1111\n1111",
    "full-width": "４１１１１１１１１１１１１１１１",
    "full-width, spaced so": "４１１１\u3000１１１１\u3000１１１１\u3000１１１１",
    "full-width, hyphens too": "４１１１－１１１１－１１１１－１１１１",
    "Arabic digits": "٤١١١١١١١١١١١١١١١",
    "not to be seen": "4111\u200b1111\u200b1111\ufeff1111",
    "as printed": "3782 822463 10005",
    "in a sentence": "カード番号は4111111111111111です",
    "within a word": "order4111111111111111x",
    "among other numbers": "on 12 4111 1111 1111 1111 12/25 123",
    "as a list": "4000,4111111111111111,17",
    "in a URL": "https://shop.example/?pan=4111111111111111&x=1",
}
NONE = {
    "one digit off": "4111111111111112",
    "too short": "411111111111116",
    "no issuer": "9999999999999995",
    "a time": "20260601093000123",
    "milliseconds": "1780304400000",
    "zeros": "0" * 16,
    "an order id of Amazon": "503-3622720-6271667",
    "an Amazon Pay id": "S03-3622720-6271667",
    "an article number": "4901234567894",
    "a corporate number": "T4010001000000",
    "a UUID with a card's groups": "ab3c4111-1111-4111-1111-1111abcdefab",
    "a UUID without hyphens": "ab4111111111111111cdef0123456789",
    "an ObjectId": "66f14111111111111111abcd",
    "a digest": "deadbeef4111111111111111" + "ab" * 20,
    "amounts in a row": "1,200 3,400 5,600 7,800",
    "telephone numbers": "03-1234-5678 090-1234-5678",
    "a parcel's number": "4123-4567-8901",
    "part of a longer number": "94111111111111111199999",
}


@pytest.mark.parametrize("number", ISSUED)
def test_a_number_of_every_issuer_is_known(number):
    assert has_card_number(number)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_it_is_found_however_it_is_written(text):
    assert has_card_number(text)
    shown = without_card_numbers(text)
    assert "[card number]" in shown
    assert not has_card_number(shown)


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_other_numbers_are_left_alone(text):
    assert not has_card_number(text)
    assert without_card_numbers(text) == text


def fields_with(text):
    return {
        "transaction": {"transaction": text},
        "key": {"key": text},
        "agreement": {"agreement": text},
        "note": {"parameters": {"note": text}},
        "success_url": {"parameters": {"success_url": text}},
        "a foreign parameter": {"parameters": {"colour": text}},
        "nested": {"parameters": {"frequency": {"unit": text, "value": 1}}},
    }


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_it_is_refused_in_every_field_and_never_told_again(shop, text):
    before = shop.traces()
    for fields in fields_with(text).values():
        asked = {"transaction": "order", "lifecycle": "one_time", "amount": 1, **fields}

        with pytest.raises(InvalidCommand) as refusal:
            shop.do("authorize", **asked)

        # A line feed is no part of an id, and refused before anything is read in it.
        assert "card number" in str(refusal.value) or "\n" in text
        for digits in ("4111", "４１１１", "3782", "٤١١١", "41 11"):
            assert digits not in repr(refusal.value)
    assert shop.traces() == before


@pytest.mark.parametrize("field", ["evidence", "actor"])
def test_an_operators_words_hold_none_either(shop, field, card):
    shop.apply()
    before = shop.traces()
    words = {"evidence": "seen in the portal", "actor": "sato", field: f"with {card}"}
    with pytest.raises(InvalidInput, match=f"^{field}: must hold no card") as refusal:
        shop.engine.resolve("order", "order.1", "succeeded", **words)
    assert card not in str(refusal.value)
    assert shop.traces() == before


@pytest.mark.parametrize("number", ["378282246310005", "30569309025904"])
def test_not_even_as_an_amount(number):
    """A column mistaken for another: they are below the limit of amounts."""
    frequency = {"unit": "Month", "value": int(number)}
    for fields in ({"amount": int(number)}, {"parameters": {"frequency": frequency}}):
        with pytest.raises(InvalidCommand, match="card number") as refusal:
            Command("capture", "order", key="k", **fields)
        assert number not in str(refusal.value)


LINES = {
    "a field": '{"transaction":"4111 1111 1111 1111"}',
    "a nested one": '{"parameters":{"note":"4111111111111111"}}',
    "an unknown field": '{"card":"4111111111111111"}',
    "a field's name": '{"4111111111111111":1}',
    "escaped": r'{"\u0034111111111111111":1}',
    "escaped, twice": r'{"\u0034111111111111111":1,"\u0034111111111111111":2}',
    "where a long name is cut": r'{"%s\u0034111111111111111":1}' % ("x" * 28),
    "a number": '{"amount":4111111111111111}',
    "with a point": '{"amount":4111111111111111.0}',
    "a key used twice": '{"key":"k","key":"4111111111111111"}',
    "no JSON": '{"note":"4111111111111111"',
    "no JSON at all": "4111111111111111",
    "a list": '["4111-1111-1111-1111"]',
}
GOOD = {
    "at": "2026-01-01T00:00:00Z",
    "command": "authorize",
    "transaction": "one",
    "lifecycle": "one_time",
    "amount": 1000,
    "key": "k1",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_of_a_file_with_one_is_refused_in_its_place(kessai, tmp_path, line):
    path = tmp_path / "orders.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{line}\n", "utf-8")

    result = kessai("run", path, "--db", tmp_path / "never.db")

    assert result.code == 2
    assert result.err.startswith(f"{path}:2:")
    assert "1111" not in result.out + result.err.removeprefix(str(path))
    assert not (tmp_path / "never.db").exists()


@pytest.mark.parametrize("field", ["transaction", "key", "agreement", "command"])
def test_an_escaped_one_is_refused_in_a_known_field_too(kessai, tmp_path, field, card):
    path = tmp_path / "orders.jsonl"
    text = json.dumps({**GOOD, field: card}).replace(card, r"\u0034" + card[1:])
    path.write_text(text, "utf-8")

    result = kessai("run", path, "--db", tmp_path / "never.db")

    assert result.code == 2
    assert f"{field}: " in result.err
    assert "1111" not in result.err


ASKED = ("tx", "do", "order", "authorize", "--lifecycle", "one_time")
SHELL = {
    "transaction": ("tx", "do", "{}", "capture"),
    "command": ("tx", "do", "order", "{}"),
    "key": (*ASKED, "--key", "{}"),
    "lifecycle": ("tx", "do", "order", "authorize", "--lifecycle", "{}"),
    "agreement": ("tx", "do", "order", "reauthorize", "--agreement", "{}"),
    "amount": (*ASKED, "--amount", "{}"),
    "amount with a sign": (*ASKED, "--amount", "+{}"),
    "param": (*ASKED, "--param", "note={}"),
    "param without a name": (*ASKED, "--param", "{}"),
    "param's name": (*ASKED, "--param", "{}=x"),
    "param's name, twice": (*ASKED, "--param", "{}=x", "--param", "{}=x"),
    "frequency": (*ASKED, "--frequency", "{}:1"),
    "frequency's number": (*ASKED, "--frequency", "Month:{}"),
    "one argument too many": (*ASKED, "{}"),
    "an option": (*ASKED, "--{}"),
    "a group": ("{}",),
    "a command": ("tx", "{}"),
    "a file": ("run", "{}"),
    "what to show": ("tx", "show", "{}"),
    "what is possible": ("tx", "can", "{}"),
    "a lifecycle": ("lifecycle", "show", "{}"),
    "a gateway": (*ASKED, "--amount", "1", "--gateway", "{}"),
    "a state": ("tx", "list", "--state", "{}"),
}


@pytest.mark.parametrize("number", ["4111111111111111", "4111-1111-1111-1111"])
@pytest.mark.parametrize("arguments", SHELL.values(), ids=SHELL)
def test_an_argument_with_one_is_not_told_again(kessai, arguments, number):
    db = [] if len(arguments) < 2 or arguments[0] == "lifecycle" else ["--db", "a.db"]
    kessai(*ASKED, "--amount", "1", "--key", "k", "--db", "a.db")

    result = kessai(*(text.format(number) for text in arguments), *db)

    assert result.code == 2 or arguments[-2] == "--state"
    assert "1111" not in result.out + result.err
    assert "Traceback" not in result.err


def test_an_id_that_is_one_is_asked_for_in_vain(shop, card):
    with pytest.raises(UnknownTransaction):
        shop.engine.transaction(card)


def test_the_orders_of_a_shop_all_pass():
    lines = ORDERS.read_text("utf-8").splitlines()
    assert not any(map(has_card_number, lines))


def test_no_key_that_is_a_uuid_is_ever_refused():
    drawn = random.Random(20_260_101)  # noqa: S311 - not for secrets
    for _ in range(20_000):
        made = uuid.UUID(int=drawn.getrandbits(128), version=4)
        assert not has_card_number(str(made))
        assert not has_card_number(made.hex)


def test_few_random_numbers_are_taken_for_cards():
    """One in ten passes Luhn; that it must begin like a card leaves two in a hundred."""
    drawn = random.Random(20_260_102)  # noqa: S311 - not for secrets
    taken = sum(
        has_card_number(f"{drawn.randrange(10**16):016}") for _ in range(20_000)
    )
    assert 0.01 < taken / 20_000 < 0.03


def luhn(digits):
    """The check as it is taught, from the last digit on."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value if value < 10 else value - 9
    return total % 10 == 0


@given(st.from_regex(r"\A4[0-9]{15}\Z", fullmatch=True))
def test_sixteen_digits_of_visa_are_taken_exactly_if_their_check_digit_holds(digits):
    assert has_card_number(digits) == luhn(digits)


@given(st.text(), st.sampled_from(ISSUED), st.text())
def test_whatever_stands_around_it_nothing_of_it_is_shown(before, number, after):
    text = f"{before} {number} {after}"
    assert number not in without_card_numbers(text)


@given(st.text(st.characters(categories=["Nd", "Zs", "Pd"]) | st.sampled_from("4 1-")))
def test_what_is_shown_holds_none_any_more(text):
    assert not has_card_number(without_card_numbers(text))
