"""`kessai audit check` at a terminal: what it prints, in which words, with which code."""

import io
import sys

import pytest

HEADER = "order,command,time,amount\n"
SALE = "A-1,authorize,2026-01-05 09:05,1000\nA-1,capture,2026-01-06 10:00,600\n"
WRONG = "A-1,refund,2026-01-07 11:00,601\n"


@pytest.fixture
def log(tmp_path):
    def write(text, name="log.csv"):
        path = tmp_path / name
        path.write_text(HEADER + text, "utf-8")
        return path

    return write


def check(kessai, path, *options):
    return kessai("audit", "check", path, "--lifecycle", "one_time", *options)


def test_a_log_by_the_rules_ends_with_0(kessai, log):
    result = check(kessai, log(SALE), "--lang", "en")
    assert result.code == 0
    assert "✓ Every step was allowed: histories 1, events 2." in result.out
    assert "Times without an offset are taken as UTC" in result.out
    assert result.err == ""


def test_a_violation_ends_with_5_and_says_what_and_why(kessai, log):
    result = check(kessai, log(SALE + WRONG), "--lang", "en")
    assert result.code == 5
    assert "✗ Not allowed: 1 of 3 events, in 1 of 1 histories; 66.6 %" in result.out
    assert "1 × refund, when payment is captured" in result.out
    assert "The amount 601 JPY is above the largest possible, 600 JPY." in result.out
    assert "[amount_above_maximum, O4]" in result.out
    assert "Would have passed: 1 JPY to 600 JPY." in result.out
    assert "For instance A-1, line 4, 2026-01-07 11:00:00Z" in result.out


def test_the_same_in_japanese_and_in_the_shops_own_zone(kessai, log):
    path = log(SALE + WRONG)
    result = check(
        kessai, path, "--lang", "ja", "--timezone", "Asia/Tokyo", "--details"
    )
    assert result.code == 5
    assert "1 × 返金（決済が売上済）" in result.out
    assert "金額 601 JPY は上限 600 JPY を超えています。" in result.out
    assert "例: A-1、4 行目、2026-01-07 11:00:00+09:00" in result.out
    assert "違反（ファイルの順）" in result.out


def test_rows_that_cannot_be_read_end_with_2_and_violations_go_before(kessai, log):
    bad = "B-1,authorize,whenever,9\nC-1,ship,2026-01-05,9\n"
    result = check(kessai, log(SALE + bad), "--lang", "en")
    assert result.code == 2
    assert "! Every step that could be read was allowed" in result.out
    assert "Rows that could not be read: 2" in result.out
    assert "time: whenever is no time known here" in result.out
    assert "(line 4)" in result.out
    assert "--command ship=COMMAND" in result.out
    assert check(kessai, log(SALE + bad + WRONG)).code == 5


def test_json_has_it_all(kessai, log):
    result = check(kessai, log(SALE + WRONG + "B,x,2026-01-05,9\n"), "--json")
    assert result.code == 5
    found = result.json
    assert found["holds"] is False
    assert found["events"]["count"] == 3
    (violation,) = found["violations"]
    assert violation["bounds"] == {"minimum": 1, "maximum": 600, "default": 600}
    assert violation["reasons"][0]["rule"] == "O4"
    assert (violation["line"], violation["order"]) == (4, "A-1")
    assert violation["at"] == "2026-01-07T11:00:00Z"
    assert found["bad_rows"]["kinds"][0]["lines"] == [5]
    assert found["read"]["columns"]["order"] == "order"
    assert found["details"][0]["line"] == 4


def test_what_was_left_out_or_may_only_follow_is_counted(kessai, log):
    rows = (
        "A,authorize,2026-01-05 9:00,20000000\nA,capture,2026-01-05 9:01,500\n"
        "B,authorize,2026-01-05,5\nB,mail,2026-01-06,\n"
        "C,authorize,when,5\nC,capture,2026-01-05,5\n"
    )
    result = check(
        kessai, log(rows), "--command", "mail=-", "--lang", "en", "--details"
    )
    assert result.code == 5
    out = " ".join(result.out.split())
    assert "so perhaps only following from it: 1." in out
    assert "so perhaps no fault: 1." in out
    assert "Rows left out, as requested or because they name no order: 1." in out
    assert "(after another)" in result.out
    assert "(perhaps)" in result.out


