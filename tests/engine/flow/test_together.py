"""Flows that are driven together: few commits, each intent on the disk before its call."""

import sqlite3
from contextlib import closing

import pytest

from kessai import Engine, Observer, SQLiteStore, Status
from kessai.errors import StoreBusy
from kessai.flow import execute

ORDERS = [f"order-{number}" for number in range(5)]


class Watching:
    """The gateway, which looks at each request for what is on the disk by then."""

    def __init__(self, gateway, path):
        self._gateway, self._path = gateway, path
        self.versions = []

    def send(self, request):
        self.versions.append(on_disk(self._path))
        return self._gateway.send(request)

    def close(self):
        pass


def on_disk(path):
    with closing(sqlite3.connect(path)) as database:
        return dict(database.execute("SELECT id, version FROM kessai_states"))


@pytest.fixture
def store(tmp_path):
    with SQLiteStore(tmp_path / "store.db") as made:
        yield made


@pytest.fixture
def engine(observed_shop, store, gateway):
    shop = observed_shop("sync", store, None)
    transport = Watching(gateway, store.path)
    return Engine(
        adapters=[shop.adapter], store=store, transport=transport, clock=shop.clock
    )


def authorizing(engine, command):
    return [
        execute(engine.context, command("authorize", 100, of=order)) for order in ORDERS
    ]


def groups(store, monkeypatch):
    """How many changes each commit had."""
    sizes, append_each = [], store.append_each

    def counted(changes):
        sizes.append(len(changes))
        return append_each(changes)

    monkeypatch.setattr(store, "append_each", counted)
    return sizes


def test_intents_are_one_commit_before_any_call_and_outcomes_one_after_all(
    engine, store, command, monkeypatch
):
    sizes = groups(store, monkeypatch)

    answers = engine.drive_together(authorizing(engine, command))

    assert [answer.transaction.id for answer in answers] == ORDERS
    assert {answer.status for answer in answers} == {Status.SUCCEEDED}
    assert sizes == [5, 5]
    begun = dict.fromkeys(ORDERS, 1)
    assert engine._transport.versions == [begun] * len(ORDERS)
    assert on_disk(store.path) == dict.fromkeys(ORDERS, 2)


def test_whose_change_conflicts_decides_again_and_the_others_go_on(
    engine, store, command, monkeypatch
):
    engine.execute(command("authorize", 100, of="order-0"))
    flows = [
        execute(engine.context, command("capture", 10, of="order-0", key="first")),
        execute(engine.context, command("capture", 10, of="order-0", key="second")),
        execute(engine.context, command("authorize", 100, of="order-1")),
    ]

    first, second, other = engine.drive_together(flows)

    assert first.status is other.status is Status.SUCCEEDED
    assert second.status is Status.DENIED
    assert on_disk(store.path) == {"order-0": 5, "order-1": 2}


def test_nothing_is_sent_of_a_commit_that_fails(engine, store, command, monkeypatch):
    def busy(_changes):
        message = "another process held the file"
        raise StoreBusy(message)

    monkeypatch.setattr(store, "append_each", busy)

    with pytest.raises(StoreBusy):
        engine.drive_together(authorizing(engine, command))

    assert engine._transport.versions == []


def test_an_observer_sees_one_flow_after_the_other(engine, store, command, monkeypatch):
    seen = []

    class Seen(Observer):
        def began(self, flow):
            seen.append("began")

        def ended(self, flow, result):
            seen.append(result.transaction.id)

    monkeypatch.setattr(engine, "_observer", Seen())
    engine.drive_together(authorizing(engine, command))

    assert seen == [each for order in ORDERS for each in ("began", order)]
