"""A shop in Flask: its orders, and their payments, in one SQLite file.

uv run python tests/shops/by_hand.py flask
"""

import json
import os
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from secrets import token_urlsafe

from flask import Flask, redirect, render_template_string, request, url_for

from kessai import (
    Command,
    Engine,
    SQLiteStore,
    Telemetry,
    answer_notification,
    load_file,
)
from kessai.errors import InvalidInput, NotificationRefused, UnknownTransaction
from kessai.feed import check_webhook, read_secrets
from kessai_adapters.veritrans4g import VeriTrans4G

DATABASE = os.environ.get("SHOP_DB", "shop.db")
RULES = os.environ.get("SHOP_LIFECYCLE")  # a file of your own, if any
SECRETS = read_secrets(os.environ["KESSAI_WEBHOOK_SECRET"])

app = Flask(__name__)
engine = Engine(  # made before gunicorn forks its workers
    adapters=[VeriTrans4G.from_environment(os.environ)],
    store=SQLiteStore(DATABASE, shared=True),
    lifecycles=[load_file(RULES)] if RULES else None,
    observer=Telemetry(),
)


class Denied(Exception):
    """The rules do not allow it; the text says why."""


@contextmanager
def transaction():
    """A transaction of the shop's own: all of it is committed, or nothing."""
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def begin(connection, name, order, **fields):
    """Begin a command in the shop's transaction; it is carried out after the commit."""
    command = Command(name, order, **{"key": f"{order} {name}", **fields})
    prepared = engine.begin(command, connection=connection)
    if prepared.denial:
        raise Denied(prepared.denial)  # rolls the transaction back
    return prepared


with transaction() as making:
    making.execute(
        "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, total INTEGER NOT NULL,"
        " shipped INTEGER NOT NULL DEFAULT 0, payment TEXT NOT NULL DEFAULT '',"
        " event INTEGER NOT NULL DEFAULT 0)"
    )

# ── for consumers ───────────────────────────────────────────────────────────────────


@app.get("/")
def cart():
    return """<form method="post" action="/orders"><input name="cart" value="cart-1">
<input name="total" value="1200"><button>Check out</button></form>"""


@app.post("/orders")
def checkout():
    """Write the order with the intent to have it paid, and send the consumer to pay."""
    order, total = request.form["cart"], request.form.get("total", type=int)
    back = url_for("returned", order=order, _external=True)
    pages = dict.fromkeys(["success_url", "cancel_url", "error_url"], back)
    opening = {"lifecycle": "one_time", "amount": total, "parameters": pages}
    with transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO orders (id, total) VALUES (?, ?)", [order, total]
        )
        prepared = begin(connection, "authorize", order, **opening)
    page = engine.carry_out(prepared).disclosed.get("page")
    return page or redirect(back, 303)  # an HTML page that leads to the gateway's


@app.get("/orders/<order>/return")
def returned(order):
    """Ask the gateway: that somebody comes to this address proves no payment."""
    engine.recover_transaction(order)
    return redirect(url_for("show", order=order))


# ── for the shop's people: behind your login ────────────────────────────────────────

PAGE = """<h1>{{ payment.id }}</h1><p>{{ payment.status }}</p>
<form method="post" action="{{ payment.id }}/ship"><button>Ship</button></form>
<form method="post" action="{{ payment.id }}/refund"><input name="amount">
<input type="hidden" name="key" value="{{ key }}"><button>Refund</button></form>"""


@app.get("/orders/<order>")
def show(order):
    payment, key = engine.transaction(order), token_urlsafe(9)
    return render_template_string(PAGE, payment=payment, key=key)


@app.post("/orders/<order>/ship")
def ship(order):
    """Capture what was authorized, with the goods on their way."""
    with transaction() as connection:
        connection.execute("UPDATE orders SET shipped = 1 WHERE id = ?", [order])
        prepared = begin(connection, "capture", order)
    engine.carry_out(prepared)
    return redirect(url_for("show", order=order), 303)


@app.post("/orders/<order>/refund")
def refund(order):
    """Pay back a part; its key came with the page, so a second click is no second one."""
    amount, key = request.form.get("amount", type=int), request.form["key"]
    answer = engine.execute(Command("refund", order, key=key, amount=amount))
    if answer.denial:
        raise Denied(answer.denial)
    return redirect(url_for("show", order=order), 303)


# ── for the gateway, and for `kessai events send` ───────────────────────────────────


@app.post("/payments")
def notified():
    answer = answer_notification(engine, request.headers, request.get_data())
    return answer.body, answer.status, answer.headers


@app.post("/events")
def told():
    """Write what became of a payment to its order, whoever found it out."""
    body = request.get_data()
    check_webhook(SECRETS, request.headers, body, datetime.now(UTC))
    event = json.loads(body)["data"]
    with transaction() as connection:  # an event may come twice, and late
        connection.execute(
            "UPDATE orders SET payment = :status, event = :number"
            " WHERE id = :transaction AND event < :number",
            event,
        )
    return "", 204


# ── what is refused ─────────────────────────────────────────────────────────────────


@app.errorhandler(Denied)
def denied(reasons):
    return str(reasons), 409


@app.errorhandler(InvalidInput)
@app.errorhandler(NotificationRefused)
def refused(mistake):
    return str(mistake), 400


@app.errorhandler(UnknownTransaction)
def unknown(_):
    return "There is no such order.", 404
