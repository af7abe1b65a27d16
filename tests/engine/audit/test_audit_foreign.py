"""What others have put on the store's tables: triggers, rules, policies, views."""

from contextlib import closing

import pytest
from audited.shop import opened
from audited.thief import PostgresThief

from kessai.audit.verification.report import AuditFault

SQLITE = {
    "trigger": (
        "CREATE TRIGGER loses AFTER INSERT ON kessai_events BEGIN"
        " DELETE FROM kessai_events WHERE number = 2; END"
    ),
    "view": "CREATE VIEW shown AS SELECT * FROM kessai_states",
}
LESS = """
CREATE OR REPLACE VIEW kessai_movements AS
SELECT now() AS at, transaction_id, number AS event,
  NULL::text COLLATE "C" AS account, NULL::text COLLATE "C" AS lifecycle, hash AS command, hash AS deadline, hash AS amount_name, number AS change, hash AS currency
FROM kessai_events
"""
NOTHING = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS"
POSTGRES = {
    "trigger": (
        f"{NOTHING} 'BEGIN RETURN NULL; END';"
        " CREATE TRIGGER loses BEFORE UPDATE ON kessai_states"
        " FOR EACH ROW EXECUTE FUNCTION nothing()"
    ),
    "view": "CREATE VIEW shown AS SELECT * FROM kessai_states",
    "view in the place of ours": LESS,
    "view in the place of ours that is gone": f"DROP VIEW kessai_movements; {LESS}",
    "view that is kept": "CREATE MATERIALIZED VIEW shown AS SELECT * FROM kessai_states",
    "rule": "CREATE RULE keeps AS ON DELETE TO kessai_states DO INSTEAD NOTHING",
    "rule elsewhere": (
        "CREATE TABLE notes (note text); CREATE RULE pays AS ON INSERT TO notes"
        " DO ALSO UPDATE kessai_states SET status = 'paid'"
    ),
    "policy": "CREATE POLICY hides ON kessai_states USING (id <> 'A-1')",
}


def faults(thief):
    """The foreign ones, which are all that is found."""
    found = thief.faults()
    assert all(number is None for _, number, _ in found)
    return [(name, code) for name, _, code in found]


@pytest.mark.parametrize("kind", SQLITE)
def test_it_is_found_in_a_file(thief, kind):
    thief.run(SQLITE[kind])
    ((name, code),) = faults(thief)
    assert name in SQLITE[kind]
    assert code == f"foreign_{kind}"


def test_a_view_in_the_place_of_ours_is_found_in_a_file(thief):
    assert faults(thief) == []
    thief.run("DROP VIEW kessai_movements")
    thief.run("CREATE VIEW kessai_movements AS SELECT 0 AS change FROM kessai_events")
    assert faults(thief) == [("kessai_movements", "foreign_view")]


@pytest.mark.parametrize("kind", POSTGRES)
def test_it_is_found_in_a_database(url, kind):
    with closing(PostgresThief(url)) as thief:
        with thief.open() as store:
            opened(store).sells("A-1")
        assert faults(thief) == []
        thief.run(POSTGRES[kind])
        found = faults(thief)
    names = [name for name, code in found if code == f"foreign_{_word(kind)}"]
    assert names
    assert all(name in POSTGRES[kind] for name in names)


def _word(kind):
    return "view" if "view" in kind else kind.split()[0]


def test_a_trigger_that_does_what_it_says_is_found_with_what_it_did(thief):
    """It lay in wait; the next sale lost its second event."""
    thief.run(SQLITE["trigger"])
    with thief.open() as store:
        opened(store).do("authorize", "A-7", lifecycle="one_time", amount=5)
    found = {(name, code) for name, _, code in thief.faults()}
    assert ("loses", "foreign_trigger") in found
    assert len(found) > 1


@pytest.mark.parametrize("kind", ["trigger", "view", "rule", "policy"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_each_is_said_with_its_table(kind, language):
    fault = AuditFault("x", None, f"foreign_{kind}", "events")
    assert "events" in fault.sentence(language)
