"""Chains rewritten at random, hashed anew: the short way accepts none the long refuses.

For longer: `KESSAI_REWRITTEN=20000 uv run pytest --hypothesis-seed=1` and this file.
"""

import hashlib
import json
import os

import msgspec
import pytest
from audited.both_ways import verify_in_full
from audited.shop import opened
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai import MemoryStore
from kessai.audit import verify
from kessai.errors import TrailBroken
from kessai.flow import Change
from kessai.machine import Record, Transaction, evolve, read_record

encode = msgspec.json.Encoder(order="sorted").encode


@pytest.fixture(scope="module")
def lived():
    """Many like lives, so that every path is known when the rewritten one comes last."""
    shop = opened(MemoryStore())
    for number in range(6):
        name = f"A-{number}"
        shop.sells(name)
        shop.do("refund", name, amount=100)
        shop.do("refund", name, amount=10_000)
        shop.do("refund", name)
    for number in range(3):
        shop.agrees(f"R-{number}")
        shop.charges(f"R-{number}-a", f"R-{number}")
        shop.do("capture", f"R-{number}-a")
        shop.do("terminate", f"R-{number}")
    store = shop.engine.store
    assert verify(store).holds
    return store, {machine.lifecycle.hash: machine for machine in shop.engine.machines}


def leaves(value, path=()):
    """The path of everything in `value` that is no object and no list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))
    else:
        yield path


def other(value):
    """Something in the place of `value`."""
    if isinstance(value, bool):
        return st.just(not value)
    if isinstance(value, int):
        small = st.integers(-2, 2).map(lambda by: value + by)
        return small | st.sampled_from([0, 1, 900, 10**12, 10**15, 10**18])
    words = ["", "refund", "capture", "cancel", "succeeded", "declined", "pending"]
    words += [
        "unknown",
        "notification",
        "reply",
        "2024-06-01T03:00:09Z",
        "2024-08-01T00:00:00",
    ]
    return st.sampled_from([*words, "A-5.6", "A-5.8", "A-5.1", "R-1", 7, None, True])


def rewritten(records, changes):
    """The records with changed events, every hash and link made anew."""
    previous, written = "", []
    for record, change in zip(records, changes, strict=True):
        body = encode({**change, "previous": previous})
        previous = hashlib.sha256(body).hexdigest()
        again = (record.transaction, record.number, body, previous)
        written.append(Record(*again, record.moved))
    return written


def led_to(machines, name, records):
    """The state that belongs to a chain, so that nothing but the rules is broken."""
    transaction = Transaction(name)
    for record in records:
        read = read_record(record, transaction.head)
        machine = machines.get(read.lifecycle)
        transaction = evolve(machine, transaction, read.event).with_head(record.hash)
    return transaction


@settings(max_examples=int(os.environ.get("KESSAI_REWRITTEN", "150")))
@given(data=st.data())
def test_both_ways_say_the_same_of_it(lived, data):
    store, machines = lived
    name = data.draw(st.sampled_from(["A-5", "R-2", "R-2-a"]))
    records = store.records(name)
    bodies = [json.loads(record.body) for record in records]
    for _ in range(data.draw(st.integers(1, 2))):
        data_of = data.draw(st.sampled_from(bodies))["data"]
        *path, last = data.draw(st.sampled_from(sorted(leaves(data_of), key=str)))
        for part in path:
            data_of = data_of[part]
        data_of[last] = data.draw(other(data_of[last]))
    changed = rewritten(records, bodies)
    try:
        transaction = led_to(machines, name, changed)
    except (TrailBroken, TypeError):
        transaction = store.load(None, name, None).transaction
    copy = MemoryStore()
    copy._declarations = dict(store._declarations)
    copy._records = {**store._records, name: changed}
    copy._transactions = {**store._transactions, name: transaction}
    copy._recorded = store._recorded
    short, long = verify(copy), verify_in_full(copy)
    assert short == long


def test_a_chain_hashed_anew_without_a_change_holds(lived):
    store, machines = lived
    records = store.records("A-5")
    same = rewritten(records, [json.loads(record.body) for record in records])
    assert same == records
    copy = MemoryStore()
    copy.append(Change(transaction=led_to(machines, "A-5", same), records=tuple(same)))
    assert copy.load(None, "A-5", None).transaction == (
        store.load(None, "A-5", None).transaction
    )
