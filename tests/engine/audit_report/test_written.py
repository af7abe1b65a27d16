"""The report as a page, as an object, as a table: whole, safe, and for everybody."""

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources
from io import StringIO

import attrs
import pytest
from busy_shop import HOSTILE, NOON, opened, spoil
from jinja2 import UndefinedError

from kessai import MemoryStore, SQLiteStore
from kessai.audit.coverage.totals import from_store
from kessai.audit.reporting import as_html, gather, render
from kessai.errors import InvalidInput
from kessai.spec import load_file

VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """A page read: its tags, attributes, text and styles; every tag must be closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.texts, self.styles = [], [], [], []
        self._open = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        inside = self._open[-1] if self._open else ""
        (self.styles if inside == "style" else self.texts).append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def values(self, name):
        return [value for _, found, value in self.attributes if found == name]


@pytest.fixture(scope="module")
def facts(busy_path, request):
    from kessai.shell import shipped_lifecycles

    store = SQLiteStore(busy_path)
    known = shipped_lifecycles()
    coverage = from_store(store)
    yield gather(store, "shop.db", NOON, coverage=coverage, known=known)
    store.close()


@pytest.fixture(scope="module", params=["en", "ja"])
def page(request, facts):
    return Page(render(facts, "html", request.param))


# ── the page ────────────────────────────────────────────────────────────────────────


def test_the_page_asks_for_nothing_else(page):
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    loads = {"src", "srcset", "href", "xlink:href", "action", "data", "poster"}
    asked = {value for _, name, value in page.attributes if name in loads}
    assert all(value.startswith("#") for value in asked)
    assert not re.search(r"url\(|@import|https?:", " ".join(page.styles))


def test_the_page_allows_its_own_styles_and_nothing_else(page):
    (policy,) = [v for v in page.values("content") if "default-src" in (v or "")]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for style in page.styles:
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "style" not in {name for _, name, _ in page.attributes}
    assert not [n for _, n, _ in page.attributes if n.startswith("on")]


def test_what_comes_from_the_store_is_text_wherever_it_stands(page):
    assert HOSTILE in page.text
    assert f"seen {HOSTILE}" in page.text
    assert "Sato <s@x>" in page.text


def test_what_comes_from_a_lifecycle_file_is_text_too(tmp_path):
    shipped = resources.files("kessai_specs").joinpath("one_time.toml")
    own = tmp_path / "one_time.toml"
    title = 'title      = { en = "</title><script>alert(1)</script>", ja = "<style>x" }'
    written = shipped.read_text("utf-8").replace(
        'title      = { en = "one-time payment", ja = "都度決済" }', title
    )
    assert title in written
    own.write_text(written, "utf-8")
    lifecycle = load_file(own)
    shop = opened(MemoryStore(), lifecycles=[lifecycle])
    shop.sells()
    page = Page(render(gather(shop.engine.store, "memory:", NOON), "html"))
    assert "</title><script>alert(1)</script>" in page.text
    assert "script" not in page.tags


def test_every_id_is_there_once_and_every_link_leads_somewhere(page):
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = [value[1:] for tag, name, value in page.attributes if name == "href"]
    assert set(links) <= set(ids)


def test_pictures_speak_to_those_who_do_not_see_them(page):
    pictures = page.tags.count("svg")
    spoken = len(
        [1 for t, n, v in page.attributes if (t, n, v) == ("svg", "role", "img")]
    )
    hidden = [
        1 for tag, name, _ in page.attributes if (tag, name) == ("svg", "aria-hidden")
    ]
    assert pictures == spoken + len(hidden)
    labelled = [v for t, n, v in page.attributes if (t, n) == ("svg", "aria-label")]
    assert len(labelled) == spoken
    assert all(labelled)


def test_tables_have_headings_and_scroll_by_keyboard(page):
    assert page.tags.count("table") > 10
    scopes = set(page.values("scope"))
    assert scopes == {"col", "row"}
    regions = page.values("role").count("region")
    assert page.values("tabindex").count("0") == regions
    assert regions >= page.tags.count("table")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Everything holds", "one-time payment", "authorization expired", "never"],
        ),
        ("ja", ["すべて正当", "都度決済", "期限切れとなりました", "未実行"]),
    ],
)
def test_the_page_speaks_both_languages(facts, language, words):
    page = Page(render(facts, "html", language))
    assert ("html", "lang", language) in page.attributes
    assert [word for word in words if word not in page.text] == []


def test_every_word_is_there_in_both_languages_with_the_same_gaps():
    from kessai.audit.coverage.items import KINDS, TEXTS
    from kessai.audit.reporting.words import word

    for words in (word, TEXTS, KINDS):
        for name, text in words.items():
            assert text.en, name
            assert text.en != text.ja
            gaps = [set(re.findall(r"{(\w+)}", text)) for text in (text.en, text.ja)]
            assert gaps[0] == gaps[1], name


def test_the_diagram_carries_the_counts(page):
    classes = " ".join(value or "" for value in page.values("class"))
    assert "heat-" in classes
    assert "never" in classes
    assert any(
        "l1-payment.authorized--capture--" in named for named in page.values("id")
    )
    assert "8 ×" in page.text


def test_an_empty_store_still_makes_a_page(empty, known):
    page = Page(render(gather(empty, "memory:", NOON, known=known), "html"))
    assert "There are no transactions in this store yet." in page.text


def test_a_store_that_does_not_hold_says_so_first(own_path, known):
    spoil(own_path, "A-2", 4, b'"amount":1800', b'"amount":1801')
    store = SQLiteStore(own_path)
    page = Page(render(gather(store, "shop.db", NOON, known=known), "html"))
    store.close()
    assert "Does not hold" in page.text
    assert "Everything holds" not in page.text
    assert page.text.index("A-2") < page.text.index("The path of the money")


def test_the_same_facts_make_the_same_page(facts):
    assert render(facts, "html", "ja") == render(facts, "html", "ja")


def test_what_a_template_asks_for_and_does_not_get_is_an_error(monkeypatch, facts):
    wrong = {k: v for k, v in as_html.plain(facts, "en").items() if k != "heads"}
    monkeypatch.setattr(as_html, "plain", lambda *_: wrong)
    with pytest.raises(UndefinedError, match="heads"):
        render(facts, "html")


def test_without_jinja_the_error_names_the_extra(facts):
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from kessai.audit.reporting.as_html import _environment\n"
        "from kessai.errors import StoreUnsuitable\n"
        "try: _environment()\n"
        "except StoreUnsuitable as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "kessai[report]" in done.stdout


def test_reports_are_made_without_jinja_where_none_is_needed():
    code = (
        "import sys, kessai.audit.reporting, kessai.cli.audit.report\n"
        "print([m for m in sys.modules if m in {'jinja2', 'markupsafe'}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_lifecycle_without_a_picture_is_shown_in_tables(monkeypatch, facts):
    def fails(*_):
        raise InvalidInput("no Graphviz")

    monkeypatch.setattr("kessai.audit.reporting.pictures.render", fails)
    page = Page(render(facts, "html"))
    assert "kessai[diagram]" in page.text
    assert "Every declared move" in page.text


# ── data ────────────────────────────────────────────────────────────────────────────


def test_the_object_holds_what_the_page_tells(facts):
    report = json.loads(render(facts, "json", "en"))
    assert report["holds"] is True
    assert report["at"] == "2026-04-01T12:00:00Z"
    assert report["lifecycles"][0]["name"] == "one_time"
    assert report["closed"]["first"][0]["note"] == f"seen {HOSTILE}"


def table(facts):
    return list(csv.DictReader(StringIO(render(facts, "csv", "en"))))


def test_the_table_has_one_figure_a_row(facts):
    rows = table(facts)
    (captures,) = [
        row
        for row in rows
        if (row["section"], row["lifecycle"], row["state"])
        == (
            "matrix",
            "one_time",
            "payment.authorized",
        )
        and (row["command"], row["measure"]) == ("capture", "reached")
    ]
    assert captures["value"] == "8"
    assert {"report", "matrix", "move", "state", "amount", "denial", "deadline"} <= {
        row["section"] for row in rows
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_of_the_table_is_a_formula(facts, start):
    (waiting,) = facts.waiting.first
    hostile = attrs.evolve(waiting, transaction=f"{start}cmd|' /C calc'!A0")
    malformed = attrs.evolve(
        facts, waiting=attrs.evolve(facts.waiting, first=(hostile,))
    )
    (row,) = [
        row
        for row in table(malformed)
        if row["section"] == "open_operations" and row["transaction"]
    ]
    assert row["transaction"] == f"'{start}cmd|' /C calc'!A0"


def test_an_unknown_format_or_language_is_refused_with_those_known(facts):
    with pytest.raises(InvalidInput, match="html, json, csv"):
        render(facts, "pdf")
    with pytest.raises(InvalidInput, match="en, ja"):
        render(facts, "html", "fr")
