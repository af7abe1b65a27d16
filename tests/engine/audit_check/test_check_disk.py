"""Logs larger than memory are sorted on the disk, and judged the same."""

import pytest

from kessai.audit.log_check.grouped import Grouped

ROWS = "".join(
    f"{order},{command},2026-01-{day:02d} {hour:02d}:00,{amount}\n"
    for command, day, amount in (
        ("refund", 9, 500),
        ("capture", 7, 400),
        ("authorize", 5, 900),
        ("refund", 8, 300),
    )
    for hour, order in enumerate(["A", "B", "C", "D"])
)


@pytest.mark.parametrize("order", ["time", "file"])
@pytest.mark.parametrize("in_memory", [1, 3, 16, 1_000])
def test_a_log_is_judged_alike_however_little_memory_there_is(check, order, in_memory):
    whole = check(ROWS, order=order)
    assert whole.findings.violations == 4
    spilt = check(ROWS, order=order, in_memory=in_memory)
    assert spilt.violations == whole.violations
    assert [(g.count, g.example) for g in spilt.findings.most_common()] == [
        (g.count, g.example) for g in whole.findings.most_common()
    ]


def test_agreements_are_known_however_little_memory_there_is(check):
    checked_log = check(
        "S,authorize,2026-01-01,500,recurring,,Month 1,op-1\n"
        "Z,reauthorize,2026-01-02,300,charge,S,,op-2\n"
        "C,reauthorize,2026-01-02,300,charge,S,,op-3\n"
        "C,reauthorize,2026-01-02,300,charge,S,,op-3\n"
        "S,terminate,2026-01-03,,,,,\n"
        "B,reauthorize,2026-01-04,300,charge,S,,op-5\n",
        "recurring charge",
        header="order,command,time,amount,lifecycle,agreement,frequency,operation_id",
        in_memory=1,
    )
    assert checked_log.bad == []
    assert checked_log.violations == ["7 reauthorize agreement_state"]
    assert checked_log.findings.repeated == 1


def test_no_more_is_held_than_was_given(check):
    with Grouped(10) as grouped:
        for line in range(95):
            grouped.add(f"order-{line % 7}", (_at(line), 0, line, 0, 5, None, None))
            assert sum(map(len, grouped._held.values())) < 10
        histories = dict(grouped.histories())
        assert [len(entries) for entries in histories.values()] == [14] * 4 + [13] * 3
        assert dict(grouped.histories()) == histories
        for entries in histories.values():
            assert entries == sorted(entries, key=lambda entry: entry[2])


def _at(line):
    from datetime import UTC, datetime, timedelta

    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=line * 37 % 100)
