"""What is counted and timed, and that each thing counts once."""

import pytest

from kessai.errors import UnknownTransaction


def total(points, **labels):
    """The sum of the points that have all of `labels`."""
    wanted = {f"kessai.{name}": value for name, value in labels.items()}.items()
    return sum(value for found, value in points if wanted <= found.items())


def test_each_outcome_counts_when_it_is_reported(shop, points):
    shop.asks("authorize", 100)
    shop.asks("authorize", 100, of="order-2")
    found = points("kessai.outcomes")
    assert found == [
        (
            {
                "kessai.account": "emulator/local",
                "kessai.lifecycle": "one_time",
                "kessai.command": "authorize",
                "kessai.outcome": "pending",
                "kessai.source": "reply",
            },
            2,
        )
    ]


def test_a_lost_reply_counts_as_unknown_and_its_recovery_as_the_outcome(shop, points):
    shop.loses_its_reply("authorize", 100)
    shop.clock.passes(minutes=11)
    shop.call("recover")
    found = points("kessai.outcomes")
    assert total(found, outcome="unknown", source="reply") == 1
    assert total(found, outcome="succeeded", source="inquiry") == 1


def test_a_denial_counts_once_for_each_reason(shop, points):
    shop.asks("authorize", 0)
    shop.asks("capture", 5, of="order-9")
    found = points("kessai.denials")
    assert total(found, command="authorize") == 1
    assert total(found, command="capture", reason="unknown_transaction") == 1


def test_the_recorded_answer_of_a_key_counts_no_outcome_again(shop, points):
    shop.asks("authorize", 100)
    shop.asks("authorize", 100)
    assert total(points("kessai.outcomes")) == 1


def test_what_is_done_is_timed_by_its_kind_and_its_end(shop, points):
    shop.asks("authorize", 100)
    with pytest.raises(UnknownTransaction):
        shop.call("transaction", "order-9")
    ends = {
        (labels["kessai.flow"], labels.get("error.type")): point.count
        for labels, point in points("kessai.flow.duration")
    }
    assert ends == {("execute", None): 1, ("existing", "UnknownTransaction"): 1}
    ((labels, point),) = points("http.client.request.duration")
    assert labels["http.response.status_code"] == 200
    assert point.count == 1
    calls = {
        labels["kessai.store.call"]: point.count
        for labels, point in points("kessai.store.duration")
    }
    assert calls == {"load": 2, "append": 2}


def test_no_metric_is_split_by_an_id(shop, points):
    for number in range(3):
        shop.asks("authorize", 100, of=f"order-{number}")
        shop.asks("refund", 100, of=f"order-{number}")
    names = ("kessai.outcomes", "kessai.denials", "kessai.flow.duration")
    labels = [label for name in names for label, _ in points(name)]
    assert labels
    assert not [
        value for label in labels for value in label.values() if "order" in value
    ]


# ── what is open now ────────────────────────────────────────────────────────────────


@pytest.fixture
def watched(shop, telemetry):
    telemetry.watch(shop.store, shop.clock)
    return shop


def test_nothing_open_has_no_age(watched, points):
    assert points("kessai.operations.open") == []
    ((_, point),) = points("kessai.operations.oldest.age")
    assert point == 0 or point.value == 0


def test_what_is_open_is_seen_by_its_phase_and_its_age(watched, points):
    watched.loses_its_reply("authorize", 100)
    watched.clock.passes(minutes=5)
    assert total(points("kessai.operations.open"), phase="unknown") == 1
    ((_, age),) = points("kessai.operations.oldest.age")
    assert age == 300
    watched.clock.passes(minutes=6)
    watched.call("recover")
    assert points("kessai.operations.open") == []


def test_a_discrepancy_is_seen_until_it_is_closed(watched, points):
    watched.loses_its_reply("authorize", 100)
    watched.call("resolve", "order-1", "order-1.1", "declined", evidence="e", actor="a")
    watched.call("reconcile", "order-1")
    ((_, seen),) = points("kessai.transactions.discrepant")
    assert seen == 1
    assert total(points("kessai.discrepancies")) == 1
