"""Whatever is in a file, a check ends with findings or with one clear refusal."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kessai import load_shipped
from kessai.audit.log_check import Layout, LogReading, check_log
from kessai.audit.log_check.amounts import Amounts
from kessai.audit.log_check.times import Times
from kessai.audit.log_check.words import BadValue
from kessai.errors import InvalidInput
from kessai.money import AMOUNT_LIMIT, Currency

YEN = Currency("JPY", 0)

HEADER = b"order,command,time,amount,outcome,with_capture\n"
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "A",
            "B",
            "authorize",
            "capture",
            "refund",
            "expire",
            "2026-01-05",
            "100",
            "ok",
        ]
    ),
)
ROWS = st.lists(st.lists(CELLS, max_size=7).map(",".join), max_size=8).map("\n".join)
IN_A_FOLDER = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def is_checked(path, content, **reading):
    path.write_bytes(content)
    try:
        checked = check_log(
            str(path), [load_shipped("one_time")], LogReading(**reading)
        )
    except InvalidInput:
        return
    for rows in checked.findings.most_common_bad():
        assert rows.sentence("en")
        assert rows.sentence("ja")
    for group in checked.findings.most_common():
        assert group.example.denial.sentences("ja")
    for note in checked.notes:
        assert note.sentence("en")
        assert note.sentence("ja")


@IN_A_FOLDER
@given(content=st.binary(max_size=300))
def test_any_bytes(tmp_path, content):
    is_checked(tmp_path / "log", content)
    is_checked(tmp_path / "log", HEADER + content)
    is_checked(tmp_path / "log", b"\xff\xfe" + content)
    for encoding in ("cp932", "utf-16", "euc-jp", "iso2022_jp", "utf-7"):
        is_checked(tmp_path / "log", HEADER + content, encoding=encoding)


@IN_A_FOLDER
@given(content=ROWS)
def test_any_cells(tmp_path, content):
    is_checked(tmp_path / "log", HEADER + content.encode("utf-8", "replace"))


@IN_A_FOLDER
@given(
    values=st.lists(
        st.dictionaries(
            st.sampled_from(["order", "command", "time", "amount", "x"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
                lambda inner: st.lists(inner, max_size=2),
                max_leaves=3,
            ),
        ),
        max_size=5,
    )
)
def test_any_json(tmp_path, values):
    import json

    lines = "\n".join(json.dumps(value) for value in values)
    layout = Layout(form="jsonl")
    columns = {"order": "order", "command": "command", "time": "time"}
    path = tmp_path / "log"
    is_checked(path, lines.encode(), layout=layout, columns=columns)


@given(text=st.text(max_size=24))
def test_any_text_is_a_time_or_refused(text):
    try:
        at, *_ = Times(None).read(text)
    except BadValue as wrong:
        wrong.in_column("c").sentence("ja")
    else:
        assert at.utcoffset() is not None


@given(
    zone=st.text(max_size=12)
    | st.text(alphabet="+-0123456789:", max_size=6)
    | st.sampled_from(["Asia", "..", "EST", "Asia/Tokyo", "\0", "a" * 300]),
    day=st.dates(),
)
def test_any_text_is_a_zone_or_refused(zone, day):
    times = Times(ZoneInfo("America/New_York"))
    for text in (f"{day}", f"{day} 01:30"):
        for asked in ((text, zone), (f"{text} {zone}", "")):
            try:
                at, _, span = times.read(*asked)
            except BadValue as wrong:
                wrong.in_column("c").sentence("en")
            else:
                assert span is None or at < span.until


@given(text=st.text(alphabet="0123456789,.-¥円()▲１ \\", max_size=20))
def test_any_text_is_an_amount_or_refused(text):
    try:
        amount = Amounts(YEN, in_major_units=False).read(text, "refund")
    except BadValue as wrong:
        wrong.in_column("c").sentence("ja")
    else:
        assert amount is None or 0 <= amount < AMOUNT_LIMIT


@given(amount=st.integers(0, AMOUNT_LIMIT - 1))
def test_an_amount_written_with_separators_is_itself(amount):
    yen = Amounts(YEN, in_major_units=False)
    assert yen.read(f"¥{amount:,}", "capture") == amount
    whole, cents = divmod(amount, 100)
    dollars = Amounts(Currency("USD", 2), in_major_units=True)
    assert dollars.read(f"{whole:,}.{cents:02d}", "capture") == amount


@pytest.mark.parametrize("code", ["time_unknown", "amount_decimals"])
def test_the_words_of_a_refusal_are_there(code):
    values = {"value": "x", "currency": "JPY", "column": "c"}
    assert BadValue(code, **values).sentence("en")
