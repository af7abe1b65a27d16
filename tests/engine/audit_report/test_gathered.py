"""What a report counts, and that it counts it right."""

from datetime import timedelta
from importlib import resources

import pytest
from busy_shop import HOSTILE, NOON, opened, spoil

from kessai import MemoryStore, SQLiteStore
from kessai.audit import verify
from kessai.audit.coverage.totals import from_store
from kessai.audit.reporting import gather, pictures
from kessai.audit.reporting.plain import plain
from kessai.audit.reporting.spans import Spans
from kessai.spec import load_file, load_shipped


@pytest.fixture
def report(busy, known):
    """The plain data of the busy shop's report."""
    return plain(gather(busy, "shop.db", NOON, known=known), "en")


def lifecycle(report, name):
    return next(one for one in report["lifecycles"] if one["name"] == name)


def cell(report, state, command, name="one_time"):
    return next(
        cell
        for cell in lifecycle(report, name)["matrix"]
        if (f"{cell['track']}.{cell['state']}", cell["command"]) == (state, command)
    )


def test_the_report_shows_whether_everything_holds(busy, report):
    verified = verify(busy)
    assert report["holds"]
    assert (report["transactions"], report["events"]) == (
        verified.transactions,
        verified.events,
    )
    assert report["kinds"] == verified.kinds


def test_the_busiest_lifecycle_comes_first(report):
    names = [one["name"] for one in report["lifecycles"]]
    assert names == ["one_time", "charge", "recurring"]


def test_the_states_stand_in_the_order_in_which_they_were_declared(report):
    states = [state["state"] for state in lifecycle(report, "one_time")["states"]]
    assert states == list(load_shipped("one_time").tracks["payment"].states)


def test_what_was_done_is_counted_by_state_and_command(report):
    assert cell(report, "payment.authorized", "capture")["reached"] == 8
    assert cell(report, "payment.authorized", "cancel")["reached"] == 1
    refunds = cell(report, "payment.captured", "refund")
    assert (refunds["reached"], refunds["declined"]) == (5, 1)  # one of them outside


def test_what_was_refused_is_counted_where_it_was_refused(report):
    assert cell(report, "payment.captured", "capture")["denied"] == 1
    assert cell(report, "payment.captured", "capture")["declared"] is False
    assert cell(report, "payment.authorized", "capture")["denied"] == 1  # too late


def test_what_was_declared_and_never_reached_is_shown(report):
    moves = lifecycle(report, "one_time")["moves"]
    never = {(m["command"], m["target"]) for m in moves if not m["succeeded"]}
    assert ("authorize", "captured") in never
    assert ("capture", "captured") not in never


def test_denials_are_shown_with_their_rule_and_their_sentence(report):
    refusals = lifecycle(report, "one_time")["refusals"]
    above = next(r for r in refusals if r["rule"] == "O4")
    assert above["code"] == "amount_above_maximum"
    assert above["sentence"] == "The amount … is above the largest possible, …."
    assert above["example"]["transaction"] == "A-1"
    assert "700 JPY" in above["example"]["sentence"]


def test_a_refused_opening_is_shown_under_the_one_lifecycle_that_refuses_so(report):
    refusals = lifecycle(report, "one_time")["refusals"]
    assert "limit amount one-time" in {refusal["rule"] for refusal in refusals}
    (unbound,) = report["unbound_refusals"]
    assert unbound["code"] == "unknown_transaction"
    assert unbound["example"]["transaction"] == HOSTILE


def test_how_long_transactions_stayed_in_each_state_is_shown(report):
    states = {s["state"]: s for s in lifecycle(report, "one_time")["states"]}
    waited = states["authorized"]
    assert (waited["entered"], waited["ended"], waited["standing"]) == (10, 10, 0)
    assert waited["median_seconds"] == pytest.approx(86_400, rel=0.03)
    assert waited["longest_seconds"] > timedelta(days=30).total_seconds()
    assert sum(waited["bars"]) == 10
    assert states["refunded"]["standing"] == 1


def test_the_money_is_summed_by_status(busy, report):
    amounts = lifecycle(report, "one_time")["amounts"]
    captured = sum(here["sums"]["captured"] for here in amounts)
    own = [t for t in busy.transactions() if t.lifecycle == "one_time"]
    assert captured == sum(t.amounts["captured"] for t in own) == 32_400
    assert sum(here["transactions"] for here in amounts) == len(own)


def test_deadlines_are_shown_with_what_came_too_late(report):
    (deadline,) = lifecycle(report, "one_time")["deadlines"]
    lapsed = deadline["lapsed_by_clock"] + deadline["lapsed_at_gateway"]
    assert (lapsed, deadline["denied_late"]) == (1, 1)


def test_what_waits_for_somebody_is_shown(report):
    (waiting,) = report["open_operations"]["first"]
    assert (waiting["transaction"], waiting["command"]) == ("A-6", "refund")
    assert waiting["age_seconds"] == (NOON - waiting["begun_at"]).total_seconds()
    (found,) = report["discrepancies"]["first"]
    assert (found["transaction"], found["reason"]) == ("A-7", "state_not_allowed")


