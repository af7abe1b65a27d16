"""The same sale in every format that logs come in, and what no format may do."""

import gzip
import io
import json
import random  # noqa: TID251 - seeded below
import sqlite3
import sys
import zipfile
from contextlib import closing
from datetime import UTC, date, datetime
from typing import NamedTuple

import openpyxl
import pytest

from kessai.audit.log_check import Layout
from kessai.errors import InvalidInput

# order, command, time, lifecycle:transition, amount
EVENTS = [
    ("A-1", "authorize", "2026-01-05T09:05:00+09:00", "start", "12000.0"),
    ("A-1", "authorize", "2026-01-05T09:05:05+09:00", "complete", "12000.0"),
    ("A-1", "capture", "2026-01-06T10:00:00+09:00", "start", "1.0E4"),
    ("A-1", "capture", "2026-01-06T10:00:05+09:00", "complete", "1.0E4"),
    ("A-2", "authorize", "2026-01-06T10:00:00+09:00", "complete", "500.0"),
    ("A-2", "capture", "2026-01-06T10:00:01+09:00", "complete", "501.0"),
    ("A-2", "ship", "2026-01-07T10:00:00+09:00", "schedule", ""),
]
SHIP = {"ship": "-"}


def xes(events=EVENTS, before='<?xml version="1.0" encoding="UTF-8"?>'):
    traces = []
    for order in dict.fromkeys(event[0] for event in events):
        inner = "".join(
            "<event>"
            f'<string key="concept:name" value="{command}"/>'
            f'<date key="time:timestamp" value="{at}"/>'
            f'<string key="lifecycle:transition" value="{transition}"/>'
            + (f'<float key="amount" value="{amount}"/>' if amount else "")
            + '<string key="org:resource" value="x"><string key="amount" value="9"/>'
            "</string></event>"
            for name, command, at, transition, amount in events
            if name == order
        )
        traces.append(
            f'<trace>{inner}<string key="concept:name" value="{order}"/></trace>'
        )
    return (
        f'{before}<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">'
        '<extension name="Concept" prefix="concept" uri="u"/>'
        '<global scope="event"><string key="concept:name" value="none"/></global>'
        f"{''.join(traces)}</log>"
    )


def objects():
    yield {"id": "C", "type": "customer"}
    for order in dict.fromkeys(event[0] for event in EVENTS):
        yield {"id": order, "type": "order"}


def ocel_json():
    events = [
        {
            "id": f"e{number}",
            "type": command,
            "time": at,
            "attributes": [
                {"name": "lifecycle:transition", "value": transition},
                *([{"name": "amount", "value": float(amount)}] if amount else []),
            ],
            "relationships": [
                {"objectId": order, "qualifier": "of"},
                {"objectId": "C", "qualifier": "by"},
            ],
        }
        for number, (order, command, at, transition, amount) in enumerate(EVENTS)
    ]
    return json.dumps(
        {
            "objectTypes": [{"name": "order", "attributes": []}],
            "eventTypes": [],
            "objects": list(objects()),
            "events": events,
        },
        indent=2,
    )


def ocel_xml():
    events = "".join(
        f'<event id="e{number}" type="{command}" time="{at}"><attributes>'
        f'<attribute name="lifecycle:transition">{transition}</attribute>'
        + (f'<attribute name="amount">{amount}</attribute>' if amount else "")
        + f'</attributes><objects><relationship object-id="{order}" qualifier="of"/>'
        '<relationship object-id="C" qualifier="by"/></objects></event>'
        for number, (order, command, at, transition, amount) in enumerate(EVENTS)
    )
    known = "".join(
        f'<object id="{each["id"]}" type="{each["type"]}"><attributes>'
        '<attribute name="amount" time="1970-01-01T00:00:00Z">7</attribute>'
        "</attributes></object>"
        for each in objects()
    )
    return (
        '<?xml version="1.0"?><log><object-types/><event-types><event-type'
        ' name="capture"><attributes><attribute name="amount" type="float"/>'
        "</attributes></event-type></event-types>"
        f"<objects>{known}</objects><events>{events}</events></log>"
    )


