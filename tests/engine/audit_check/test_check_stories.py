"""Logs of other systems: which steps were allowed, which were not, and why."""

from pathlib import Path

import pytest

import kessai_specs
from kessai.audit.log_check import check_log
from kessai.errors import InvalidInput
from kessai.spec import load_file

SALE = """\
A-1,authorize,2026-01-05 09:05,1000
A-1,capture,2026-01-06 10:00,600
A-1,refund,2026-01-07 11:00,600
"""


def test_a_sale_by_the_rules_is_allowed(check):
    checked_log = check(SALE)
    assert checked_log.findings.holds
    assert (checked_log.findings.histories, checked_log.findings.allowed) == (1, 3)
    assert (checked_log.findings.first.day, checked_log.findings.last.day) == (5, 7)


def test_a_refund_beyond_the_capture_is_reported_with_what_would_have_passed(check):
    checked_log = check(SALE + "A-1,refund,2026-01-08 11:00,1\n")
    assert checked_log.violations == ["5 refund state_not_allowed amount_above_maximum"]
    checked_log = check(SALE.replace("11:00,600", "11:00,601"))
    assert checked_log.violations == ["4 refund amount_above_maximum"]
    (group,) = checked_log.findings.most_common()
    violation = group.example
    assert (violation.bounds.minimum, violation.bounds.maximum) == (1, 600)
    assert violation.states == "payment.captured"
    assert violation.denial.reasons[0].rule == "O4"
    assert "601 JPY" in violation.denial.sentences("en")[0]
    assert "上限 600 JPY" in violation.denial.sentences("ja")[0]


def test_the_most_common_violations_come_first(check):
    rows = [f"B-{n},capture,2026-01-05,1" for n in range(3)]
    rows += [f"C-{n},authorize,2026-01-05,0" for n in range(2)]
    rows += ["D-1,authorize,2026-01-05,99999999"]
    checked_log = check("\n".join(rows))
    assert [
        (group.count, group.example.command, group.example.line)
        for group in checked_log.findings.most_common()
    ] == [(3, "capture", 2), (2, "authorize", 5), (1, "authorize", 7)]


def test_rows_may_stand_in_any_order_and_histories_between_each_other(check):
    lines = SALE.splitlines()
    other = [line.replace("A-1", "B-1") for line in lines]
    mixed = [lines[2], other[0], lines[0], other[2], lines[1], other[1]]
    assert check("\n".join(mixed)).findings.holds
    checked_log = check("\n".join(mixed), order="file")
    assert not checked_log.findings.holds


def test_rows_of_one_time_keep_the_order_of_the_file(check):
    rows = "A,authorize,2026-01-05,9\nA,capture,2026-01-05,9\nA,refund,2026-01-05,9"
    assert check(rows).findings.holds
    backwards = "\n".join(reversed(rows.splitlines()))
    assert len(check(backwards).violations) == 2


def test_one_early_mistake_does_not_flood_what_is_most_common(check):
    checked_log = check(
        "A,authorize,2026-01-05 9:00,20000000\n"
        "A,capture,2026-01-05 9:01,500\n"
        "A,refund,2026-01-05 9:02,500\n"
    )
    assert checked_log.violations == [
        "2 authorize amount_above_maximum",
        "3 capture unknown_transaction",
        "4 refund unknown_transaction",
    ]
    assert [group.count for group in checked_log.findings.most_common()] == [1]
    assert (checked_log.findings.violations, checked_log.findings.after) == (1, 2)
    assert not checked_log.findings.holds


def test_a_step_that_was_not_allowed_changes_nothing(check):
    checked_log = check(
        SALE.replace("11:00,600", "11:00,700") + "A-1,refund,2026-02-01,600\n"
    )
    assert checked_log.violations == ["4 refund amount_above_maximum"]
    assert checked_log.findings.allowed == 3


