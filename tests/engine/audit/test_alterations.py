"""What of a store can be altered: found plainly, found by a seal, or harmless.

Each row is an alteration by someone with the database's password, on a store with every
kind of row: a sale with refunds, an open operation, a discrepancy and one that was
explained, a denial, a charge.
"""

# ruff: noqa: S608 - the statements are put together from names in this module

import hashlib
import json
import shutil
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import attrs
import msgspec
import pytest
from audited.owner import ROWS
from audited.shop import MACHINES, evidence_of, filled, forge
from audited.thief import PostgresThief, Thief

from kessai.audit import verify, write_seal
from kessai.audit.sealing import new_private_key, read_private_key, read_seal
from kessai.evidence.outcome import resolve_external
from kessai.flow import Change, Reference, Subscriber
from kessai.machine import Learned, Transaction, append, evolve, read_record
from kessai.stores.encoding import encode_transaction

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)
MACHINE_OF = {machine.lifecycle.hash: machine for machine in MACHINES}
FAR = "'9999-01-01T00:00:00+00:00'"
FAILURE = '{"at":"2024-06-01T03:00:00Z","times":1,"error":"KeyError"}'
SOON = "'2024-06-01T03:20:00+00:00'"
ONE = "WHERE id = 'A-1'"
OPEN = "WHERE id = 'A-3'"
LAST = "WHERE transaction_id = 'A-1' AND number = 10"
DENIED = "WHERE outcome = 'denied'"
TABLES = {
    "kessai_states": "id",
    "kessai_events": "transaction_id, number",
    "kessai_answers": "key",
    "kessai_lifecycles": "hash",
    "kessai_gateway_ids": "gateway_id",
    "kessai_subscribers": "name",
}


def fill(store):
    """Every kind of row, and every kind of trouble."""
    shop = filled(store)
    shop.do("refund", "A-1", amount=10_000)  # denied: event 10
    shop.sells("A-3")
    shop.local.emulator.misbehave("lose_request")
    shop.do("refund", "A-3", amount=100)  # open: event 6
    standing = store.load(None, "A-2", None).transaction
    machine = MACHINE_OF[standing.lifecycle_hash]
    cancelled = evidence_of("A-2", "cancel")  # what was captured can not be: event 6
    found = resolve_external(machine, standing, cancelled, shop.clock())
    forge(store, "A-2", found)
    explain_a_refund(shop)
    _learns(store, "R-1")
    store.advance(Subscriber(name="mail", position="", version=1))


def _learns(store, name):
    """The gateway states its own id of `name`: event 4, and a row to find it by."""
    standing = store.load(None, name, None).transaction
    stated = attrs.evolve(evidence_of(name, None), references={"order": "o_1"})
    after, record = append(
        MACHINE_OF[standing.lifecycle_hash], standing, Learned(NOON, stated)
    )
    reference = Reference(standing.account, "order", "o_1")
    store.append(Change(transaction=after, records=(record,), references=(reference,)))


def contents(thief):
    """All rows of all tables: each column by its name."""
    return {
        table: thief.rows(f"SELECT * FROM {table} ORDER BY {key}")
        for table, key in TABLES.items()
    }


@attrs.define
class Copies:
    """A store before it is altered, sealed; and copies of it that may be."""

    folder: Path
    database: str
    thief_of_all: Thief | None = None
    before: dict = attrs.field(factory=dict)

    def thief(self, tmp_path):
        if self.database == "sqlite":
            return Thief(shutil.copy(self.folder / "shop.db", tmp_path / "shop.db"))
        return self.thief_of_all

    def restore(self, thief):
        """Put back what was altered in a database that all rows share."""
        if self.database == "sqlite":
            return
        thief.put_back(self.before)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def copies(request, tmp_path_factory):
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("whole")
        made = Copies(folder, request.param)
        if request.param == "postgres":
            server = request.getfixturevalue("server")
            url = stack.enter_context(server.schema())
            thief = stack.enter_context(closing(PostgresThief(url)))
            made.thief_of_all = thief
        else:
            thief = Thief(folder / "shop.db")
        with closing(thief.open()) as store:
            fill(store)
            new_private_key(folder / "key")
            key = read_private_key(folder / "key")
            assert write_seal(store, key, folder / "seal", NOON).seal
        made.before = contents(thief)
        yield made


