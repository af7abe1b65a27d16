"""What of a lifecycle can be exercised, and what an event exercised of it."""

import pytest
from busy_shop import MONTHLY, opened

from kessai import MemoryStore
from kessai.audit.coverage.items import KINDS, points
from kessai.audit.coverage.totals import (
    Coverage,
    covered,
    decoded,
    from_store,
    read_coverage,
)
from kessai.errors import InvalidInput
from kessai.spec import load_file, load_shipped, shipped_names


@pytest.fixture
def shop():
    return opened(MemoryStore())


def exercised(shop, name, known=()):
    """The ids of all that the shop's trails exercised of a lifecycle."""
    lifecycle = load_shipped(name)
    result = covered(lifecycle, from_store(shop.engine.store), known)
    return {point.id for point in result.points} - {p.id for p in result.never}


@pytest.mark.parametrize("name", shipped_names())
def test_every_declaration_has_its_points(name):
    lifecycle = load_shipped(name)
    found = points(lifecycle)
    ids = [point.id for point in found]
    assert len(ids) == len(set(ids))
    commits = [one for one in ids if one.startswith("commit ")]
    assert len(commits) == len(list(lifecycle.moves()))
    bounded = [c for c in lifecycle.commands.values() if c.amount]
    assert len([one for one in ids if one.startswith("bound ")]) == 4 * len(bounded)
    assert {point.kind for point in found} <= set(KINDS)
    assert all(point.rule and point.text.en and point.text.ja for point in found)


@pytest.mark.parametrize("name", shipped_names())
def test_points_name_nothing_but_what_is_declared(name):
    lifecycle = load_shipped(name)
    commands = {point.command for point in points(lifecycle)}
    assert commands - {""} == set(lifecycle.commands)


def test_a_sale_exercises_its_moves_and_its_default_bound(shop):
    shop.sells(captured=None)
    assert exercised(shop, "one_time") == {
        "begin authorize at payment.requested",
        "commit authorize payment.requested -> payment.authorized when not with_capture",
        "begin capture at payment.authorized",
        "commit capture payment.authorized -> payment.captured",
        "bound capture maximum",
    }


def test_the_variants_of_a_move_are_apart(shop):
    shop.sells(captured=1000)
    refund = "commit refund payment.{} -> payment.{} when refunded {} captured"
    part = refund.format("captured", "partially_refunded", "<")
    rest = refund.format("partially_refunded", "refunded", "==")
    shop.do("refund", "A-1", amount=1)
    assert part in exercised(shop, "one_time")
    assert rest not in exercised(shop, "one_time")
    shop.do("refund", "A-1")
    found = exercised(shop, "one_time")
    assert {part, rest, "bound refund minimum", "bound refund maximum"} <= found


def test_a_decline_and_a_denial_are_no_success(shop):
    shop.sells()
    before = exercised(shop, "one_time")
    shop.emulator.misbehave("refuse", command="Refund")
    shop.do("refund", "A-1", amount=5)
    shop.do("refund", "A-1", amount=901)
    shop.do("capture", "A-1")
    assert exercised(shop, "one_time") - before == {
        "begin refund at payment.captured",
        "release refund at payment.captured",
        "bound refund above",
        "denial capture state_not_allowed",
    }


def test_guards_count_both_ways(shop):
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    shop.do("get_address", "A-1")
    guard = (
        "guard confirmation_page_not_the_merchants {} get_address at payment.requested"
    )
    found = exercised(shop, "one_time")
    assert guard.format("refused") in found
    assert guard.format("passed") not in found


def test_a_deadline_counts_when_it_lapses_and_when_it_denies(shop):
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    shop.resolve("A-1")
    shop.clock.pass_by(days=31)
    shop.do("capture", "A-1")
    assert "deadline authorization denied capture" in exercised(shop, "one_time")
    assert "deadline authorization lapsed" not in exercised(shop, "one_time")
    shop.engine.sweep("A-1")
    assert "deadline authorization lapsed" in exercised(shop, "one_time")


