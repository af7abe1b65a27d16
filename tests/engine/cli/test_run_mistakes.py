"""Files that cannot be carried out: every mistake with its line and column."""

import io
import json
import sys

import pytest

GOOD = {
    "at": "2024-06-01T01:00:00Z",
    "key": "k1",
    "command": "authorize",
    "transaction": "one",
    "lifecycle": "one_time",
    "amount": 1000,
}


def with_fields(**fields):
    members = {**GOOD, **fields}
    return json.dumps({n: v for n, v in members.items() if v is not ...})


def raw(old, new):
    text = json.dumps(GOOD)
    assert old in text
    return text.replace(old, new)


def column(text, part):
    return text.index(part) + 1


CASES = {
    "a text": ("hello", 1, "not JSON"),
    "a list": ("[1]", 1, "an object in braces is right"),
    "a number": ("  12", 3, "an object in braces is right"),
    "cut off": ('{"at": ', 8, "not JSON: expecting value"),
    "two objects": ("{} {}", 4, "not JSON: extra data"),
    "a comma too many": ('{"at":"x",}', 11, "not JSON"),
    "an unknown field": (with_fields(amont=5), '"amont"', "did you mean 'amount'?"),
    "a foreign field": (with_fields(zzz=5), '"zzz"', "known are at, key"),
    "no currency": (
        with_fields(currency="yen"),
        '"yen"',
        "currency: must be a code such as 'JPY'",
    ),
    "a currency of another kind": (
        with_fields(currency=392),
        "392",
        "currency: a number; a text in quotes is right",
    ),
    "a field twice": (
        raw('"key": "k1"', '"key": "k1", "key": "k2"'),
        '"key": "k2"',
        "'key' is given twice",
    ),
    "a missing key": (with_fields(key=...), 1, "the field 'key' is missing"),
    "a missing time": (with_fields(at=...), 1, "the field 'at' is missing"),
    "an amount with a point": (raw("1000", "12.5"), "12.5", "the number 12.5; a whole"),
    "a whole amount with a point": (raw("1000", "12.0"), "12.0", "the number 12.0"),
    "an amount with an exponent": (raw("1000", "1e3"), "1e3", "the number 1e3"),
    "no number": (raw("1000", "NaN"), "NaN", "the number NaN"),
    "an infinite amount": (raw("1000", "-Infinity"), "-Infinity", "the number -Inf"),
    "an amount that is true": (raw("1000", "true"), "true", "amount: true"),
    "an amount in quotes": (raw("1000", '"1000"'), '"1000"', "amount: a text"),
    "an amount that is null": (raw("1000", "null"), "null", "amount: null"),
    "a huge amount": (raw("1000", "1" + "0" * 15), "1000", "a whole number"),
    "an amount of 5000 digits": (raw("1000", "9" * 5000), "9999", "the number 999"),
    "a transaction that is a number": (
        raw('"one"', "17"),
        "17",
        "transaction: a number; a text in quotes is right",
    ),
    "an empty transaction": (raw('"one"', '""'), '""', "transaction: must be a text"),
    "half a character": (raw('"one"', r'"\ud800"'), r'"\ud800"', "transaction: must"),
    "a time without a zone": (
        with_fields(at="2024-06-01T01:00:00"),
        '"2024',
        "at: not a time",
    ),
    "a date alone": (with_fields(at="2024-06-01"), '"2024', "at: not a time"),
    "a day that is not": (
        with_fields(at="2023-02-29T00:00:00Z"),
        '"2023',
        "not a time",
    ),
    "a time beyond time": (
        with_fields(at="0001-01-01T00:00:00+09:00"),
        '"0001',
        "not a time",
    ),
    "an unknown command": (
        with_fields(command="fly"),
        '"fly"',
        "command: 'fly' is not known; known are: authorize",
    ),
    "an unknown lifecycle": (
        with_fields(lifecycle="weekly"),
        '"weekly"',
        "lifecycle: 'weekly' is not known",
    ),
    "no lifecycle to begin": (
        with_fields(lifecycle=...),
        1,
        "lifecycle: authorize needs one of",
    ),
    "a frequency in words": (
        with_fields(frequency="monthly"),
        '"monthly"',
        "frequency",
    ),
    "a frequency with more": (
        with_fields(frequency={"unit": "Month", "value": 1, "day": 3}),
        '"day"',
        "frequency: unknown field 'day'",
    ),
    "a frequency of one and a half": (
        with_fields(frequency={"unit": "Month", "value": 1.5}),
        "1.5",
        "the number 1.5",
    ),
    "parameters in a list": (with_fields(parameters=[1]), "[1]", "parameters: a list"),
    "a parameter that is a number": (
        with_fields(parameters={"note": 5}),
        "5}",
        "'note': a number; a text in quotes",
    ),
    "a frequency twice": (
        with_fields(
            frequency={"unit": "Day", "value": 1},
            parameters={"frequency": {"unit": "Day", "value": 2}},
        ),
        '"frequency": {"unit": "Day", "value": 2',
        "given twice",
    ),
    "a parameter twice": (
        with_fields(parameters={"note": "x"}).replace(
            '"note": "x"', '"note": "x", "note": "y"'
        ),
        '"note": "y"',
        "'note' is given twice",
    ),
}