def explain_a_refund(shop):
    """Set aside while a lost one was open (event 8), and applied later (event 10)."""
    shop.sells("A-4")
    shop.local.emulator.misbehave("lose_request")
    shop.do("refund", "A-4", amount=800)
    shop.local.emulator.portal.refund("A-4", 200)
    shop.engine.reconcile("A-4")
    assert shop.engine.transaction("A-4").discrepancies.keys() == {8}
    found = {"evidence": "read in the portal", "actor": "Sato"}
    shop.engine.resolve("A-4", "A-4.6", "declined", **found)
    shop.engine.reconcile("A-4")
    explained = shop.engine.transaction("A-4")
    assert (explained.version, explained.discrepancies) == (10, {})


@pytest.fixture
def altered(copies, tmp_path):
    """A copy of the store, and what a seal finds in it besides."""
    thief = copies.thief(tmp_path)

    def sealed_faults():
        key = read_private_key(copies.folder / "key").public
        with closing(thief.open()) as store:
            report = verify(store, seals=[read_seal(copies.folder / "seal", key)])
        return [(f.transaction, f.number, f.code) for f in report.faults.first]

    yield thief, sealed_faults
    copies.restore(thief)


def sql(statement, *values):
    return lambda thief: thief.run(statement, *values)


def rewritten(name, number, change):
    """Event `number` changed, all after it hashed anew, the state that belongs to it."""

    def alter(thief):
        rows = thief.run(
            "SELECT number, body FROM kessai_events WHERE transaction_id = ? ORDER BY number",
            name,
        )
        head = ""
        for place, body in rows:
            data = {**json.loads(body), "previous": head}
            raw = encoded(data)
            if place == number:
                altered_body = change(data, raw)
                assert altered_body != body
                raw = altered_body
            head = hashlib.sha256(raw).hexdigest()
            thief.rewrite(name, place, raw, rehash=True)
            keep_answer(thief, data)
        keep_state(thief, name)

    return alter


def keep_answer(thief, record):
    """The answer that belongs to the evidence of an event, if it has some."""
    data = record["data"]
    for key, recorded in thief.run("SELECT key, recorded FROM kessai_answers"):
        held = json.loads(recorded)
        if record["kind"] == "reported" and held.get("operation") == data["operation"]:
            held["evidence"] = {"command": None, **data["evidence"]}
            thief.run(
                "UPDATE kessai_answers SET recorded = ? WHERE key = ?",
                encoded(held),
                key,
            )


def encoded(data):
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def keep_state(thief, name):
    store = thief.open()
    records = store.records(name)
    store.close()
    transaction = Transaction(name)
    for record in records:
        read = read_record(record, transaction.head)
        machine = MACHINE_OF.get(read.lifecycle)
        transaction = evolve(machine, transaction, read.event).with_head(record.hash)
    thief.run(
        "UPDATE kessai_states SET state = ?, discrepancies = ? WHERE id = ?",
        encode_transaction(transaction),
        len(transaction.discrepancies),
        name,
    )


def member(*path, value):
    """A member of the event's data is another value."""

    def change(data, _raw):
        *above, last = path
        inner = data["data"]
        for part in above:
            inner = inner[part]
        inner[last] = value
        return encoded(data)

    return change


def text(old, new):
    def change(_data, raw):
        assert old in raw
        return raw.replace(old, new, 1)

    return change