def test_a_capture_after_thirty_days_is_too_late(check):
    rows = "A,authorize,2026-01-05 09:05,9\nA,capture,2026-02-04 09:{},9\n"
    assert check(rows.format("04")).findings.holds
    checked_log = check(rows.format("05"))
    assert checked_log.violations == ["3 capture authorization_expired"]


def test_what_is_too_late_for_one_order_is_not_for_another(check):
    rows = "".join(
        f"{order},authorize,2026-01-05 09:05,9\n{order},capture,{captured},9\n"
        for order, captured in (
            ("A", "2026-01-06"),
            ("B", "2026-02-04 09:05"),
            ("C", "2026-01-07 08:00"),
            ("D", "2026-02-04 09:04"),
        )
    )
    assert check(rows).violations == ["5 capture authorization_expired"]


def test_an_update_lets_the_thirty_days_begin_anew(check):
    assert check(
        "A,authorize,2026-01-05 09:05,9\n"
        "A,update_authorization,2026-01-30 09:00,8\n"
        "A,capture,2026-02-20 09:00,8\n"
    ).findings.holds


def test_an_expiry_is_allowed_when_the_deadline_has_passed(check):
    rows = "A,authorize,2026-01-05 09:05,9\nA,expire,{},\nA,capture,2026-04-01,9\n"
    checked_log = check(rows.format("2026-02-04 09:05"))
    assert checked_log.violations == ["4 capture state_not_allowed"]
    checked_log = check(rows.format("2026-02-04 09:04"))
    assert checked_log.violations[0] == "3 expire deadline_not_passed"
    sentence = checked_log.findings.most_common()[0].example.denial.sentences("en")[0]
    assert "2026-02-04T09:05:00Z" in sentence


def test_nothing_expires_that_was_captured_or_never_was(check):
    checked_log = check(SALE + "A-1,expired,2026-03-01,\nB,失効,2026-03-01,\n")
    assert checked_log.violations == [
        "5 expire state_not_allowed",
        "6 expire unknown_transaction",
    ]
    denial = checked_log.findings.most_common()[0].example.denial
    assert "expire is possible when payment is authorized" in denial.sentences("en")[0]
    assert "期限切れ" in denial.sentences("ja")[0]


def test_a_date_without_a_time_is_late_only_if_all_of_the_day_is(check):
    rows = "A,authorize,2026-01-05,9\nA,capture,{},9\n"
    checked_log = check(rows.format("2026-02-04"))
    assert checked_log.findings.holds
    assert "whole_days" in checked_log.notes
    late = check(rows.format("2026-02-05"))
    assert late.violations == ["3 capture authorization_expired"]
    assert check("A,authorize,2026-01-05,9\nA,expire,2026-02-04,\n").findings.holds


def test_a_history_that_begins_midway_is_reported_as_such(check):
    checked_log = check("A,capture,2026-01-05,9\nA,refund,2026-01-06,9\n")
    assert checked_log.violations[0] == "2 capture unknown_transaction"
    assert checked_log.findings.histories_midway == 1
    assert "begins_midway" in checked_log.notes


def test_amounts_on_what_is_always_for_the_whole_are_not_judged(check):
    checked_log = check("A,authorize,2026-01-05,9\nA,cancel,2026-01-06,9\n")
    assert checked_log.findings.holds
    assert "amounts_ignored" in checked_log.notes