def test_what_an_operator_resolved_is_shown_with_the_name_and_the_finding(report):
    (closed,) = report["closed"]["first"]
    assert (closed["transaction"], closed["actor"]) == ("A-8", "Sato <s@x>")
    assert closed["note"] == f"seen {HOSTILE}"
    assert closed["reason"] == "state_not_allowed"


def test_what_nobody_claimed_and_an_operator_closed_is_named_for_what_it_is(
    empty, known
):
    shop = opened(empty)
    shop.sells("A-1", 1000, 900)
    shop.emulator.portal.refund("A-1", 100)
    shop.resolve("A-1")
    (number,) = shop.engine.transaction("A-1").unclaimed_events
    shop.engine.close_discrepancy("A-1", number, evidence="by phone", actor="Sato")
    facts = gather(empty, "memory:", NOON, known=known)
    (closed,) = plain(facts, "en")["closed"]["first"]
    assert (closed["event"], closed["reason"]) == (number, "external")
    assert closed["sentence"] == "done at the gateway, and unclaimed"


def test_what_was_done_in_the_portal_is_shown(report):
    (outside,) = report["external"]["first"]
    assert (outside["transaction"], outside["command"]) == ("A-5", "refund")
    assert outside["amount"] == 100


def test_what_tests_exercised_stands_beside_it(busy, known):
    coverage = from_store(busy)  # as if the shop were the test
    report = plain(gather(busy, "shop.db", NOON, coverage=coverage, known=known), "en")
    capture = cell(report, "payment.authorized", "capture")
    assert capture["tested"] == capture["reached"] == 8
    assert lifecycle(report, "one_time")["coverage"]["exercised"] == 18


def test_an_empty_store_has_an_empty_report(empty, known):
    facts = gather(empty, "memory:", NOON, known=known)
    assert (facts.lifecycles, facts.first, facts.last) == ((), None, None)
    assert facts.report.holds


def test_a_store_with_faults_is_reported_up_to_the_first_bad_event(own_path, known):
    spoil(own_path, "A-2", 4, b'"amount":1800', b'"amount":1801')
    store = SQLiteStore(own_path)
    report = plain(gather(store, "shop.db", NOON, known=known), "en")
    store.close()
    assert not report["holds"]
    (fault,) = report["faults"]["first"]
    assert (fault["transaction"], fault["event"]) == ("A-2", 4)
    assert cell(report, "payment.authorized", "capture")["reached"] == 7
    amounts = lifecycle(report, "one_time")["amounts"]
    assert sum(here["transactions"] for here in amounts) == 9  # A-2's are not believed


def test_two_versions_of_a_lifecycle_are_reported_apart(tmp_path, known):
    store = MemoryStore()
    opened(store).sells("A-1")
    shipped = resources.files("kessai_specs").joinpath("one_time.toml")
    other = tmp_path / "one_time.toml"
    other.write_text(shipped.read_text("utf-8").replace("DGFT, ", ""))
    later = opened(store, lifecycles=[load_file(other)])
    later.asked = 100  # keys of its own
    later.sells("A-2")
    report = plain(gather(store, "memory:", NOON, known=known), "en")
    assert [one["name"] for one in report["lifecycles"]] == ["one_time", "one_time"]
    assert len({one["hash"] for one in report["lifecycles"]}) == 2
    assert [one["transactions"] for one in report["lifecycles"]] == [1, 1]


def test_the_report_of_the_same_store_and_moment_is_the_same(busy, known):
    first, second = (gather(busy, "shop.db", NOON, known=known) for _ in range(2))
    assert plain(first, "ja") == plain(second, "ja")


# ── lengths of time, and pictures ───────────────────────────────────────────────────


def test_shares_of_lengths_are_right_to_two_percent():
    spans = Spans()
    for seconds in range(1, 1001):
        spans.add(timedelta(seconds=seconds))
    assert spans.share(0.5) == pytest.approx(500, rel=0.02)
    assert spans.share(0.9) == pytest.approx(900, rel=0.02)
    assert (spans.longest, spans.share(1.0)) == (1000, 1000)
    assert sum(spans.bars) == 1000


def test_no_lengths_and_lengths_of_nothing_are_nothing():
    spans = Spans()
    assert spans.share(0.5) == 0
    spans.add(timedelta(seconds=-5))
    assert (spans.share(0.5), spans.longest, spans.bars[0]) == (0, 0, 1)


def test_heat_grows_with_the_count_and_once_is_never_hot():
    assert [pictures.heat(n, 10_000) for n in (0, 1, 10, 100, 10_000)] == [
        0,
        1,
        2,
        3,
        5,
    ]
    assert pictures.heat(1, 1) == 1


def test_many_days_become_few_columns():
    start = NOON.date()
    days = {start + timedelta(days=n): (1, n % 2) for n in range(400)}
    periods = pictures.periods(days)
    assert len(periods) <= pictures.BUCKETS
    assert sum(period.begun for period in periods) == 400
    assert sum(period.denied for period in periods) == 200
    assert (periods[0].first, pictures.periods({})) == (start, [])