def answer(where, **changes):
    def alter(thief):
        ((key, recorded),) = thief.run(
            f"SELECT key, recorded FROM kessai_answers {where}"
        )
        changed = encoded({**json.loads(recorded), **changes})
        thief.run("UPDATE kessai_answers SET recorded = ? WHERE key = ?", changed, key)

    return alter


def answer_evidence(where, **changes):
    def alter(thief):
        ((recorded,),) = thief.run(f"SELECT recorded FROM kessai_answers {where}")
        evidence = {**json.loads(recorded)["evidence"], **changes}
        answer(where, evidence=evidence)(thief)

    return alter


def answer_text(where, old, new):
    def alter(thief):
        ((key, recorded),) = thief.run(
            f"SELECT key, recorded FROM kessai_answers {where}"
        )
        assert old in recorded
        changed = recorded.replace(old, new, 1)
        thief.run("UPDATE kessai_answers SET recorded = ? WHERE key = ?", changed, key)

    return alter


def state(old, new):
    return lambda thief: thief.edit_state("A-1", old, new)


def discrepancies(name, found):
    """Those in a state, and their number beside it."""

    def alter(thief):
        ((held,),) = thief.run(f"SELECT state FROM kessai_states WHERE id = '{name}'")
        thief.run(
            "UPDATE kessai_states SET state = ?, discrepancies = ? WHERE id = ?",
            msgspec.json.encode({**json.loads(held), "discrepancies": found}),
            len(found),
            name,
        )

    return alter


def document(name, change):
    def alter(thief):
        ((held,),) = thief.run(
            f"SELECT document FROM kessai_lifecycles WHERE name = '{name}'"
        )
        changed = change(thief, held)
        assert changed != held
        thief.run(
            f"UPDATE kessai_lifecycles SET document = ? WHERE name = '{name}'", changed
        )

    return alter


def other_document(thief, _held):
    ((held,),) = thief.run(
        "SELECT document FROM kessai_lifecycles WHERE name = 'charge'"
    )
    return held


def scheduled(**columns):
    """The open operation, its columns set; times as any database takes them."""
    values = ", ".join(f"{name} = {value}" for name, value in columns.items())
    return sql(f"UPDATE kessai_states SET {values} {OPEN}")


def forgotten(thief):
    for table, column in {**ROWS, "kessai_gateway_ids": "transaction_id"}.items():
        thief.run(f"DELETE FROM {table} WHERE {column} = 'A-2'")


CAPTURED = "WHERE key = 'key-0002'"
ASIDE = {
    "reason": "amount_out_of_bounds",
    "source": "inquiry",
    "command": "refund",
    "outcome": "succeeded",
    "amount": 200,
    "exchange": "A",
}
NO_BOUNDS = b'"bounds":{"default":300,"maximum":300,"minimum":1},', b""
OTHER_REASON = [{"code": "state_not_allowed", "rule": "O1", "values": {}}]