class TestOutcomes:
    HEADER = "order,command,time,amount,result"

    def check(self, check, text, **reading):
        return check(text, header=self.HEADER, **reading)

    def test_what_was_declined_moved_nothing(self, check):
        checked_log = self.check(
            check,
            "A,authorize,2026-01-01 01:00,9,成功\n"
            "A,capture,2026-01-01 02:00,9,失敗\n"
            "A,capture,2026-01-01 03:00,9,成功\n",
        )
        assert checked_log.findings.holds
        assert checked_log.findings.allowed == 3

    def test_what_was_pending_is_ended_by_a_later_row(self, check):
        checked_log = self.check(
            check,
            "A,authorize,2026-01-01 01:00,9,ok\n"
            "A,capture,2026-01-01 02:00,9,ok\n"
            "A,refund,2026-01-01 03:00,4,pending\n"
            "A,refund,2026-01-01 04:00,4,ok\n"
            "A,refund,2026-01-01 05:00,5,ok\n",
        )
        assert checked_log.findings.holds
        assert checked_log.findings.left_open == 0

    def test_what_is_pending_holds_its_amount_back(self, check):
        checked_log = self.check(
            check,
            "A,authorize,2026-01-01 01:00,100,ok\n"
            "A,capture,2026-01-01 02:00,100,ok\n"
            "A,refund,2026-01-01 03:00,60,pending\n"
            "A,refund,2026-01-01 04:00,61,ok\n",
        )
        assert checked_log.violations == ["5 refund amount_above_maximum"]
        assert checked_log.findings.left_open == 1

    def test_nothing_else_is_begun_while_a_capture_is_unknown(self, check):
        checked_log = self.check(
            check,
            "A,authorize,2026-01-01 01:00,100,ok\n"
            "A,capture,2026-01-01 02:00,100,timeout\n"
            "A,cancel,2026-01-01 03:00,,ok\n"
            "A,expire,2026-03-01 03:00,,ok\n",
        )
        assert checked_log.violations == [
            "4 cancel operation_open",
            "5 expire operation_open",
        ]

    def test_an_opening_that_stays_pending_is_approved_with_its_own_amount(self, check):
        rows = "A,authorize,2026-01-01 01:00,100,pending\nA,authorize,2026-01-01 02:00,{},ok"
        assert self.check(check, rows.format(100)).findings.holds
        checked_log = self.check(check, rows.format(99))
        assert checked_log.violations == ["3 authorize transaction_exists"]

    def test_a_refusal_of_the_systems_own_is_no_violation(self, check):
        checked_log = self.check(
            check,
            "A,authorize,2026-01-01 01:00,100,ok\n"
            "A,refund,2026-01-01 02:00,100,denied\n"
            "A,capture,2026-01-01 03:00,100,denied\n"
            "B,capture,2026-01-01 03:00,100,denied\n",
        )
        assert checked_log.findings.holds
        assert checked_log.findings.refused == 3
        assert checked_log.findings.refused_though_allowed == 1

    def test_what_the_gateway_declined_too_is_no_violation(self, check):
        checked_log = self.check(
            check,
            "A,authorize,2026-01-01 01:00,100,ok\n"
            "A,refund,2026-01-01 02:00,100,declined\n"
            "B,refund,2026-01-01 02:00,100,declined\n",
        )
        assert checked_log.findings.holds
        assert checked_log.findings.declined_anyway == 2

    def test_an_outcome_may_be_said_of_the_command_itself(self, check):
        checked_log = check(
            "A,authorize,2026-01-01 01:00,9\n"
            "A,capture_failed,2026-01-01 02:00,9\n"
            "A,sale,2026-01-01 03:00,9\n"
            "B,sale,2026-01-01 03:00,9\n"
            "B,refund,2026-01-01 04:00,9\n"
            "B,shipped,2026-01-01 04:00,\n",
            commands={
                "capture_failed": "capture:declined",
                "sale": "authorize+with_capture",
                "shipped": "-",
            },
        )
        assert checked_log.violations == ["4 authorize transaction_exists"]
        assert checked_log.findings.left_out == 1

    def test_the_same_operation_logged_again_is_one(self, check):
        rows = (
            "A,authorize,2026-01-01 01:00,100,ok,1\n"
            "A,capture,2026-01-01 02:00,100,ok,2\n"
            "A,refund,2026-01-01 03:00,60,ok,3\n"
            "A,refund,2026-01-01 03:00,60,ok,3\n"
        )
        checked_log = check(rows, header=self.HEADER + ",operation id")
        assert checked_log.findings.holds
        assert checked_log.findings.repeated == 1
        assert not check(rows, header=self.HEADER + ",note").findings.holds

    def test_what_an_empty_outcome_means_can_be_said(self, check):
        rows = (
            "A,authorize,2026-01-01 01:00,100,ok\n"
            "A,capture,2026-01-01 02:00,100,\n"
            "A,refund,2026-01-01 03:00,60,ok\n"
        )
        assert self.check(check, rows).findings.holds
        checked_log = self.check(check, rows, outcomes={"": "denied"})
        assert checked_log.violations[0].startswith("4 refund state_not_allowed")

    def test_an_operation_ends_with_the_amount_that_it_began_with(self, check):
        checked_log = check(
            "A,authorize,2026-01-01 01:00,100,pending,1\n"
            "A,authorize,2026-01-01 02:00,99,ok,1\n"
            "A,authorize,2026-01-01 03:00,100,declined,1\n"
            "A,authorize,2026-01-01 04:00,100,ok,2\n",
            header=self.HEADER + ",operation id",
        )
        assert checked_log.violations == [
            "3 authorize amount_differs",
            "5 authorize transaction_exists",
        ]
        denial = checked_log.findings.most_common()[0].example.denial
        assert "not the one that the operation" in denial.sentences("en")[0]

    def test_operation_ids_tell_two_refunds_of_one_amount_apart(self, check):
        rows = (
            "A,authorize,2026-01-01 01:00,100,ok,1\n"
            "A,capture,2026-01-01 02:00,100,ok,2\n"
            "A,refund,2026-01-01 03:00,50,pending,3\n"
            "A,refund,2026-01-01 04:00,50,ok,4\n"
        )
        checked_log = check(rows, header=self.HEADER + ",request_id")
        assert checked_log.findings.left_open == 1
        assert checked_log.findings.holds
        assert check(rows, header=self.HEADER + ",note").findings.left_open == 0