def test_a_sheet_from_a_japanese_office(kessai, data):
    """Headers in Japanese, CP932, yen signs, dates as spreadsheets write them."""
    sheet = data / "sales-cp932.csv"
    result = check(kessai, sheet, "--timezone", "Asia/Tokyo", "--lang", "ja")
    assert result.code == 5
    assert "文字コード: CP932。" in result.out
    found = check(kessai, sheet, "--timezone", "Asia/Tokyo", "--json").json
    assert found["bad_rows"]["count"] == 1
    assert [
        (v["count"], v["command"], v["reasons"][0]["code"]) for v in found["violations"]
    ] == [
        (2, "refund", "amount_above_maximum"),  # beyond what was captured in part
        (1, "refund", "amount_above_maximum"),  # beyond what was left
        (1, "capture", "authorization_expired"),
        (1, "capture", "state_not_allowed"),
    ]


def test_a_log_may_come_by_a_pipe(kessai, monkeypatch):
    text = (HEADER + SALE).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert check(kessai, "-").code == 0


def test_a_lifecycle_of_ones_own_in_dollars_asks_for_the_unit(kessai, log, tmp_path):
    from kessai.spec.load import _open_shipped

    own = tmp_path / "own.toml"
    text = _open_shipped("one_time.toml").decode().replace("{ JPY = 0 }", '["USD"]')
    own.write_text(text, "utf-8")
    path = log(SALE.replace("1000", "10.00").replace("600", "6"))
    arguments = ("audit", "check", path, "--lifecycle", own)
    refused = kessai(*arguments)
    assert refused.code == 2
    assert "say --unit minor, or --unit major for 12.34" in refused.err
    assert kessai(*arguments, "--unit", "major").code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--map", "order"), "NAME=VALUE is right"),
        (("--map", "order=order", "--map", "order=x"), "given twice"),
        (("--map", "amout=x"), "did you mean 'amount'?"),
        (("--map", "order=nr"), "there are: order, command, time, amount"),
        (("--command", "sale=captur"), "did you mean 'capture'?"),
        (("--command", "sale=capture+with_capture"), "it takes none"),
        (("--command", "sale=capture:maybe"), "maybe is no outcome"),
        (("--outcome", "ok=fine"), "fine is no outcome"),
        (("--timezone", "Mars/Olympus"), "such as Asia/Tokyo"),
        (("--timezone", "../etc"), "such as Asia/Tokyo"),
        (("--timezone", "+24:00"), "such as Asia/Tokyo"),
        (("--encoding", "klingon"), "utf-8 and cp932 are"),
        (("--encoding", "zip"), "utf-8 and cp932 are"),
        (("--delimiter", "ab"), "one character is right"),
        (("--negative", "pay"), "no such command"),
        (("--lifecycle", "two_time"), "shipped are"),
    ],
)
def test_what_is_given_wrongly_is_answered_with_what_would_be_right(
    kessai, log, options, message
):
    result = check(kessai, log(SALE), *options)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_what_cannot_be_read_at_all_ends_with_2(kessai, log, tmp_path):
    assert check(kessai, tmp_path / "none.csv").code == 2
    assert check(kessai, tmp_path).code == 2
    assert "no rows" in check(kessai, log("")).err
    noise = tmp_path / "noise.bin"
    noise.write_bytes(bytes(range(256)) * 40)
    assert check(kessai, noise).code == 2


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_stays_readable(kessai, log, monkeypatch, language, columns):
    from kessai.cli.terminal.columns import width_of

    monkeypatch.setenv("COLUMNS", str(columns))
    bad = "B-1,authorize,whenever,9\n"
    path = log(SALE + WRONG + bad)
    result = check(kessai, path, "--lang", language, "--details")
    too_wide = [n for n in result.out.splitlines() if width_of(n) > columns]
    assert [line for line in too_wide if " " in line.strip()] == []


def test_a_deadline_in_a_sentence_is_in_the_zone_of_all_else(kessai, tmp_path):
    path = tmp_path / "late.csv"
    path.write_text(
        "order,command,time,amount\n"
        "A-1,authorize,2026-01-01T12:00:00,100\n"
        "A-1,capture,2026-03-01T12:00:00,100\n"
    )
    late = check(kessai, path, "--timezone", "Asia/Tokyo", "--lang", "en")
    assert late.code == 5
    assert "2026-01-31 12:00:00+09:00" in late.out
    assert "T03:00:00Z" not in late.out