PLAINLY = {
    # the row of a transaction
    "its id": (sql(f"UPDATE kessai_states SET id = 'B' {ONE}"), "state_unreadable"),
    "its account": (
        sql(f"UPDATE kessai_states SET account = 'x' {ONE}"),
        "state_unreadable",
    ),
    "its lifecycle": (
        sql(f"UPDATE kessai_states SET lifecycle = 'charge' {ONE}"),
        "state_unreadable",
    ),
    "its status": (
        sql(f"UPDATE kessai_states SET status = 'payment.refunded' {ONE}"),
        "state_unreadable",
    ),
    "its version": (
        sql(f"UPDATE kessai_states SET version = 4 {ONE}"),
        "state_unreadable",
    ),
    "since when it is open": (
        sql(f"UPDATE kessai_states SET open_since = NULL {OPEN}"),
        "state_unreadable",
    ),
    "its discrepancies": (
        sql("UPDATE kessai_states SET discrepancies = 0 WHERE id = 'A-2'"),
        "state_unreadable",
    ),
    "an open operation that is never due": (
        scheduled(due_at="NULL"),
        "recovery_prevented",
    ),
    "an open operation that is due in a far year": (
        scheduled(due_at=FAR),
        "recovery_prevented",
    ),
    "a far year after attempts that nobody made": (
        scheduled(due_at=FAR, attempts=3),
        "recovery_prevented",
    ),
    "a far year after attempts under leases": (
        scheduled(due_at=FAR, attempts=3, lease=3),
        "recovery_prevented",
    ),
    "a lease until a far year": (
        scheduled(lease=1, leased_until=FAR),
        "recovery_prevented",
    ),
    "a lease of nobody": (
        scheduled(leased_until=SOON),
        "recovery_prevented",
    ),
    "a lease until a far year where nothing is open": (
        sql(f"UPDATE kessai_states SET lease = 1, leased_until = {FAR} {ONE}"),
        "recovery_prevented",
    ),
    "fewer leases than none": (scheduled(lease=-1), "recovery_prevented"),
    "fewer attempts than none": (scheduled(lease=1, attempts=-1), "recovery_prevented"),
    "more attempts than can be counted": (
        scheduled(lease=1, attempts=2**63 - 1),
        "recovery_prevented",
    ),
    "attempts where nothing is open": (
        sql(f"UPDATE kessai_states SET lease = 1, attempts = 1 {ONE}"),
        "recovery_prevented",
    ),
    "a due time where nothing is open": (
        sql(f"UPDATE kessai_states SET due_at = {FAR} {ONE}"),
        "recovery_prevented",
    ),
    "a failed recovery where nothing is open": (
        sql(f"UPDATE kessai_states SET failure = '{FAILURE}' {ONE}"),
        "recovery_prevented",
    ),
    "a failed recovery that cannot be read": (
        scheduled(failure="'never'"),
        "recovery_prevented",
    ),
    "a state of rubbish": (
        sql(f"UPDATE kessai_states SET state = ? {ONE}", b"{"),
        "state_unreadable",
    ),
    "a state without its row": (
        sql(f"DELETE FROM kessai_states {ONE}"),
        "transaction_missing",
    ),
    # the state
    "an amount": (state(b'"refunded":600', b'"refunded":300'), "state_differs"),
    "a concluded command": (state(b'"refund"]', b'"cancel"]'), "state_differs"),
    "its head": (state(b'"head":"', b'"head":"0'), "state_differs"),
    "its denials": (state(b'"denials":1', b'"denials":0'), "state_differs"),
    "a discrepancy that nothing explained": (
        discrepancies("A-2", {}),
        "state_differs",
    ),
    "a discrepancy that was explained": (
        discrepancies("A-4", {"8": ASIDE}),
        "state_differs",
    ),
    "its currency": (state(b'"JPY"', b'"USD"'), "state_differs"),
    "an unknown member of a state": (
        state(b'{"id"', b'{"extra":1,"id"'),
        "state_unreadable",
    ),
    "a repeated member of a state": (
        state(b'"refunded":600', b'"refunded":0,"refunded":600'),
        "state_unreadable",
    ),
    "white space in a state": (state(b'{"id":', b'{ "id":'), "state_unreadable"),
    # events
    "an event's bytes": (
        lambda thief: thief.edit("A-1", 6, b'"amount":300', b'"amount":299'),
        "record_broken",
    ),
    "what an event moved": (
        sql("UPDATE kessai_events SET moved = replace(moved, '1', '2')"),
        "movement_differs",
    ),
    "what it moved, gone": (
        sql("UPDATE kessai_events SET moved = NULL WHERE transaction_id = 'A-1'"),
        "movement_differs",
    ),
    "a movement of what moved nothing": (
        sql("UPDATE kessai_events SET moved = '{}' WHERE number = 1"),
        "movement_differs",
    ),
    "an event's hash": (
        sql("UPDATE kessai_events SET hash = ? WHERE number = 3", "0" * 64),
        "record_broken",
    ),
    "an event's number": (
        sql("UPDATE kessai_events SET number = 77 WHERE number = 4"),
        "event_missing",
    ),
    "the first event gone": (
        sql("DELETE FROM kessai_events WHERE number = 1"),
        "event_missing",
    ),
    "an event gone": (
        sql("DELETE FROM kessai_events WHERE number = 3"),
        "event_missing",
    ),
    "the last events gone": (
        sql("DELETE FROM kessai_events WHERE number > 4"),
        "tail_cut",
    ),
    "all events gone": (
        sql("DELETE FROM kessai_events WHERE transaction_id = 'A-1'"),
        "trail_missing",
    ),
    "an event once more": (
        sql(
            "INSERT INTO kessai_events SELECT transaction_id, 11, body, hash, moved,"
            f" position + 999 FROM kessai_events {LAST}"
        ),
        "record_broken",
    ),
    # the feed
    "an event before the one before it": (
        sql(
            "UPDATE kessai_events SET position = 0 WHERE number = 5 AND transaction_id = 'A-1'"
        ),
        "position_wrong",
    ),
    "an event after which none can follow": (
        sql(f"UPDATE kessai_events SET position = {2**63 - 1} {LAST}"),
        "position_wrong",
    ),
    # chains hashed anew that break a rule
    "another amount, all hashed anew": (
        rewritten("A-1", 6, member("operation", "amount", value=200)),
        "request_differs",
    ),
    "another request, all hashed anew": (
        rewritten("A-1", 6, member("operation", "request", value="0" * 64)),
        "request_differs",
    ),
    "a later time of an end, all hashed anew": (
        rewritten("A-1", 4, member("at", value="2030-01-01T00:00:00Z")),
        "not_allowed",
    ),
    "evidence of another amount, all hashed anew": (
        rewritten("A-1", 7, member("evidence", "amount", value=200)),
        "not_what_follows",
    ),
    "evidence of another outcome, all hashed anew": (
        rewritten("A-1", 7, member("outcome", value="declined")),
        "not_what_follows",
    ),
    "an unknown member, all hashed anew": (
        rewritten("A-1", 6, member("operation", "payee", value="me")),
        "record_broken",
    ),
    "an unknown member of a record, all hashed anew": (
        rewritten("A-1", 6, text(b'"kind":', b'"extra":1,"kind":')),
        "record_broken",
    ),
    "an unknown member of a reason, all hashed anew": (
        rewritten("A-1", 10, text(b'"reasons":[{', b'"reasons":[{"by":"me",')),
        "record_broken",
    ),
    "a repeated member, all hashed anew": (
        rewritten("A-1", 7, text(b'"outcome":', b'"outcome":"declined","outcome":')),
        "record_broken",
    ),
    "white space, all hashed anew": (
        rewritten("A-1", 7, text(b'"kind":', b'"kind": ')),
        "record_broken",
    ),
    "an event moved to another transaction": (
        sql(f"UPDATE kessai_events SET transaction_id = 'A-9' {LAST}"),
        "tail_cut",
    ),
    # answers
    "an answer gone": (sql(f"DELETE FROM kessai_answers {CAPTURED}"), "answer_missing"),
    "an answer's outcome": (
        sql(f"UPDATE kessai_answers SET outcome = 'declined' {CAPTURED}"),
        "answer_differs",
    ),
    "an answer's request": (answer(CAPTURED, request="0" * 64), "answer_differs"),
    "an answer's command": (answer(CAPTURED, command="refund"), "answer_differs"),
    "an answer's operation": (answer(CAPTURED, operation="A-1.6"), "answer_differs"),
    "a denial's reasons": (answer(DENIED, reasons=OTHER_REASON), "answer_differs"),
    "a denial without reasons": (answer(DENIED, reasons=[]), "answer_differs"),
    "a denial's bounds": (
        answer(DENIED, bounds={"default": 1, "maximum": 9_000, "minimum": 1}),
        "answer_differs",
    ),
    "a denial without bounds": (answer_text(DENIED, *NO_BOUNDS), "answer_differs"),
    "an answer's key": (
        sql(f"UPDATE kessai_answers SET key = 'another' {CAPTURED}"),
        "answer_missing",
    ),
    "an unknown member of an answer": (answer(CAPTURED, extra=1), "answer_differs"),
    "a repeated member of an answer": (
        answer_text(CAPTURED, b'"outcome":', b'"outcome":"declined","outcome":'),
        "answer_differs",
    ),
    "white space in an answer": (
        answer_text(CAPTURED, b'"outcome":', b'"outcome": '),
        "answer_differs",
    ),
    **{
        f"the {what} of an answer's evidence": (
            answer_evidence(CAPTURED, **{what: value}),
            "answer_differs",
        )
        for what, value in (
            *(("source", "inquiry"), ("outcome", "declined"), ("command", "refund")),
            *(("code", "another"), ("amount", 1), ("exchange", "another")),
            *(("actor", "Sato"), ("note", "as agreed by telephone")),
            *(("reported_at", "2024-06-01T03:00:00Z"), ("found", False)),
            *(("references", {"order": "o_2"}), ("totals", {"captured": 1})),
        )
    },
    "an answer of rubbish": (
        sql(f"UPDATE kessai_answers SET recorded = ? {CAPTURED}", b"\xff"),
        "answer_differs",
    ),
    "an answer of another transaction": (
        sql(f"UPDATE kessai_answers SET transaction_id = 'A-2' {CAPTURED}"),
        "answer_differs",
    ),
    # lifecycle files
    "a kinder lifecycle file": (
        document(
            "one_time", lambda _, held: held.replace(b"10_000_000", b"99_000_000")
        ),
        "lifecycle_unknown",
    ),
    "a lifecycle file gone": (
        sql("DELETE FROM kessai_lifecycles WHERE name = 'charge'"),
        "lifecycle_unknown",
    ),
    "a lifecycle file in another one's place": (
        document("one_time", other_document),
        "lifecycle_unknown",
    ),
    "the hash beside a lifecycle file": (
        sql(
            f"UPDATE kessai_lifecycles SET hash = '{'0' * 64}' WHERE name = 'one_time'"
        ),
        "lifecycle_unknown",
    ),
    # the gateway's ids
    "a gateway's id gone": (sql("DELETE FROM kessai_gateway_ids"), "references_differ"),
    **{
        f"the {column} of a gateway's id": (
            sql(f"UPDATE kessai_gateway_ids SET {column} = 'another'"),
            "references_differ",
        )
        for column in ("account", "kind", "gateway_id", "transaction_id")
    },
    "one more gateway's id": (
        sql("INSERT INTO kessai_gateway_ids VALUES ('a', 'order', 'o_2', 'A-1')"),
        "references_differ",
    ),
}

