"""A secret in every credential and a mark in every personal field, searched everywhere.

One whole life is led over real HTTP, by the library and by the command line, with every
mishap on the way; then everything that it left behind is searched.
"""

import base64
import hashlib
import hmac
import json
import logging
import sqlite3
import traceback
from contextlib import closing
from urllib.parse import urlencode

import attrs
import pytest

from kessai import Command, Engine, HttpTransport, Recovery, SQLiteStore
from kessai.cli.main import run_command
from kessai.errors import InvalidInput, KessaiError, RedirectRefused
from kessai.gateway import Call, Failure, Reply
from kessai.machine import read_record
from kessai_adapters.emulators import Fault, serve
from kessai_adapters.emulators.veritrans4g import Emulator, OwnFault, commands
from kessai_adapters.veritrans4g import (
    Credentials,
    VeriTrans4G,
    check_redirect,
    exchange_for_log,
    mask,
)

CCID = "Z9plantedccidZ9plantedccid"
KEY = "5ec2e7" * 10 + "0ddb"
NOTIFICATION_URL = "https://shop.example/push?token=planted-push-token"
SECRETS = {CCID, KEY, "planted-notification-token", "planted-host"}
PERSONAL = {
    name: f"植えた {name} planted"
    for name in (
        *commands._SHIPPING,
        *commands._MORE,
        *("pushed name", "pushed mail", "message", "page", "session", "returned name"),
    )
}
FREE_TEXTS = {
    "note": "kept-note 山田様",
    "reason": "kept-reason 山田様",
    "address_restrictions": '{"kept-restrictions":"山田様"}',
    "success_url": "https://shop.example/?s=kept-success",
    "cancel_url": "https://shop.example/?s=kept-cancel",
    "error_url": "https://shop.example/?s=kept-error",
    "merchant_page_url": "https://shop.example/?s=kept-page",
}
KEPT = (
    *("kept-note", "kept-reason", "kept-restrictions", "kept-success"),
    *("kept-cancel", "kept-error", "kept-page", "山田様"),
)
"""What stands in free parameters. They are kept to be sent again, and shown nowhere."""

APPLIED = {name: FREE_TEXTS[name] for name in FREE_TEXTS if name != "reason"}
APPLIED["merchant_page"] = True
DETAILS = {"details": True}


def marks_in(text):
    """Which secrets and personal marks stand in `text`, however they are written."""
    forms = {}
    for mark in (*SECRETS, *PERSONAL.values()):
        forms[mark] = mark
        forms[json.dumps(mark).strip('"')] = mark
        forms[mark.encode("unicode_escape").decode()] = mark
        forms[urlencode({"": mark})[1:]] = mark
        forms[base64.b64encode(mark.encode()).decode()] = mark
        forms[repr(mark.encode())[2:-1]] = mark
    return {mark for form, mark in forms.items() if form in text}


def kept_in(text):
    return {mark for mark in KEPT if mark in text}


def chain(error):
    """An error with all that led to it, also what `from None` hides from a traceback."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    for one in seen:
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))
    yield "".join(traceback.format_exception(seen[0]))


@attrs.define
class Life:
    """Two ways to the same store and gateway, and everything that was seen of them."""

    emulator: Emulator
    url: str
    path: object
    seen: list = attrs.field(factory=list)
    engine: Engine = None
    disclosed: list = attrs.field(factory=list)

    def open(self):
        self.adapter = VeriTrans4G(
            Credentials(CCID, KEY),
            host=self.url,
            dummy=True,
            notification_url=NOTIFICATION_URL,
        )
        self.transport = HttpTransport()
        self.engine = Engine(
            adapters=[self.adapter],
            store=SQLiteStore(self.path),
            transport=self.transport,
        )
        return self

    adapter: VeriTrans4G = None
    transport: HttpTransport = None

    def note(self, *values):
        """Keep how `values` show themselves."""
        for value in values:
            self.seen += [repr(value), str(value), f"{value}"]

    def do(self, name, transaction, *, key, **fields):
        command = Command(name, transaction, key=key, **fields)
        self.note(command)
        try:
            answer = self.engine.execute(command)
        except KessaiError as error:
            self.seen += chain(error)
            raise
        self.note(answer, answer.evidence, answer.denial, answer.transaction)
        self.disclosed.append(answer.disclosed)
        return answer

    def fail(self, kinds, act, *arguments):
        """Something that must fail; how it tells of it is kept."""
        with pytest.raises(kinds) as failure:
            act(*arguments)
        self.seen += chain(failure.value)

    def notification(self, headers=None, **fields):
        form = {"numberOfNotify": 1, "pushTime": "20260101000000", "pushId": 1}
        body = urlencode({**form, **fields}).encode()
        proof = hmac.digest(bytes.fromhex(KEY), body, "sha256").hex()
        signed = {"Content-Hmac": f"h=HmacSHA256;s={CCID};v={proof}"}
        self.engine.receive_notification(headers or signed, body)

    def everything_kept(self):
        """The store's every byte, and its every object."""
        store = self.engine.store
        for transaction in store.transactions():
            self.note(transaction, *transaction.operations.values())
        for _, records in store.trails():
            head = ""
            for record in records:
                self.note(record, read_record(record, head))
                head = record.hash
        self.note(store, self.engine, self.adapter, self.transport)
        self.note(self.adapter.credentials, self.adapter._envelope)