class TestAgreements:
    HEADER = "order,command,time,amount,lifecycle,agreement"
    ALL = "one_time recurring charge"
    CONSENT = "S,authorize,2026-01-01 01:00,500,recurring,\n"

    def check(self, check, text):
        return check(text, self.ALL, header=self.HEADER)

    def test_a_charge_is_judged_by_how_its_agreement_stood(self, check):
        charge = "C{0},reauthorize,2026-01-0{0} 01:00,300,,S\n"
        checked_log = self.check(
            check,
            self.CONSENT
            + charge.format(2)
            + "S,terminate,2026-01-03 01:00,,,\n"
            + charge.format(3)
            + charge.format(4),
        )
        assert checked_log.violations == [
            "5 reauthorize agreement_state",
            "6 reauthorize agreement_state",
        ]
        sentence = checked_log.findings.most_common()[0].example.denial.sentences("en")[
            0
        ]
        assert "S is possible when consent is consented" in sentence

    def test_an_agreement_that_is_not_in_the_log_is_unknown(self, check):
        checked_log = self.check(check, "C,reauthorize,2026-01-01 01:00,300,charge,S\n")
        assert checked_log.violations == ["2 reauthorize agreement_unknown"]
        checked_log = self.check(check, "C,reauthorize,2026-01-01 01:00,300,charge,\n")
        assert checked_log.violations == ["2 reauthorize agreement_missing"]

    def test_which_lifecycle_an_opening_begins_must_be_given_in_each(self, check):
        checked_log = self.check(check, "S,authorize,2026-01-01 01:00,500,,\n")
        assert checked_log.bad == ["lifecycle_missing 2"]

    def test_a_charge_has_no_commands_of_its_agreement(self, check):
        checked_log = self.check(
            check,
            self.CONSENT
            + "C,reauthorize,2026-01-02 01:00,300,,S\n"
            + "C,terminate,2026-01-03 01:00,,,\n"
            + "C,expire,2026-02-03 01:00,,,\n",
        )
        assert checked_log.violations == ["4 terminate not_in_lifecycle"]

    def test_without_a_column_for_it_an_agreement_is_taken_as_given(self, check):
        checked_log = check(
            "C,再与信,2026-01-01 01:00,300\nC,売上,2026-01-02,300\n", "charge"
        )
        assert checked_log.findings.holds
        assert "agreements_given" in checked_log.notes

    def test_a_frequency_without_a_column_is_taken_as_given(self, check):
        checked_log = check(
            "S,authorize,2026-01-01 01:00,300\nS,解約,2026-01-02,\n", "recurring"
        )
        assert checked_log.findings.holds
        assert "parameters_given" in checked_log.notes

    @pytest.mark.parametrize(
        ("cell", "found"),
        [
            ("Month 1", []),
            ("1 Month", []),
            ("Month:12", []),
            ("Month 13", ["2 authorize parameter_invalid"]),
            ("", ["2 authorize parameter_missing"]),
        ],
    )
    def test_a_frequency_with_a_column_is_judged(self, check, cell, found):
        checked_log = check(
            f"S,authorize,2026-01-01 01:00,300,{cell}\n",
            "recurring",
            header="order,command,time,amount,頻度",
        )
        assert checked_log.violations == found

    def test_flags_have_columns_of_their_own(self, check):
        checked_log = check(
            "S,authorize,2026-01-01 01:00,300,はい\n"
            "S,refund,2026-01-02,300,はい\n"
            "T,authorize,2026-01-01 01:00,300,\n"
            "T,refund,2026-01-02,300,\n",
            header="order,command,time,amount,with_capture",
        )
        assert checked_log.violations == [
            "5 refund state_not_allowed amount_above_maximum"
        ]

    def test_which_lifecycle_an_opening_begins_is_never_guessed(self, check):
        with pytest.raises(
            InvalidInput, match="authorize begins one_time or recurring"
        ):
            check(SALE, "one_time recurring")


