"""A log in several currencies: each row's own counts, and a payment stays in its own."""

from pathlib import Path

import pytest

from kessai.audit.log_check import LogReading, check_log
from kessai.errors import InvalidInput
from kessai.spec import load_file

WALLET = load_file(Path(__file__).parent.parent / "prove" / "wallet.toml")
HEADER = "order,command,time,amount,currency"


@pytest.fixture
def check(tmp_path):
    def check(*rows, header=HEADER, unit="major"):
        path = tmp_path / "log.csv"
        path.write_text("\n".join((header, *rows)) + "\n")
        return check_log(str(path), [WALLET], LogReading(unit=unit)).findings

    return check


def codes(findings):
    return [found.denial.codes for found in findings.in_file_order()]


def test_amounts_are_read_and_judged_in_the_currency_of_their_row(check):
    found = check(
        "A,authorize,2026-01-05T09:00Z,10000.00,USD",
        "A,capture,2026-01-06T09:00Z,10000.00,USD",
        "B,authorize,2026-01-05T09:00Z,10000,JPY",
        "B,capture,2026-01-06T09:00Z,10000,JPY",
        "C,authorize,2026-01-05T09:00Z,10000.01,USD",
        "D,authorize,2026-01-05T09:00Z,3000.001,KWD",
    )
    assert found.allowed == 4
    assert codes(found) == [("amount_above_maximum",), ("amount_above_maximum",)]
    first, second = found.in_file_order()
    assert "10,000.01 USD" in str(first.denial)
    assert "3,000.001 KWD" in str(second.denial)


def test_a_payment_that_goes_on_in_another_currency_is_a_violation(check):
    found = check(
        "A,authorize,2026-01-05T09:00Z,100.00,USD",
        "A,capture,2026-01-06T09:00Z,100,JPY",
        "B,authorize,2026-01-05T09:00Z,100.00,USD",
        "B,capture,2026-01-06T09:00Z,100.00,USD",
    )
    assert codes(found) == [("currency_not_taken",)]


def test_rows_of_no_or_of_another_currency_cannot_be_read(check):
    found = check(
        "A,authorize,2026-01-05T09:00Z,100.00,USD",
        "B,authorize,2026-01-05T09:00Z,100.00,",
        "C,authorize,2026-01-05T09:00Z,100.00,EUR",
    )
    sentences = sorted(rows.sentence("en") for rows in found.most_common_bad())
    assert sentences == [
        "currency: EUR; the lifecycle is in JPY, KWD, USD",
        "currency: no currency; one of JPY, KWD, USD is needed",
    ]


def test_a_log_without_a_column_for_the_currency_is_refused(check):
    with pytest.raises(InvalidInput, match="no column shows which of JPY, KWD, USD"):
        check("A,authorize,2026-01-05T09:00Z,1", header="order,command,time,amount")


def test_the_unit_must_be_said_where_one_currency_has_minor_digits(check):
    with pytest.raises(InvalidInput, match="1234 may be minor units of KWD or KWD"):
        check("A,authorize,2026-01-05T09:00Z,100,JPY", unit=None)