def ocel_sqlite(path):
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(
            "CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT);"
            "CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT);"
            "CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);"
            "CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT,"
            " ocel_qualifier TEXT);"
        )
        for command in ("capture", "authorize", "ship"):
            db.execute(
                f'CREATE TABLE "event_{command}" (ocel_id TEXT, ocel_time TIMESTAMP,'
                ' "lifecycle:transition" TEXT, amount REAL)'
            )
            db.execute("INSERT INTO event_map_type VALUES (?, ?)", (command, command))
        for each in objects():
            db.execute("INSERT INTO object VALUES (?, ?)", (each["id"], each["type"]))
        for number, (order, command, at, transition, amount) in enumerate(EVENTS):
            event = f"e{number}"
            db.execute("INSERT INTO event VALUES (?, ?)", (event, command))
            row = (event, at, transition, float(amount) if amount else None)
            db.execute(f"INSERT INTO event_{command} VALUES (?, ?, ?, ?)", row)  # noqa: S608
            for each in (order, "C"):
                db.execute(
                    "INSERT INTO event_object VALUES (?, ?, 'of')", (event, each)
                )


def csv_text():
    header = (
        "case:concept:name,concept:name,time:timestamp,lifecycle:transition,amount\n"
    )
    return header + "".join(
        f"{order},{command},{at},{transition},{amount.replace('1.0E4', '10000.0')}\n"
        for order, command, at, transition, amount in EVENTS
    )


def sheet(path, rows=None, *, more=()):
    workbook = openpyxl.Workbook()
    given = workbook.active
    given.title = "処理"
    if rows is None:
        rows = [["オーダーID", "種別", "更新日時", "対応状況", "利用金額"]]
        for order, command, at, transition, amount in EVENTS:
            local = datetime.fromisoformat(at).replace(tzinfo=None)
            rows.append(
                [order, command, local, transition, float(amount) if amount else None]
            )
    for row in rows:
        given.append(row)
    for name, cells in more:
        other = workbook.create_sheet(name)
        for row in cells:
            other.append(row)
    workbook.save(path)


@pytest.fixture
def log(tmp_path):
    """The sale in a file of each format."""

    def write(form):
        path = tmp_path / f"log.{form}"
        match form:
            case "sqlite":
                ocel_sqlite(path)
            case "xlsx":
                sheet(path)
            case "xes.gz":
                path.write_bytes(gzip.compress(xes().encode()))
            case _:
                texts = {"csv": csv_text, "xes": xes, "json": ocel_json}
                path.write_text(texts.get(form, ocel_xml)(), "utf-8")
        return path

    return write


class Form(NamedTuple):
    """A file's name, how it is read, what its rows are, and the number of the first."""

    name: str
    read_as: str
    unit: str
    first: int