def test_conditions_on_an_agreement_count_one_by_one(shop, known):
    shop.agrees()
    shop.do("reauthorize", "C-1", agreement="R-1", amount=5)
    shop.do("reauthorize", "C-2", amount=5)
    shop.do("reauthorize", "C-3", agreement="nobody", amount=5)
    shop.emulator.misbehave("pending", command="Terminate")
    shop.do("terminate", "R-1")
    shop.do("reauthorize", "C-4", agreement="R-1", amount=5)
    found = {p for p in exercised(shop, "charge", known) if p.startswith("agreement")}
    assert found == {
        "agreement reauthorize held",
        "agreement reauthorize missing",
        "agreement reauthorize unknown",
        "agreement reauthorize open terminate",
    }


def test_a_track_that_is_opened_under_a_condition_counts_both_ways(shop):
    shop.agrees("R-1")
    closed, opened_ = (
        f"opening authorize payment {how}" for how in ("closed", "opened")
    )
    assert closed in exercised(shop, "recurring")
    assert opened_ not in exercised(shop, "recurring")
    shop.do("authorize", "R-2", lifecycle="recurring", amount=5, parameters=MONTHLY)
    assert opened_ in exercised(shop, "recurring")


def test_what_happened_in_the_portal_counts_as_the_move_that_it_was(shop):
    shop.sells(captured=1000)
    shop.emulator.portal.refund("A-1", 1000)
    shop.resolve("A-1")
    found = exercised(shop, "one_time")
    refund = (
        "commit refund payment.captured -> payment.refunded when refunded == captured"
    )
    assert refund in found
    assert "begin refund at payment.captured" not in found


def test_a_refused_opening_counts_where_only_one_lifecycle_refuses_so(shop, known):
    shop.do("authorize", "A-1", lifecycle="one_time", amount=10**7 + 1)
    assert exercised(shop, "one_time", known) == {"bound authorize above"}
    assert exercised(shop, "recurring", known) == set()


def test_a_refused_opening_that_fits_several_is_shown_and_not_counted(shop, known):
    shop.do("authorize", "A#1", lifecycle="one_time", amount=5)
    lifecycle = load_shipped("one_time")
    result = covered(lifecycle, from_store(shop.engine.store), known)
    assert (result.unclear, result.share) == (1, 0)


def test_another_version_of_the_lifecycle_does_not_count(shop, tmp_path):
    shop.sells()
    own = tmp_path / "one_time.toml"
    own.write_text(
        'include = ["shared/payment.toml", "shared/parameters.toml"]\n' + OWN
    )
    result = covered(load_file(own), from_store(shop.engine.store))
    assert result.share == 0
    assert result.others == (load_shipped("one_time").hash,)


OWN = """
[lifecycle]
name = "one_time"
title = { en = "mine", ja = "自作" }
source = "nobody"
currencies = ["JPY"]

[commands.authorize]
title = { en = "authorize", ja = "申込" }
rule = "M1"
opens = [{ track = "payment" }]
amount = { min = "1", max = "9", rule = "M1" }
optional = ["note"]
moves = [{ from = "payment.requested", to = "payment.authorized", rule = "M1" }]
reports = "authorizing"
reserve = ["authorizing += amount"]
commit = ["authorized += authorizing", "authorizing = 0"]
release = ["authorizing = 0"]

[deadlines.authorization]
starts = ["authorize"]
denies = ["capture"]
"""


# ── the file ────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_read_again_and_merging_adds(shop, tmp_path):
    shop.sells()
    shop.do("authorize", "A#1", lifecycle="one_time", amount=5)
    coverage = from_store(shop.engine.store)
    path = tmp_path / "coverage.json"
    path.write_bytes(coverage.encoded())
    assert read_coverage(path) == coverage
    twice = Coverage()
    twice.merge(coverage)
    twice.merge(coverage)
    counts = twice.of(load_shipped("one_time")).counts
    assert counts["begin capture at payment.authorized"] == 2
    assert sum(twice.loose.values()) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"format": "kessai coverage 1"}',
        b'{"format": "kessai coverage 2", "lifecycles": {}}',
        b'{"format": "kessai coverage 1", "lifecycles": {"x": {"name": 1}}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_coverage_file_is_refused(raw, tmp_path):
    with pytest.raises(InvalidInput, match="coverage file"):
        decoded(raw)
    path = tmp_path / "wrong.json"
    path.write_bytes(raw)
    with pytest.raises(InvalidInput, match=r"wrong\.json"):
        read_coverage(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"nothing\.json: No such file"):
        read_coverage(tmp_path / "nothing.json")
