"""Presets: the exports of well-known systems, in files of their layouts made up here."""

import pytest

from kessai.audit.log_check import LogReading, preset_called, preset_names
from kessai.audit.log_check.preset import Preset
from kessai.errors import InvalidInput
from kessai.words import LANGUAGES

EXPORTS = "exports"
DAY_FIRST = "%d/%m/%Y %H:%M:%S"


@pytest.fixture
def read_export(check_file, data):
    def run(name, lifecycles="one_time", **reading):
        path = data / EXPORTS / f"{name}.csv"
        return check_file(path, lifecycles, preset=preset_called(name), **reading)

    return run


@pytest.mark.parametrize(
    ("name", "allowed", "left_out", "violation", "bad"),
    [
        ("stripe-balance", 3, 2, "5 refund amount_above_maximum", "command_unknown 8"),
        (
            "shopify-transactions",
            7,
            0,
            "7 refund amount_above_maximum",
            None,
        ),
        (
            "amazon-settlement",
            3,
            1,
            "7 refund amount_above_maximum",
            "command_unknown 9",
        ),
        ("pm4py", 7, 1, "10 capture amount_above_maximum", None),
    ],
)
def test_an_export_is_read_as_it_comes(  # noqa: PLR0917 - a row of the table
    read_export, name, allowed, left_out, violation, bad
):
    checked_log = read_export(name)
    assert checked_log.violations == [violation]
    assert checked_log.bad == ([] if bad is None else [bad])
    assert checked_log.findings.allowed == allowed
    assert checked_log.findings.left_out == left_out
    assert checked_log.findings.left_open == 0


class TestPayPal:
    def test_it_is_read_with_the_order_of_day_and_month_that_is_said(self, read_export):
        checked_log = read_export("paypal", time_format=DAY_FIRST)
        assert checked_log.bad == ["command_unknown 9"]
        assert checked_log.findings.allowed == 5
        assert checked_log.findings.left_out == 1
        assert checked_log.violations == ["6 refund amount_above_maximum"]
        assert checked_log.findings.first.isoformat() == "2026-01-13T17:00:00+00:00"

    def test_the_order_of_day_and_month_is_never_guessed(self, read_export):
        (rows,) = read_export("paypal").findings.most_common_bad()[:1]
        assert rows.example.code == "time_ambiguous_order"
        assert f"'{DAY_FIRST}' with a time" in rows.sentence("en")

    def test_what_is_to_be_typed_is_in_quotes_where_a_shell_needs_them(
        self, read_export
    ):
        checked_log = read_export("paypal", time_format=DAY_FIRST)
        (rows,) = checked_log.findings.most_common_bad()
        assert "--command 'Payment Reversal'=COMMAND" in rows.sentence("en")
        assert "'Payment Reversal'=-" in rows.sentence("ja")

    def test_the_statement_is_read_too(self, check):
        checked_log = check(
            "2026/1/13,09:00:00,America/Los_Angeles,General Payment,JPY,1200,T1,\n"
            "2026/1/14,09:00:00,America/Los_Angeles,Payment Refund,JPY,-200,T2,T1\n",
            header="Date,Time,Time Zone,Description,Currency,Gross,Transaction ID,"
            "Reference Txn ID",
            preset=preset_called("paypal"),
        )
        assert checked_log.findings.holds
        assert checked_log.findings.histories == 1


@pytest.mark.parametrize(
    ("language", "whose"), [("en", "Shopify: "), ("ja", "の取引履歴")]
)
def test_whose_export_it_was_taken_for_is_told(read_export, language, whose):
    first, *_ = read_export("shopify-transactions").checked.notes
    assert first.code == "preset"
    assert whose in first.sentence(language)


def test_what_is_said_goes_before_the_preset(read_export):
    checked_log = read_export("stripe-balance", commands={"dispute": "-"})
    assert checked_log.bad == []
    assert checked_log.findings.left_out == 3
    by_charge = read_export("stripe-balance", columns={"order": "charge_id"})
    assert by_charge.checked.columns.named["order"] == "charge_id"


def test_a_column_that_a_preset_needs_is_named(check):
    header = "balance_transaction_id,created,currency,gross,fee,net,reporting_category"
    with pytest.raises(InvalidInput) as refused:
        check("", header=header, preset=preset_called("stripe-balance"))
    message = str(refused.value)
    assert "--preset stripe-balance: no column payment_intent_id|charge_id" in message
    assert "there are: balance_transaction_id, created" in message


def test_a_header_that_is_never_there_is_reported(check):
    with pytest.raises(InvalidInput, match="no line of the first 50 has Transaction"):
        check("A,B\n" * 60, header="a,b", preset=preset_called("amazon-settlement"))


def test_what_a_lifecycle_does_not_have_is_reported_and_not_refused(read_export):
    checked_log = read_export("shopify-transactions", "charge")
    assert [rows.example.code for rows in checked_log.findings.most_common_bad()] == [
        "command_unknown",
        "command_unknown",
    ]


def test_a_process_mining_log_in_xes_takes_the_preset_too(check_file, tmp_path):
    path = tmp_path / "log.xes"
    event = (
        '<event><string key="concept:name" value="{}"/><float key="amount" value="9.0"/>'
        '<date key="time:timestamp" value="2026-01-05T09:0{}:00Z"/>'
        '<string key="lifecycle:transition" value="{}"/></event>'
    )
    rows = [
        ("authorize", 0, "assign"),
        ("authorize", 1, "start"),
        ("authorize", 2, "complete"),
        ("capture", 3, "pi_abort"),
    ]
    events = "".join(event.format(*row) for row in rows)
    path.write_text(
        f'<log><trace><string key="concept:name" value="A"/>{events}</trace></log>'
    )
    checked_log = check_file(path, "one_time", preset=preset_called("pm4py"))
    assert checked_log.bad == []
    assert (checked_log.findings.allowed, checked_log.findings.left_out) == (3, 1)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_whole_and_has_its_example(name, data):
    preset = preset_called(name)
    assert isinstance(preset, Preset)
    assert all(preset.about.in_language(language) for language in LANGUAGES)
    assert {"order", "command", "time"} <= preset.columns.keys()
    assert (data / EXPORTS / f"{name}.csv").is_file()
    reading = LogReading(preset=preset).with_preset({"refund"})
    assert set(reading.negative) <= {"refund"}


def test_a_preset_that_is_none_is_refused_with_those_that_are(kessai, data):
    log = data / EXPORTS / "pm4py.csv"
    asked = ("audit", "check", log, "--lifecycle", "one_time", "--preset")
    assert "did you mean 'paypal'?" in kessai(*asked, "paypall").err
    assert "known: amazon-settlement, paypal, pm4py" in kessai(*asked, "x").err
    assert kessai(*asked, "pm4py").code == 5


def test_a_refund_may_name_its_order_in_a_column_of_its_own(check):
    checked_log = check(
        "P1,,authorize,2026-01-05,9\nP1,,capture,2026-01-06,9\n"
        "P3,P1,refund,2026-01-07,9\nP4,,refund,2026-01-08,9\n",
        header="id,of,command,time,amount",
        columns={"order": "id", "order:refund": "of"},
    )
    assert checked_log.findings.allowed == 3
    assert checked_log.bad == ["order_missing 5"]
    (rows,) = checked_log.findings.most_common_bad()
    assert rows.sentence("en").startswith("of: empty")
