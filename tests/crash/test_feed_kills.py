"""Writers, relays, senders and receivers are killed: no event is lost, none is early."""

import json

import feed_kills


def test_killed_at_any_moment_every_event_arrives_in_its_order(capsys):
    assert feed_kills.main(["--kills", "6", "--seed", "3"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert sum(figures["killed"].values()) == 6
    assert figures["events"] > 6


def test_what_is_missing_or_early_is_seen():
    def amiss(*arrived):
        return list(feed_kills.judge({"a": 3, "b": 1}, list(arrived)))

    a1, a2, a3, b1 = ("a", 1), ("a", 2), ("a", 3), ("b", 1)
    assert amiss(a1, b1, a2, a1, a2, a3) == []
    assert amiss(a1, b1, a3) == ["a: 1 missing, first 2"]
    assert amiss(a1, a3, a2, b1) == ["a: out of order"]
    assert amiss(a1, a2, a3) == ["b: 1 missing, first 1"]