@pytest.fixture
def life(tmp_path, monkeypatch):
    for fields in (commands._SHIPPING, commands._MORE):
        for name in fields:
            monkeypatch.setitem(fields, name, PERSONAL[name])
    emulator = Emulator(merchant_ccid=CCID, secret_key=KEY, approve="ask")
    with serve(emulator) as server:
        life = Life(emulator, server.url, tmp_path / "life.db").open()
        yield life
        life.engine.close()
    emulator.close()


def lead(life):
    """Applies, is refused, loses replies, captures, refunds, reads, hears of notifications."""
    merchant = {"lifecycle": "one_time", "amount": 1000, "parameters": APPLIED}
    life.do("authorize", "order", key="k1", **merchant)
    life.emulator.consumer.log_in("order")
    life.do("get_address", "order", key="k2", parameters=DETAILS)
    life.emulator.consumer.approve("order")
    for notification in life.emulator.take_notifications():
        life.engine.receive_notification(notification.headers, notification.body)
    for number, fault in enumerate({*Fault, *OwnFault} - {OwnFault.PENDING}):
        life.emulator.misbehave(fault, command="GetAddress")
        life.do("get_address", "order", key=f"f{number}", parameters=DETAILS)
    life.do("capture", "order", key="k3", parameters={"note": FREE_TEXTS["note"]})
    life.emulator.misbehave("lose_reply", command="Capture")
    life.do("capture", "order", key="k4", amount=900)
    life.engine.recover_transaction("order", Recovery(patience=Recovery().patience * 0))
    life.emulator.misbehave("garbage", command="Refund")
    life.do("refund", "order", key="k5", amount=100)
    life.emulator.misbehave("refuse", command="Refund")
    life.do("refund", "order", key="k6", amount=100)
    life.do("refund", "order", key="k6", amount=101)
    life.do("authorize", "other", key="k7", **merchant)
    life.emulator.consumer.decline("other")
    life.do("authorize", "third", key="k8", **{**merchant, "parameters": {}})
    life.emulator.consumer.approve("third")
    life.engine.recover_transaction("third")
    reason = {"reason": FREE_TEXTS["reason"]}
    life.do("cancel", "third", key="k9", parameters=reason)


def hear(life):
    """Notifications with personal data, forged ones, and ones that cannot be read."""
    refund = {"orderId0000": "order", "txnType0000": "Refund", "mstatus0000": "success"}
    about = {
        "vResultCode0000": "A001000000000000",
        "buyerName0000": PERSONAL["pushed name"],
        "buyerEmail0000": PERSONAL["pushed mail"],
        "merrMsg0000": PERSONAL["message"],
        "amount0000": 100,
        **refund,
    }
    life.notification(**about)
    life.notification(**{**about, "orderId0000": "stranger"})
    life.fail(KessaiError, life.notification, {"Content-Hmac": PERSONAL["pushed name"]})
    for name in ("orderId0000", "txnType0000", "dummy0000", "numberOfNotify"):
        wrong = {**about, name: PERSONAL["pushed name"]}
        life.fail(KessaiError, lambda fields: life.notification(**fields), wrong)


def come_back(life):
    """A browser returns, truly and falsely."""
    names = ["orderId", "buyerName"]
    values = {"orderId": "order", "buyerName": PERSONAL["returned name"]}
    text = CCID + "".join(values[name] for name in names) + KEY
    query = {
        **values,
        "authParams": base64.b64encode(",".join(names).encode()).decode(),
        "vAuthInfo": hashlib.sha256(text.encode()).hexdigest(),
    }
    credentials = life.adapter.credentials
    check_redirect(credentials, query)
    personal = PERSONAL["returned name"]
    listed = base64.b64encode(personal.encode()).decode()
    for name, value in (
        ("vAuthInfo", personal),
        ("vAuthInfo", "0" * 64),
        ("authParams", listed),
        ("authParams", personal),
        ("buyerName", f"{personal} x"),
    ):
        life.fail(RedirectRefused, check_redirect, credentials, {**query, name: value})


