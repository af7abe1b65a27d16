"""An operation's id: logged again it says nothing new, with something else it is a conflict."""

import pytest

HEADER = "order,command,time,amount,result,operation id"
SALE = (
    "A,authorize,2026-01-01 01:00,100,ok,1\n"
    "A,capture,2026-01-01 02:00,100,ok,2\n"
    "A,refund,2026-01-01 03:00,60,{},3\n"
)


def check_with(check, *rows, first="ok"):
    return check(SALE.format(first) + "\n".join(rows), header=HEADER)


@pytest.mark.parametrize("first", ["ok", "pending"])
@pytest.mark.parametrize("amount", ["30", "60.1"])
def test_another_amount_under_an_id_is_a_conflict(check, first, amount):
    amount = amount.partition(".")[0]
    again = f"A,refund,2026-01-01 04:00,{int(amount) + 1},ok,3"
    checked_log = check_with(check, again, first=first)
    assert checked_log.violations == ["5 refund amount_differs"]
    assert checked_log.findings.repeated == 0


def test_another_command_under_an_id_is_a_conflict(check):
    checked_log = check_with(check, "A,refund,2026-01-01 04:00,40,ok,2")
    assert checked_log.violations == ["5 refund command_differs"]
    denial = checked_log.findings.most_common()[0].example.denial
    assert "another command, capture" in denial.sentences("en")[0]
    assert "capture" in denial.sentences("ja")[0]


@pytest.mark.parametrize("amount", ["60", ""])
@pytest.mark.parametrize("result", ["pending", "timeout", "ok"])
def test_what_comes_after_the_end_of_an_id_changes_nothing(check, result, amount):
    checked_log = check_with(
        check,
        f"A,refund,2026-01-01 04:00,{amount},{result},3",
        "A,refund,2026-01-01 05:00,40,ok,4",
    )
    findings = checked_log.findings
    assert findings.holds
    assert (findings.repeated, findings.left_open) == (1, 0)


def test_a_pending_line_after_a_declined_one_opens_nothing(check):
    checked_log = check_with(
        check,
        "A,refund,2026-01-01 04:00,60,pending,3",
        "A,refund,2026-01-01 05:00,100,ok,4",
        first="declined",
    )
    assert checked_log.findings.holds
    assert checked_log.findings.left_open == 0


def test_an_end_without_an_amount_is_that_of_the_operation(check):
    ended = "A,refund,2026-01-01 04:00,,ok,3"
    assert check_with(check, ended, first="pending").findings.holds


def test_an_end_with_another_amount_than_the_whole_is_a_conflict(check):
    checked_log = check(
        SALE.format("pending").replace("60", "")
        + "A,refund,2026-01-01 04:00,60,ok,3\n",
        header=HEADER,
    )
    assert checked_log.violations == ["5 refund amount_differs"]


def test_an_order_of_its_own_has_ids_of_its_own(check):
    other = SALE.format("ok").replace("A,", "B,").replace("60", "50")
    assert check(SALE.format("ok") + other, header=HEADER).findings.holds