BY_A_SEAL = {
    "what explained a discrepancy": rewritten(
        "A-4", 10, member("evidence", "exchange", value="another")
    ),
    "the gateway's id of an exchange": rewritten(
        "A-1", 7, member("evidence", "exchange", value="another")
    ),
    "the gateway's code": rewritten("A-1", 7, member("evidence", "code", value="X")),
    "a note": rewritten("A-1", 7, member("evidence", "note", value="as agreed")),
    "who reported": rewritten("A-1", 7, member("evidence", "actor", value="Sato")),
    "a transaction gone everywhere": forgotten,
}

HARMLESS = {
    "a state without a member that is as it is at first": (
        lambda thief: thief.edit_state("A-2", b',"denials":0', b""),
        "an older kessai wrote it, which did not know the member",
    ),
    "the name beside a lifecycle file": (
        sql("UPDATE kessai_lifecycles SET name = 'other' WHERE name = 'charge'"),
        "files are found by their hash, and name themselves",
    ),
    "one more lifecycle file": (
        sql("INSERT INTO kessai_lifecycles VALUES ('0', 'one_time', ?)", b"{}"),
        "no event is bound to its hash",
    ),
    "an earlier due time": (
        scheduled(due_at="'2000-01-01T00:00:00+00:00'"),
        "recovery asks the gateway sooner, and goes by the operation's own times",
    ),
    "more attempts": (
        scheduled(lease=1, attempts=20),
        "the next pause is six hours, which is the longest",
    ),
    "a lease that ends soon": (
        scheduled(lease=1, leased_until=SOON),
        "it may be somebody's, and the next recoverer comes after it",
    ),
    "a failed recovery that was none": (
        scheduled(failure=f"'{FAILURE}'"),
        "an operator looks in vain; the next recovery is made as ever, and clears it",
    ),
    "an event later in the feed": (
        sql(f"UPDATE kessai_events SET position = position + 999 {LAST}"),
        "it is given once more, or later, but after the one before it",
    ),
    **{
        f"the {column} of a subscriber": (
            sql(f"UPDATE kessai_subscribers SET {column} = ?", value),
            "it is where one reads on: events are numbered, so it sees what was left out",
        )
        for column, value in (
            *(("name", "post"), ("version", 7), ("position", "1")),
            ("undelivered", b"[ ]"),
        )
    },
    "more leases": (
        scheduled(lease=5),
        "whoever has an older one writes nothing under it, and asks anew",
    ),
}


