"""Which gateway's emulator plays: chosen by name, among those that are installed."""

import json
import shlex
from contextlib import closing
from http.client import HTTPConnection
from importlib import metadata
from types import SimpleNamespace

import pytest

from kessai.cli.terminal.gateways import local_gateway
from kessai_adapters.emulators.notifications import NOBODY
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G
from kessai_adapters.veritrans4g.local import LocalGateway


class Second(LocalGateway):
    """Another gateway, which happens to speak as the first does."""

    def __init__(self, **given):
        super().__init__(**given)
        credentials = Credentials(DEFAULT_CCID, DEFAULT_KEY)
        account = "emulator/second"
        self.adapter = VeriTrans4G(credentials, dummy=True, account=account)

    def story(self):
        opening = {
            "chapter": "only",
            "note": "applied",
            "transaction": "second-1",
            "command": "authorize",
            "lifecycle": "one_time",
            "amount": 700,
        }
        approval = {**opening, "note": "approved", "consumer": "approve"}
        for name in ("command", "lifecycle", "amount"):
            del approval[name]
        where = {"authorize_notification_url": "https://shop.example/notified"}
        return [{**opening, "parameters": where}, approval]


INSTALLED = sorted(metadata.entry_points(group="kessai.emulators").names)


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_gateway_has_a_story_that_ends_well(kessai, name, language):
    result = kessai("demo", "--gateway", name, "--json", "--lang", language)
    assert result.code == 0
    assert result.json["agreed"] is True
    assert len(result.json["steps"]) > 3


@pytest.mark.parametrize("name", INSTALLED)
def test_the_example_that_each_gateway_gives_is_carried_out(kessai, name):
    """Or is open, where the consumer must be sent to the gateway first."""
    with closing(local_gateway(name=name)) as local:
        example = shlex.split(local.example)
    asked = ("--gateway", f"emulator/{name}", "--db", "memory:")
    done = kessai("tx", "do", "order-1", *example, *asked)
    assert done.code == 0 or (done.code == 4 and "sent on to the gateway" in done.out)


@pytest.mark.parametrize("name", INSTALLED)
def test_books_in_a_file_serve_the_next_command_too(kessai, tmp_path, name):
    with closing(local_gateway(name=name)) as local:
        example = shlex.split(local.example)
    asked = ("--gateway", f"emulator/{name}", "--db", tmp_path / "a.db")
    done = kessai("tx", "do", "order-1", *example, *asked, "--json")
    if session := done.json["disclosed"].get("checkout_session"):
        brought = ("--param", f"amazonCheckoutSessionId={session}")
        done = kessai("tx", "resume", "order-1", *brought, *asked)
    assert done.code == 0, done.err
    done = kessai("tx", "do", "order-1", "capture", *asked)
    assert done.code == 0, done.err


@pytest.mark.parametrize("name", INSTALLED)
def test_each_is_played_by_the_simulator(kessai, name):
    result = kessai("simulate", "--gateway", name, "--commands", "20", "--json")
    assert result.code == 0
    assert result.json["accepted"] > 0


@pytest.mark.parametrize("name", INSTALLED)
def test_each_is_controlled_where_it_is_served(name):
    with closing(local_gateway(name=name)) as local, local.serve(port=0) as server:
        address = server.url.removeprefix("http://")
        with closing(HTTPConnection(address, timeout=60)) as connection:
            for method, path, body in (
                ("GET", "", b""),
                ("GET", "orders", b""),
                ("POST", "faults", b'{"fault": "lose_reply"}'),
                ("POST", "clock", b'{"advance": {"days": 1}}'),
            ):
                connection.request(method, f"/_emulator/{path}", body)
                reply = connection.getresponse()
                answer = json.loads(reply.read())
                assert reply.status == 200, answer
                if not path:
                    assert answer["gateway"] == name
                    assert {"approve", "decline"} <= set(answer["consumer"])
                    assert {"capture", "refund"} <= set(answer["portal"])


@pytest.mark.parametrize("name", ["payjp", "stripe", "veritrans4g"])
def test_an_order_is_controlled_by_the_shops_own_id_of_it(
    kessai, monkeypatch, tmp_path, name
):
    with closing(local_gateway(name=name)) as local, local.serve(port=0) as server:
        for variable, value in local.environment(server.url).items():
            monkeypatch.setenv(variable, value)
        asked = ("--gateway", name, "--db", tmp_path / "a.db")
        done = kessai("tx", "do", "P-1", *shlex.split(local.example), *asked)
        assert done.code == 0, done.err
        address = server.url.removeprefix("http://")
        with closing(HTTPConnection(address, timeout=60)) as connection:

            def ask(method, path, **given):
                body = json.dumps(given)
                connection.request(method, f"/_emulator/{path}", body)
                reply = connection.getresponse()
                answer = json.loads(reply.read())
                assert reply.status == 200, answer
                return answer

            before = ask("GET", "orders/P-1")
            ask("POST", "portal/capture", order="P-1")
            assert ask("GET", "orders/P-1") != before
            (only,) = ask("GET", "orders")["orders"].values()
            assert only == ask("GET", "orders/P-1")


