"""A thousand real orders, carried out: the totals, the gateway's books, and once more."""

import pytest

from kessai.cli.run import command as run_module


def without_seconds(result):
    data = result.json
    assert data.pop("seconds") >= 0
    return data


@pytest.mark.parametrize("store", ["memory:", "orders.db"])
def test_a_thousand_real_orders_come_to_exactly_what_the_rules_say(
    kessai, orders, expected, store
):
    result = kessai("run", orders, "--db", store, "--json")

    assert result.code == 0
    assert without_seconds(result) == expected


def test_the_expected_totals_are_those_of_an_independent_simulation(
    naive, orders, expected
):
    assert naive.simulate(orders.read_text("utf-8").splitlines()) == expected


@pytest.fixture
def books(monkeypatch):
    """The gateway's own totals at the end of each run."""
    seen = []
    carry_out = run_module.carry_out

    def noting(wiring, *arguments):
        halt = carry_out(wiring, *arguments)
        # The clock stands at the last line, so the books are read as of then.
        seen.append(wiring.local.emulator.totals())
        return halt

    monkeypatch.setattr(run_module, "carry_out", noting)
    return seen


@pytest.mark.parametrize("store", ["memory:", "orders.db"])
def test_the_gateways_own_books_agree_to_the_yen(kessai, orders, books, store):
    ours = kessai("run", orders, "--db", store, "--json").json

    (theirs,) = books
    assert theirs["captured"] == ours["captured"]
    assert theirs["refunded"] == ours["refunded"]
    assert theirs["refunding"] == 0
    assert theirs["orders"] == ours["transactions"]
    kinds = {"one_time": "one_time", "recurring": "recurring", "charge": "reauthorized"}
    for kind, name in kinds.items():
        mine = {
            key.rpartition(".")[2]: number
            for key, number in ours.items()
            if key.startswith(f"payment.{kind}.")
        }
        assert theirs["payments"][name] == mine
    assert theirs["consents"] == {
        key.rpartition(".")[2]: number
        for key, number in ours.items()
        if key.startswith("consent.")
    }


def test_running_the_same_file_again_sends_nothing_and_changes_nothing(
    kessai, few, few_expected, database
):
    first = kessai("run", few, "--db", database.path, "--json")
    before = database.events(), database.exchanges(), database.answers()

    again = kessai("run", few, "--db", database.path, "--json")

    assert without_seconds(first) == without_seconds(again) == few_expected
    assert (database.events(), database.exchanges(), database.answers()) == before


def test_a_longer_file_carries_out_only_what_is_new(kessai, few, database):
    lines = few.read_text("utf-8").splitlines(keepends=True)
    few.write_text("".join(lines[:4]), "utf-8")
    kessai("run", few, "--db", database.path)
    before = len(database.exchanges())
    few.write_text("".join(lines[:5]), "utf-8")

    result = kessai("run", few, "--db", database.path, "--json")

    assert result.json["commands"] == 5
    assert len(database.exchanges()) == before + 1


def test_a_denied_line_is_an_outcome_and_the_run_goes_on(kessai, few):
    result = kessai("run", few, "--db", "memory:", "--json")

    assert result.code == 0
    assert result.json["denied"] == {"refund": 1, "reauthorize": 1}
    assert result.json["succeeded.terminate"] == 1


def test_a_key_that_the_store_knows_for_another_request_is_denied(
    kessai, few, database
):
    kessai("run", few, "--db", database.path)
    other = few.with_name("other.jsonl")
    text = few.read_text("utf-8").splitlines()[4].replace("100", "101")
    other.write_text(text, "utf-8")
    sent = database.exchanges()

    result = kessai("run", other, "--db", database.path, "--json")

    assert result.json["denied"] == {"refund": 1}
    assert database.exchanges() == sent


def test_a_line_may_carry_parameters_and_reading_them_sends_nothing_twice(
    kessai, few, database
):
    text = few.read_text("utf-8").splitlines()[0]
    address = (
        '{"at":"2024-06-01T02:00:00Z","command":"get_address","transaction":"one",'
        '"key":"k-address","parameters":{"details":true}}'
    )
    few.write_text(f"{text}\n{address}\n", "utf-8")
    first = kessai("run", few, "--db", database.path, "--json")
    sent = database.exchanges()

    again = kessai("run", few, "--db", database.path, "--json")

    assert first.json["succeeded.get_address"] == 1
    assert again.json["succeeded.get_address"] == 1
    assert database.exchanges() == sent
    assert "Personal" not in first.out
    assert "見本" not in first.out


def test_what_the_gateway_leaves_pending_is_left_open_and_exits_4(
    kessai, few, database, monkeypatch
):
    from kessai_adapters.veritrans4g.local import LocalGateway

    make = LocalGateway.__init__
    consumer_waits = {"approve": "ask"}
    monkeypatch.setattr(
        LocalGateway,
        "__init__",
        lambda self, **options: make(self, **options | consumer_waits),
    )

    result = kessai("run", few, "--db", database.path, "--json")

    assert result.code == 4
    assert result.json["pending.authorize"] == 2
    assert result.json["open"] == 2
    assert result.json["payment.one_time.requested"] == 1


def test_an_empty_file_is_done_at_once(kessai, tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text("\n  \n", "utf-8")

    result = kessai("run", path, "--db", "memory:", "--json")

    assert result.code == 0
    assert result.json["transactions"] == result.json["commands"] == 0


def test_a_store_that_is_no_store_is_reported_in_a_line(kessai, few, tmp_path):
    path = tmp_path / "text.db"
    path.write_text("this is a text and not a database, whatever its name says" * 99)

    result = kessai("run", few, "--db", path)

    assert result.code == 2
    assert "not an SQLite database" in result.err
    assert result.out == ""