def test_before_all_alterations_it_holds_with_its_seal(altered):
    thief, sealed_faults = altered
    assert thief.faults() == []
    assert sealed_faults() == []


@pytest.mark.parametrize("what", PLAINLY)
def test_it_is_found_plainly(altered, what):
    alter, code = PLAINLY[what]
    thief, _ = altered
    alter(thief)
    assert code in {found for _, _, found in thief.faults()}


@pytest.mark.parametrize("what", BY_A_SEAL)
def test_it_is_found_by_a_seal_alone(altered, what):
    thief, sealed_faults = altered
    BY_A_SEAL[what](thief)
    assert thief.faults() == []
    assert {code for _, _, code in sealed_faults()} <= {
        "sealed_differs",
        "sealed_missing",
    }
    assert sealed_faults() != []


@pytest.mark.parametrize("what", HARMLESS)
def test_it_is_harmless(altered, what):
    alter, reason = HARMLESS[what]
    thief, sealed_faults = altered
    alter(thief)
    assert thief.faults() == sealed_faults() == []
    assert reason


def test_there_are_at_least_forty():
    assert len({*PLAINLY, *BY_A_SEAL, *HARMLESS}) >= 40


def test_every_column_of_every_table_is_altered(copies, tmp_path):
    """By what the alterations change: a new column needs a row of its own."""
    found = {(t, column) for t, rows in copies.before.items() for column in rows[0]}
    alterations = [
        *(alter for alter, _ in (*PLAINLY.values(), *HARMLESS.values())),
        *BY_A_SEAL.values(),
    ]
    for alter in alterations:
        thief = copies.thief(tmp_path)
        alter(thief)
        for table, rows in contents(thief).items():
            before = copies.before[table]
            if len(rows) == len(before):
                changed = [
                    name
                    for was, now in zip(before, rows, strict=True)
                    for name in was
                    if was[name] != now[name]
                ]
                found -= {(table, name) for name in changed}
        copies.restore(thief)
    assert found == set()


def test_no_table_is_forgotten(copies, tmp_path):
    """The others hold nothing of a payment: the version of the tables, what is planned.

    A bill that is altered leads to a charge whose trail says what was charged.
    """
    others = {"kessai_schema", "kessai_bills", "kessai_chunks"}
    assert copies.thief(tmp_path).tables() - {*TABLES} == others