def misconfigure(life):
    """Every setting of the adapter with a secret in the wrong place."""
    good = {"CCID": CCID, "KEY": KEY, "HOST": life.url, "DUMMY": "1"}
    for name, wrong in {
        "CCID": f"{CCID} {KEY}",
        "KEY": f"{KEY}{CCID}",
        "HOST": f"https://user:{KEY}@planted-host",
        "DUMMY": KEY,
        "NOTIFICATION_URL": f"ftp://{KEY}",
    }.items():
        variables = {**good, name: wrong}
        environ = {f"KESSAI_VERITRANS_{n}": v for n, v in variables.items()}
        life.fail(InvalidInput, VeriTrans4G.from_environment, environ)
    life.fail(InvalidInput, lambda: Credentials(KEY * 2, KEY))
    life.fail(InvalidInput, lambda: Credentials(CCID, CCID))
    life.fail(TypeError, life.adapter.credentials.__reduce_ex__, 2)


def speak_directly(life):
    """The adapter's functions on their own, with what only they can be given."""
    page = PERSONAL["page"]
    members = {"merrMsg": page, "responseContents": page, "orderId": "order"}
    bodies = [
        json.dumps({"result": {**members, "mstatus": "success"}}),
        json.dumps({"result": {**members, "mstatus": page, "vResultCode": page}}),
        json.dumps({"result": {"orderId": page, "custTxn": page}}),
        page,
        '{"result":{"x":"' + page + '"',
    ]
    for command in ("authorize", "get_address", "inquiry"):
        call = Call(
            command=command,
            transaction="order",
            lifecycle="one_time",
            amount=1 if command == "authorize" else None,
            parameters={},
        )
        request = life.adapter.request(call)
        life.note(call, request)
        assert KEY.encode() not in request.body
        for body in bodies:
            reply = Reply(status=200, headers=(("x", page),), body=body.encode())
            life.note(reply, life.adapter.evidence(call, reply))
            life.note(exchange_for_log(call, request, reply))
            life.note(mask({"result": members, "merchantCcid": CCID, "memo": KEY}))
        failure = Failure(sent=True, reason=page)
        life.note(exchange_for_log(call, request, failure))
    torn = {"note": f"{page}\ud800", f"{page}": "x", "details": page}
    for name, value in torn.items():
        command = "get_address" if name == "details" else "authorize"
        wrong = attrs.evolve(call, command=command, parameters={name: value})
        life.fail(InvalidInput, life.adapter.request, wrong)
    unknown = attrs.evolve(call, command=page)
    life.fail(InvalidInput, life.adapter.request, unknown)


def type_in(life, capsys, monkeypatch, caplog):
    """The same by the command line; what it prints, but for what is disclosed."""
    settings = {"HOST": life.url, "CCID": CCID, "KEY": KEY, "DUMMY": "1"}
    for name, value in {**settings, "NOTIFICATION_URL": NOTIFICATION_URL}.items():
        monkeypatch.setenv(f"KESSAI_VERITRANS_{name}", value)
    life.emulator.approve = "now"
    orders = life.path.with_name("orders.jsonl")
    lines = [
        ("authorize", "filed", {"lifecycle": "one_time", "amount": 5}),
        ("cancel", "filed", {"parameters": {"reason": FREE_TEXTS["reason"]}}),
    ]
    orders.write_text(
        "\n".join(
            json.dumps(
                {"at": "2026-01-01T00:00:00Z", "key": f"file-{name}"}
                | {"command": name, "transaction": transaction}
                | fields
            )
            for name, transaction, fields in lines
        ),
        "utf-8",
    )
    wrong = orders.with_name("wrong.jsonl")
    wrong.write_text(json.dumps({"note": PERSONAL["message"]}) + "\n{", "utf-8")
    begin = ("tx", "do", "typed", "authorize", "--lifecycle", "one_time")
    texts = [part for name in APPLIED for part in ("--param", f"{name}=")]
    texts = [
        text + str(APPLIED[text[:-1]]).replace("True", "true")
        if text.endswith("=")
        else text
        for text in texts
    ]
    plain = ("--param", f"note={FREE_TEXTS['note']}")
    reason = f"reason={FREE_TEXTS['reason']}"
    runs = [
        (*begin, "--amount", "1000", "--key", "t1", *plain, "@"),
        ("tx", "do", "typed2", *begin[3:], "--amount", "0", *texts, "@"),
        (*begin, "--amount", "x", "--param", PERSONAL["message"], "@"),
        ("tx", "do", "typed", "get_address", "--param", "details=true", "@!"),
        ("tx", "do", "typed", "capture", "--key", "t2", "@"),
        ("tx", "do", "typed", "capture", "--key", "t2", "@"),
        ("tx", "do", "typed", "cancel", "--param", reason, "@"),
        ("tx", "do", "typed", "cancel", "--dry-run", "--param", reason, "@"),
        ("run", orders, "@"),
        ("run", wrong, "@"),
        ("tx", "list", "-"),
        *(
            ("tx", "show", name, "--events", "-")
            for name in ("order", "other", "typed")
        ),
        ("tx", "can", "order", "-"),
        ("recover", "--once", "@"),
        ("reconcile", "@"),
        ("sweep", "@"),
        ("audit", "verify", "-"),
    ]
    for run in runs:
        for more in ((), ("--json",), ("--lang", "ja")):
            _typed(life, capsys, [*run[:-1], *more], run[-1])


