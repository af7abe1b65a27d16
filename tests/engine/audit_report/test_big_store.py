"""A report's memory does not grow with the store."""

from big_store import make, report


def test_ten_times_the_transactions_take_no_more_memory(tmp_path):
    events = make(tmp_path / "small.db", 40)
    assert make(tmp_path / "large.db", 400) == 10 * events
    report(tmp_path / "small.db")  # what is compiled and read once stays
    few, little = report(tmp_path / "small.db")
    many, much = report(tmp_path / "large.db")
    assert few.report.holds
    assert many.report.holds
    assert many.report.events == 10 * events
    assert much < 1.5 * little + 500_000