@pytest.mark.parametrize(("text", "place", "what"), CASES.values(), ids=CASES)
def test_a_wrong_line_is_reported_with_its_column_and_what_would_be_right(
    kessai, tmp_path, text, place, what
):
    path = tmp_path / "wrong.jsonl"
    path.write_text(f"{json.dumps({**GOOD, 'key': 'k0'})}\n\n{text}\n", "utf-8")
    where = place if isinstance(place, int) else column(text, place)
    store = tmp_path / "never.db"

    result = kessai("run", path, "--db", store)

    assert result.code == 2
    assert result.err.startswith(f"{path}:3:{where}: ")
    assert what in result.err
    assert result.out == ""
    assert not store.exists(), "nothing is begun for a file with a mistake"


def test_columns_count_characters_not_bytes_and_not_the_byte_order_mark(
    kessai, tmp_path
):
    path = tmp_path / "wrong.jsonl"
    text = '{"key":"注文番号","amount":1.5}'
    path.write_text("\ufeff" + text, "utf-8")

    result = kessai("run", path, "--db", "memory:")

    where = column(text, "1.5")
    assert f":1:{where}: amount" in result.err


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(kessai, few):
    text = few.read_text("utf-8").replace("\n", "\r\n")
    few.write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert kessai("run", few, "--db", "memory:").code == 0


def test_bytes_that_are_not_utf8_are_reported_in_their_place(kessai, tmp_path):
    path = tmp_path / "wrong.jsonl"
    path.write_bytes('{"key":"注文'.encode() + "番".encode("shift_jis") + b'"}\n')

    result = kessai("run", path, "--db", "memory:")

    assert f"{path}:1:11: not UTF-8" in result.err


def test_a_line_without_end_is_refused_and_the_next_is_still_read(kessai, tmp_path):
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"key":"' + "x" * 2_500_000 + '"}\n{"at":1}\n', "utf-8")

    result = kessai("run", path, "--db", "memory:")

    assert f"{path}:1:1000001: longer than 1,000,000 bytes" in result.err
    assert f"{path}:2:7: at: a number" in result.err


def test_a_line_of_brackets_is_refused_and_does_not_break_the_reader(kessai, tmp_path):
    path = tmp_path / "wrong.jsonl"
    path.write_text("[" * 500_000 + "\n", "utf-8")

    result = kessai("run", path, "--db", "memory:")

    assert result.code == 2
    assert f"{path}:1:" in result.err


def test_all_mistakes_of_a_file_are_listed_twenty_at_once_and_the_rest_counted(
    kessai, tmp_path
):
    path = tmp_path / "wrong.jsonl"
    path.write_text("nonsense\n" * 45, "utf-8")

    result = kessai("run", path, "--db", "memory:")

    assert len(result.err.splitlines()) == 21
    assert result.err.splitlines()[-1] == f"{path}: and 25 more mistakes"


def test_a_line_lists_all_that_is_wrong_with_it(kessai, tmp_path):
    path = tmp_path / "wrong.jsonl"
    path.write_text(with_fields(amount="7", at="noon", colour="red"), "utf-8")

    result = kessai("run", path, "--db", "memory:")

    columns = [int(line.split(":")[2]) for line in result.err.splitlines()]
    assert len(columns) == 3
    assert columns == sorted(columns)


def test_a_file_without_commands_makes_no_store(kessai, tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text("\n\n", "utf-8")

    assert kessai("run", path, "--lang", "en").out == "There is no command in it.\n"
    assert kessai("run", path, "--json").json["commands"] == 0
    assert not (tmp_path / "kessai.db").exists()


def test_time_may_stand_still_but_not_run_backwards(kessai, tmp_path):
    path = tmp_path / "wrong.jsonl"
    earlier = with_fields(key="k3", transaction="three", at="2024-06-01T00:59:59Z")
    same = with_fields(key="k2", transaction="two", at="2024-06-01T10:00:00+09:00")
    path.write_text(f"{json.dumps(GOOD)}\n{same}\n{earlier}\n", "utf-8")

    result = kessai("run", path, "--db", "memory:")

    (message,) = result.err.splitlines()
    where = column(earlier, '"2024')
    assert message.startswith(f"{path}:3:{where}: at: earlier than")
    assert "line 2 (2024-06-01T01:00:00Z)" in message


def test_one_key_for_two_requests_is_a_mistake_and_for_the_same_one_is_none(
    kessai, tmp_path
):
    path = tmp_path / "twice.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n", "utf-8")
    assert kessai("run", path, "--db", "memory:").code == 0

    other = with_fields(amount=1001)
    path.write_text(f"{json.dumps(GOOD)}\n{other}\n", "utf-8")
    result = kessai("run", path, "--db", "memory:")

    assert result.code == 2
    where = column(other, '"k1"')
    assert f"{path}:2:{where}: key: 'k1' was used in line 1" in result.err


def test_standard_input_is_checked_whole_before_anything_is_sent(
    kessai, few, few_expected, monkeypatch
):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(few.read_bytes())))

    result = kessai("run", "-", "--db", "memory:", "--json")

    data = result.json
    del data["seconds"]
    assert data == few_expected


def test_a_mistake_on_standard_input_names_it(kessai, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}x")))

    result = kessai("run", "-", "--db", "memory:")

    assert result.code == 2
    assert result.err.startswith("standard input:1:3: not JSON")


def test_a_file_that_is_not_there_is_a_usage_error(kessai, tmp_path):
    assert kessai("run", tmp_path / "nowhere.jsonl").code == 2