@pytest.mark.parametrize("hook", ["http://127.0.0.1:9/hook", ""])
@pytest.mark.parametrize("name", INSTALLED)
def test_each_notifies_the_url_that_it_is_given(
    kessai, monkeypatch, tmp_path, name, hook
):
    with closing(local_gateway(name=name)) as local, local.serve(port=0) as server:
        local.notify(hook)
        for variable, value in local.environment(server.url).items():
            monkeypatch.setenv(variable, value)
        asked = ("--gateway", name, "--db", tmp_path / "a.db")
        example = shlex.split(local.example)
        kessai("tx", "do", "order-1", *example, *asked)
        if name == "amazon_pay":  # its buyer is still to come
            local.emulator.ask_for_subscription()
        urls = {each.notification.url for each in local.emulator.outbox.journal}
    if hook:
        assert urls == {hook}
    else:  # for those who list them
        assert urls == (set() if name == "veritrans4g" else {NOBODY})


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    """A second emulator is installed beside the first."""
    real = metadata.entry_points

    def entry_points(**asked):
        found = list(real(**asked))
        if asked == {"group": "kessai.emulators"}:
            found.append(SimpleNamespace(name="second", load=lambda: Second))
        return found

    monkeypatch.setattr(metadata, "entry_points", entry_points)


def test_the_demo_is_the_gateways_own_story(kessai):
    result = kessai("demo", "--gateway", "second", "--json")
    assert result.code == 0
    done = [
        (step["transaction"], step["step"], step["status"])
        for step in result.json["steps"]
    ]
    assert done == [
        ("second-1", "authorize", "pending"),
        ("second-1", "notification", "succeeded"),
    ]
    assert result.json["agreed"] is True
    assert result.json["books"]["totals"]["authorized"] == 700


def test_a_command_goes_to_the_emulator_that_is_named(kessai, tmp_path):
    db, order = tmp_path / "a.db", ("authorize", "--lifecycle", "one_time")
    for name, tx in (("emulator", "A-1"), ("emulator/second", "B-1")):
        asked = ("--amount", "500", "--gateway", name, "--db", db)
        assert kessai("tx", "do", tx, *order, *asked).code == 0
    # Each keeps books of its own, beside the store.
    assert (tmp_path / "a.db.gateway").exists()
    assert (tmp_path / "a.db.gateway-second").exists()
    wrong = kessai("tx", "do", "B-1", "capture", "--gateway", "emulator", "--db", db)
    assert wrong.code == 2
    assert "--gateway emulator/second" in wrong.err
    asked = ("--gateway", "emulator/second", "--db", db)
    assert kessai("tx", "do", "B-1", "capture", *asked).code == 0
    wrong = kessai("tx", "do", "A-1", "capture", *asked)
    assert "--gateway emulator" in wrong.err
    assert "emulator/local" in wrong.err


def test_the_first_gateways_emulator_has_two_names(kessai, tmp_path):
    db, order = tmp_path / "a.db", ("authorize", "--lifecycle", "one_time")
    asked = ("--amount", "500", "--gateway", "emulator/veritrans4g", "--db", db)
    assert kessai("tx", "do", "A-1", *order, *asked).code == 0
    asked = ("--gateway", "emulator", "--db", db)
    assert kessai("tx", "do", "A-1", "capture", *asked).code == 0


def test_a_name_that_is_not_installed_is_refused_with_those_that_are(kessai, tmp_path):
    db = tmp_path / "a.db"
    order = ("tx", "do", "A-1", "authorize", "--lifecycle", "one_time", "--amount", "5")
    for asked in (
        ("demo", "--gateway", "nowhere"),
        ("emulator", "serve", "--gateway", "nowhere"),
        (*order, "--gateway", "emulator/nowhere", "--db", db),
    ):
        result = kessai(*asked)
        assert result.code == 2, asked
        installed = ", ".join(sorted([*INSTALLED, "second"]))
        assert f"installed are: {installed}\n" in result.err
        assert result.out == ""
    assert not db.exists()