FORMS = [
    Form("csv", "csv", "line", 2),
    Form("xes", "xes", "event", 1),
    Form("xes.gz", "xes", "event", 1),
    Form("json", "ocel", "event", 1),
    Form("xml", "ocel", "event", 1),
    Form("sqlite", "ocel", "event", 1),
    Form("xlsx", "xlsx", "row", 2),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
class TestEveryFormat:
    def test_the_same_is_found(self, log, check_file, form):
        checked_log = check_file(log(form.name), "one_time", commands=SHIP)
        assert checked_log.bad == []
        place = form.first + 5
        assert checked_log.violations == [f"{place} capture amount_above_maximum"]
        assert checked_log.findings.allowed == 5
        assert checked_log.findings.left_out == 1
        assert checked_log.findings.left_open == 0
        read = checked_log.checked
        assert (read.form, read.unit) == (form.read_as, form.unit)

    def test_a_row_is_named_by_its_place(self, log, kessai, form):
        path = log(form.name)
        asked = ("audit", "check", path, "--lifecycle", "one_time", "--lang")
        assert f"({form.unit} {form.first + 6})" in kessai(*asked, "en").out
        known = ("--command", "ship=-")
        place = form.first + 5
        assert f"A-2, {form.unit} {place}," in kessai(*asked, "en", *known).out
        shown = "番目のイベント" if form.unit == "event" else "行目"
        assert f"A-2、{place} {shown}" in kessai(*asked, "ja", *known).out

    def test_it_may_come_by_a_pipe(self, log, kessai, monkeypatch, form):
        content = log(form.name).read_bytes()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        found = kessai("audit", "check", "-", "--lifecycle", "one_time", "--json").json
        assert found["events"]["allowed"] == 5
        assert found["read"]["unit"] == form.unit

    def test_half_of_it_is_refused_or_read_in_part(self, log, kessai, form):
        path = log(form.name)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        result = kessai("audit", "check", path, "--lifecycle", "one_time")
        assert result.code in {2, 5}
        assert "Traceback" not in result.err


def damaged(content, draw):
    """`content` with a few bytes changed, lost, doubled or put in."""
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(len(found))
        match draw.randrange(4):
            case 0:
                found[at] = draw.randrange(256)
            case 1:
                del found[at : at + draw.randrange(1, 30)]
            case 2:
                found[at:at] = draw.choices(b'<>"0/&;{}[],', k=draw.randrange(1, 5))
            case _:
                other = draw.randrange(len(found))
                found[at:at] = found[other : other + draw.randrange(1, 60)]
    return bytes(found)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_damaged_file_is_refused_or_read_in_part(log, check_file, form):
    path = log(form.name)
    content = path.read_bytes()
    for seed in range(40):
        path.write_bytes(damaged(content, random.Random(seed)))  # noqa: S311 - no secret
        try:
            checked_log = check_file(path, "one_time", commands=SHIP)
        except InvalidInput as refused:
            assert str(refused)  # noqa: PT017 - most are refused, some are not
        else:
            assert all(r.sentence("ja") for r in checked_log.findings.most_common_bad())


class TestXml:
    DOCTYPE = '<!DOCTYPE log [<!ENTITY a "authorize">]>'

    @pytest.mark.parametrize("write", [xes, ocel_xml])
    def test_a_document_type_is_refused(self, check_file, tmp_path, write):
        path = tmp_path / "log.xml"
        path.write_text(write().replace("<log", self.DOCTYPE + "<log", 1), "utf-8")
        for form in (None, "xes", "ocel"):
            with pytest.raises(InvalidInput, match="line 1: a document type"):
                check_file(path, "one_time", layout=Layout(form=form))

    def test_what_is_not_well_formed_says_where(self, check_file, tmp_path):
        path = tmp_path / "log.xes"
        path.write_text(xes().replace("</trace>", "</trace>\n<trace>", 1), "utf-8")
        with pytest.raises(InvalidInput, match="line 2: not well-formed XML"):
            check_file(path, "one_time", commands=SHIP)

    def test_xml_that_is_no_log_is_refused(self, check_file, tmp_path):
        path = tmp_path / "log.xml"
        path.write_text("<orders><order/></orders>", "utf-8")
        with pytest.raises(InvalidInput, match="begins with <orders>"):
            check_file(path, "one_time")

    def test_a_value_that_is_too_long_is_refused(self, check_file, tmp_path):
        path = tmp_path / "log.xes.gz"
        long = xes().replace("authorize", "a" * (17 << 20), 1)
        path.write_bytes(gzip.compress(long.encode(), 1))
        with pytest.raises(InvalidInput, match="longer than 16,777,216 bytes"):
            check_file(path, "one_time")

    def test_utf_16_is_read(self, check_file, tmp_path):
        path = tmp_path / "log.xes"
        path.write_text(xes(before='<?xml version="1.0" encoding="UTF-16"?>'), "utf-16")
        assert check_file(path, "one_time", commands=SHIP).findings.allowed == 5

    @pytest.mark.parametrize("encoding", ["Shift_JIS", "klingon"])
    def test_an_encoding_that_is_not_read_is_named(
        self, check_file, tmp_path, encoding
    ):
        path = tmp_path / "log.xes"
        path.write_text(xes(before=f'<?xml version="1.0" encoding="{encoding}"?>'))
        with pytest.raises(InvalidInput, match="an encoding that is not read"):
            check_file(path, "one_time")

    def test_an_attribute_that_is_there_twice_has_no_value(self, check_file, tmp_path):
        path = tmp_path / "log.xes"
        twice = '<float key="amount" value="9"/><date key="time'
        path.write_text(xes().replace('<date key="time', twice, 1), "utf-8")
        assert check_file(path, "one_time", commands=SHIP).bad == ["amount_unknown 1"]

    def test_events_of_no_trace_have_no_order(self, check_file, tmp_path):
        path = tmp_path / "log.xes"
        event = '<event><string key="concept:name" value="capture"/></event></log>'
        path.write_text(xes().replace("</log>", event), "utf-8")
        bad = check_file(path, "one_time", commands=SHIP).bad
        assert bad == ["order_missing 8"]


class TestObjects:
    def test_an_event_is_a_row_for_each_order_that_it_names(self, check_file, tmp_path):
        found = json.loads(ocel_json())
        found["events"][4]["relationships"].append({"objectId": "A-1"})
        found["events"].append(found["events"][0] | {"relationships": []})
        path = tmp_path / "log.json"
        path.write_text(json.dumps(found), "utf-8")
        checked_log = check_file(path, "one_time", commands=SHIP)
        assert checked_log.violations == [
            "5 authorize transaction_exists",
            "6 capture amount_above_maximum",
        ]
        assert checked_log.findings.left_out == 2

    def test_which_objects_are_the_orders_must_be_clear(self, check_file, tmp_path):
        path = tmp_path / "log.json"
        path.write_text(ocel_json().replace('"order"', '"parcel"'), "utf-8")
        with pytest.raises(InvalidInput, match="objects of: customer, parcel"):
            check_file(path, "one_time", commands=SHIP)
        columns = {"order": "parcel"}
        checked_log = check_file(path, "one_time", commands=SHIP, columns=columns)
        assert checked_log.findings.allowed == 5

    def test_an_event_that_is_none_is_named_and_the_rest_is_read(
        self, check_file, tmp_path
    ):
        found = json.loads(ocel_json())
        del found["events"][0]["time"]
        path = tmp_path / "log.json"
        path.write_text(json.dumps(found), "utf-8")
        checked_log = check_file(path, "one_time", commands=SHIP)
        (rows,) = checked_log.findings.most_common_bad()
        assert rows.lines == [1]
        assert "missing required field `time`" in rows.sentence("en")
        assert checked_log.findings.allowed == 4

    def test_the_first_version_of_ocel_is_refused(self, check_file, tmp_path):
        path = tmp_path / "log.jsonocel"
        path.write_text('{"ocel:global-log": {}, "ocel:events": {}}', "utf-8")
        with pytest.raises(InvalidInput, match=r"export it as OCEL 2\.0"):
            check_file(path, "one_time")

    def test_another_database_is_refused(self, check_file, tmp_path):
        path = tmp_path / "shop.db"
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE event (id)")
        with pytest.raises(InvalidInput, match="no table object, event_object"):
            check_file(path, "one_time")

    def test_views_are_not_run(self, check_file, tmp_path):
        path = tmp_path / "log.sqlite"
        ocel_sqlite(path)
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("ALTER TABLE event_ship RENAME TO other")
            db.execute("CREATE VIEW event_ship AS SELECT * FROM other")
        with pytest.raises(InvalidInput, match="no table event_ship"):
            check_file(path, "one_time", commands=SHIP)

    def test_a_database_that_is_being_written_is_refused(self, check_file, tmp_path):
        path = tmp_path / "log.sqlite"
        ocel_sqlite(path)
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("DELETE FROM event WHERE ocel_type = 'ship'")
            db.commit()
            with pytest.raises(InvalidInput, match="the database is in use"):
                check_file(path, "one_time", commands=SHIP)

    def test_cells_of_any_type_are_no_more_than_unreadable(self, check_file, tmp_path):
        path = tmp_path / "log.sqlite"
        ocel_sqlite(path)
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE object SET ocel_type = NULL WHERE ocel_id = 'C'")
            db.execute(
                "UPDATE event_authorize SET ocel_time = x'00' WHERE ocel_id = 'e0'"
            )
            db.execute("UPDATE event_capture SET amount = x'00' WHERE ocel_id = 'e5'")
        bad = check_file(path, "one_time", commands=SHIP).bad
        assert bad == ["time_unknown 1", "amount_unknown 6"]

    def test_it_is_not_written_to(self, check_file, tmp_path):
        path = tmp_path / "log.sqlite"
        ocel_sqlite(path)
        before = path.read_bytes()
        check_file(path, "one_time", commands=SHIP)
        assert path.read_bytes() == before
        assert [each.name for each in tmp_path.iterdir()] == ["log.sqlite"]


class TestWorkbooks:
    HEADER = ("order", "command", "time", "amount")

    def write(self, path, *rows, **how):
        sheet(path, [self.HEADER, *rows], **how)
        return path

    def test_a_date_cell_is_a_whole_day_and_a_time_cell_is_not(
        self, check_file, tmp_path
    ):
        path = self.write(
            tmp_path / "log.xlsx",
            ("A", "authorize", date(2026, 1, 5), 9),
            ("B", "authorize", datetime(2026, 1, 5), 9),  # noqa: DTZ001 - as cells are
        )
        checked_log = check_file(path, "one_time")
        assert checked_log.findings.allowed == 2
        assert "whole_days" in checked_log.notes
        only_b = self.write(
            tmp_path / "b.xlsx",
            ("B", "authorize", datetime(2026, 1, 5), 9),  # noqa: DTZ001 - as above
        )
        assert "whole_days" not in check_file(only_b, "one_time").notes

    def test_times_are_those_that_the_sheet_shows(self, check_file, tmp_path):
        path = self.write(
            tmp_path / "log.xlsx",
            ("A", "authorize", datetime(2026, 1, 5, 9, 5, 7), 9),  # noqa: DTZ001 - as above
        )
        first = check_file(path, "one_time").findings.first
        assert first == datetime(2026, 1, 5, 9, 5, 7, tzinfo=UTC)

    def test_amounts_have_the_digits_that_a_spreadsheet_keeps(
        self, check_file, tmp_path
    ):
        path = self.write(
            tmp_path / "log.xlsx",
            ("A", "authorize", date(2026, 1, 5), 1000.1 + 999.9),
            ("A", "capture", date(2026, 1, 5), 4.1 * 100),
            ("A", "refund", date(2026, 1, 5), 4.1),
        )
        checked_log = check_file(path, "one_time")
        assert checked_log.findings.allowed == 2
        assert checked_log.bad == ["amount_decimals 4"]

    def test_a_formula_that_was_never_calculated_is_no_empty_cell(
        self, check_file, tmp_path
    ):
        path = self.write(
            tmp_path / "log.xlsx",
            ("A", "authorize", date(2026, 1, 5), 1000),
            ("A", "capture", date(2026, 1, 6), "=500+1"),
        )
        checked_log = check_file(path, "one_time")
        assert checked_log.bad == ["not_calculated 3"]
        (rows,) = checked_log.findings.most_common_bad()
        assert rows.sentence("en").startswith("column D: a formula")

    def test_rows_beyond_the_size_that_the_sheet_states_are_read(
        self, check_file, tmp_path
    ):
        path = self.write(
            tmp_path / "log.xlsx",
            ("A", "authorize", date(2026, 1, 5), 1000),
            ("A", "capture", date(2026, 1, 6), 1001),
        )
        rewritten = tmp_path / "short.xlsx"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(rewritten, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    assert b'<dimension ref="A1:D3"' in content
                    content = content.replace(b"A1:D3", b"A1:D2")
                new.writestr(name, content)
        checked_log = check_file(rewritten, "one_time")
        assert checked_log.violations == ["3 capture amount_above_maximum"]

    def test_which_sheet_is_meant_must_be_clear(self, check_file, tmp_path):
        path = self.write(
            tmp_path / "log.xlsx",
            ("A", "authorize", date(2026, 1, 5), 1000),
            more=[("空", []), ("集計", [["total", 1000]])],
        )
        with pytest.raises(
            InvalidInput, match="say --sheet NAME; there are: 処理, 集計"
        ):
            check_file(path, "one_time")
        with pytest.raises(InvalidInput, match="--sheet x: none"):
            check_file(path, "one_time", layout=Layout(sheet="x"))
        checked_log = check_file(path, "one_time", layout=Layout(sheet="処理"))
        assert checked_log.findings.allowed == 1

    def test_titles_may_stand_above_the_header(self, check_file, tmp_path):
        path = tmp_path / "log.xlsx"
        row = ("A", "authorize", date(2026, 1, 5), "x")
        sheet(path, [("1月",), (), self.HEADER, (), row])
        checked_log = check_file(path, "one_time", layout=Layout(header_line=3))
        assert checked_log.bad == ["amount_unknown 5"]
        columns = {"order": "1", "command": "2", "time": "3", "amount": "4"}
        layout = Layout(header_line=5, has_header=False)
        checked_log = check_file(path, "one_time", layout=layout, columns=columns)
        assert checked_log.bad == ["amount_unknown 5"]

    def test_entities_are_refused(self, check_file, tmp_path):
        path = self.write(
            tmp_path / "log.xlsx", ("A", "authorize", date(2026, 1, 5), 9)
        )
        rewritten = tmp_path / "with.xlsx"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(rewritten, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    entity = b'<!DOCTYPE worksheet [<!ENTITY a "b">]><worksheet'
                    content = content.replace(b"<worksheet", entity, 1)
                new.writestr(name, content)
        with pytest.raises(InvalidInput, match="the workbook cannot be read"):
            check_file(rewritten, "one_time")

    def test_a_workbook_without_its_guard_is_refused(
        self, check_file, tmp_path, monkeypatch
    ):
        path = self.write(
            tmp_path / "log.xlsx", ("A", "authorize", date(2026, 1, 5), 9)
        )
        monkeypatch.setattr(openpyxl, "DEFUSEDXML", False)
        with pytest.raises(InvalidInput, match="only with defusedxml"):
            check_file(path, "one_time")
        monkeypatch.setitem(sys.modules, "openpyxl", None)
        with pytest.raises(InvalidInput, match=r"kessai\[logs\]"):
            check_file(path, "one_time")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, r"an old \.xls"),
            (b"PK\x03\x04 and no more", "not a whole XLSX workbook"),
        ],
    )
    def test_what_is_no_workbook_says_so(self, check_file, tmp_path, content, message):
        path = tmp_path / "log.xlsx"
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match=message):
            check_file(path, "one_time")

    def test_what_would_fill_the_memory_is_refused(
        self, check_file, tmp_path, monkeypatch
    ):
        path = self.write(
            tmp_path / "log.xlsx", ("A", "authorize", date(2026, 1, 5), 9)
        )
        monkeypatch.setattr(
            "kessai.audit.log_check.formats.workbook._LARGEST_HELD", 200
        )
        with pytest.raises(InvalidInput, match="bytes unpacked; export it as CSV"):
            check_file(path, "one_time")

    def test_another_archive_says_so(self, check_file, tmp_path):
        path = tmp_path / "log.zip"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("log.csv", csv_text())
        with pytest.raises(InvalidInput, match="but no XLSX workbook"):
            check_file(path, "one_time")


def test_japanese_exports_are_read_by_their_headers(check):
    checked_log = check(
        "A-1,与信,2026/1/5 9:05,￥1000,処理済\nA-1,売上,2026/1/6 9:05,￥600,処理済\n",
        header="オーダーID,処理内容,更新日時,利用金額,対応状況",
    )
    assert checked_log.findings.allowed == 2
    assert checked_log.bad == []