def _typed(life, capsys, words, ending):
    gateway = [] if ending == "-" else ["--gateway", "veritrans4g"]
    capsys.readouterr()
    run_command([*map(str, words), "--db", str(life.path), *gateway])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert "Usage: kessai [OPTIONS]" not in err
    if "--json" in words:
        life.seen.append(_undisclosed(out))
    elif not ending.endswith("!"):  # a person asked to see it
        life.seen.append(out)
    life.seen.append(err)


def _undisclosed(out):
    """What a program reads, without what it asked to see."""
    try:
        data = json.loads(out)
    except json.JSONDecodeError:
        return out
    data.pop("disclosed", None)
    return json.dumps(data, ensure_ascii=False)


def test_no_secret_and_nothing_personal_is_left_anywhere(
    life, tmp_path, caplog, capsys, monkeypatch
):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("kessai.transport").debug("whatever is logged is seen")
    lead(life)
    hear(life)
    come_back(life)
    misconfigure(life)
    speak_directly(life)
    type_in(life, capsys, monkeypatch, caplog)
    life.everything_kept()

    # The search can find something: the caller was shown all of it.
    shown = json.dumps(life.disclosed, ensure_ascii=False)
    assert marks_in(shown) >= {
        PERSONAL[name] for name in (*commands._SHIPPING, *commands._MORE)
    }
    assert any(record.name.startswith("kessai.transport") for record in caplog.records)
    assert len(life.seen) > 500

    logged = [record.getMessage() + repr(vars(record)) for record in caplog.records]
    for text in (*life.seen, *logged):
        assert marks_in(text) == set(), text[:2000]
        assert kept_in(text) == set(), text[:2000]
    files = sorted(tmp_path.glob("life.db*"))
    assert any(file.name.endswith("-wal") for file in files)
    for file in files:
        raw = file.read_bytes()
        assert marks_in(raw.decode("utf-8", "replace")) == set()
        for mark in (*SECRETS, *PERSONAL.values()):
            assert mark.encode() not in raw


def test_free_texts_are_kept_only_to_be_sent_again(life):
    """They stand in what began an operation, and in its transaction while it is open."""
    lead(life)
    with closing(sqlite3.connect(life.path)) as database:
        rows = {
            table: database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            for (table,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
        }
    holding = {
        table
        for table, found in rows.items()
        for row in found
        if kept_in(" ".join(_text(value) for value in row))
    }
    assert holding == {"kessai_events", "kessai_states"}
    for _name, _number, body, *_ in rows["kessai_events"]:
        event = json.loads(body)
        if kept_in(_text(body)):
            assert event["kind"] == "begun"
            given = event["data"]["operation"].pop("parameters")
            assert {*given} <= {*FREE_TEXTS, "merchant_page"}
            assert kept_in(json.dumps(event, ensure_ascii=False)) == set()
    for transaction in life.engine.store.transactions():
        state = next(row for row in rows["kessai_states"] if row[0] == transaction.id)
        held = kept_in(" ".join(_text(value) for value in state))
        assert bool(held) == bool(transaction.operations), transaction.id


def _text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