def test_a_guard_of_the_opening_is_asked(check):
    checked_log = check(
        "S,authorize,2026-01-01 01:00,500,yes,yes\n"
        "T,authorize,2026-01-01 01:00,500,yes,no\n"
        "U,authorize,2026-01-01 01:00,500,no,yes\n",
        "recurring",
        header="order,command,time,amount,with_capture,consent_only",
    )
    assert checked_log.violations == ["2 authorize nothing_to_capture"]


def test_a_lifecycle_that_breaks_its_own_invariants_is_found_out(tmp_path):
    shipped = Path(kessai_specs.__file__).parent
    for name in ("one_time.toml", "shared/payment.toml"):
        text = (shipped / name).read_text("utf-8")
        own = tmp_path / name
        own.parent.mkdir(exist_ok=True)
        own.write_text(text.replace('"captured += amount"', '"captured += amount + 1"'))
    log = tmp_path / "log.csv"
    log.write_text(f"order,command,time,amount\n{SALE}".replace(",600", ",1000"))
    found = check_log(str(log), [load_file(tmp_path / "one_time.toml")]).findings
    group = found.most_common()[0]
    assert group.example.codes == ("invariant_broken",)
    assert "captured_within_authorized" in group.example.denial.sentences("en")[0]


def test_the_shape_of_order_ids_is_judged_unless_said_otherwise(check):
    rows = "注文1,authorize,2026-01-05 9:00,9\n注文1,capture,2026-01-05 9:01,10\n"
    checked_log = check(rows)
    assert checked_log.violations[0] == "2 authorize transaction_id_invalid"
    checked_log = check(rows, any_id=True)
    assert checked_log.violations == ["3 capture amount_above_maximum"]
    assert checked_log.findings.most_common()[0].example.order == "注文1"
