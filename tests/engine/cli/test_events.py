"""`kessai events`: followed on a terminal, sent to a URL, dead letters."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from kessai import SQLiteStore
from kessai.cli.terminal.stopping import Stop
from kessai.errors import StoreBusy
from kessai.feed import delivery
from kessai.flow import Undelivered

SECRET = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


@pytest.fixture
def shop(kessai, tmp_path):
    """A store with a sale in it: five events."""
    for command, amount in (("authorize", 1000), ("capture", 900)):
        opens = ("--lifecycle", "one_time") if command == "authorize" else ()
        done = kessai(
            *("tx", "do", "A-1", command, "--amount", amount, "--key", command),
            *("--db", "shop.db", *opens),
        )
        assert done.code == 0, done.err
    return tmp_path / "shop.db"


def test_events_are_printed_a_line_each(kessai, shop):
    done = kessai("events", "follow", "--db", shop, "--once")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("20")
    assert "A-1 1  begun  authorize" in lines[0]
    assert lines[-1].endswith("→ payment.captured")


def test_as_json_each_line_is_an_object_with_its_position(kessai, shop):
    lines = kessai(
        "events", "follow", "--db", shop, "--once", "--json"
    ).out.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    after = ("--after", events[0]["position"])
    since = kessai("events", "follow", "--db", shop, "--once", "--json", *after)
    assert since.out.splitlines() == lines[1:]


def test_a_subscriber_goes_on_where_it_was(kessai, shop):
    asked = ("events", "follow", "--db", shop, "--once", "--subscriber", "me")
    first = kessai(*asked, "--after", "1").out.splitlines()
    assert "A-1 2" in first[0]
    assert kessai(*asked).out == ""
    assert kessai(*asked, "--after", "1").code == 2


def test_ctrl_c_ends_it_and_what_was_printed_is_not_printed_again(shop):
    asked = [sys.executable, "-m", "kessai", "events", "follow", "--db", str(shop)]
    asked += ["--subscriber", "me", "--json"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as process:
        printed = [json.loads(process.stdout.readline()) for _ in range(4)]
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        printed += [json.loads(line) for line in rest.splitlines()]
        assert process.returncode == 130
    again = subprocess.run(
        [*asked, "--once"], capture_output=True, text=True, check=True
    )
    printed += [json.loads(line) for line in again.stdout.splitlines()]
    numbers = [event["number"] for event in printed]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_could_not_be_stored_as_passed_is_printed_again(kessai, shop, monkeypatch):
    advance, tried = SQLiteStore.advance, []

    def busy_at_the_second(store, subscriber):
        tried.append(subscriber.position)
        if len(tried) == 2:
            message = "shop.db: busy"
            raise StoreBusy(message)
        advance(store, subscriber)

    assert followed(kessai, shop, monkeypatch, busy_at_the_second) == [1, 2, 2, 3, 4, 5]


def test_of_two_followers_the_slower_goes_on_where_the_other_is(
    kessai, shop, monkeypatch
):
    advance, tried = SQLiteStore.advance, []

    def another_passes_the_second(store, subscriber):
        tried.append(subscriber.position)
        if len(tried) == 2:
            advance(store, subscriber)
        advance(store, subscriber)

    followed_here = followed(kessai, shop, monkeypatch, another_passes_the_second)
    assert followed_here == [1, 2, 3, 4, 5]


def followed(kessai, shop, monkeypatch, advance):
    """The numbers of what is printed where following goes on after a rest, once."""
    rests = iter([True, False])
    monkeypatch.setattr(SQLiteStore, "advance", advance)
    monkeypatch.setattr(Stop, "rest", lambda *_: next(rests))
    done = kessai("events", "follow", "--db", shop, "--subscriber", "me", "--json")
    assert done.code == 0
    return [json.loads(line)["number"] for line in done.out.splitlines()]


def test_what_its_reader_did_not_take_is_not_passed(shop):
    asked = [sys.executable, "-m", "kessai", "events", "follow", "--db", str(shop)]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*asked, "--once", "--subscriber", "me"], stdout=write, check=False
    )
    os.close(write)
    assert done.returncode == 0
    with closing(SQLiteStore(shop)) as store:
        assert store.subscriber("me").position == ""


def test_without_a_secret_nothing_is_sent(kessai, shop, monkeypatch, tmp_path):
    monkeypatch.delenv("KESSAI_WEBHOOK_SECRET", raising=False)
    to = ("--url", "http://127.0.0.1:9/", "--subscriber", "mail", "--db", shop)
    assert "--secret-file" in kessai("events", "send", *to, "--once").err
    (tmp_path / "secret").write_text("rubbish")
    (tmp_path / "secret").chmod(0o600)
    wrong = kessai("events", "send", *to, "--once", "--secret-file", "secret")
    assert wrong.code == 2
    assert "rubbish" not in wrong.err


def test_what_nobody_takes_waits_and_is_replayed(kessai, shop, monkeypatch):
    monkeypatch.setenv("KESSAI_WEBHOOK_SECRET", SECRET)
    to = ("--url", "http://127.0.0.1:9/", "--subscriber", "mail", "--db", shop)
    done = kessai("events", "send", *to, "--once", "--json")
    told = {"delivered": 0, "failed": 1, "waiting": 5, "reason": done.json["reason"]}
    assert (done.code, done.json) == (4, told)
    assert told["reason"]
    again = kessai("events", "send", *to, "--once")
    assert (again.code, told["reason"] in again.out) == (4, True)
    about = ("--subscriber", "mail", "--db", shop)
    now = kessai("events", "replay", "--waiting", *about, "--json")
    assert now.json == {"replayed": 5}
    assert kessai("events", "send", *to, "--once", "--json").json["failed"] == 1
    assert kessai("events", "dead", *about).out == "There are no dead letters.\n"
    with closing(SQLiteStore(shop)) as store:
        before = store.subscriber("webhooks mail")
        letter = Undelivered(position="1", transaction="A-1", number=1, id="abc")
        store.advance(delivery.replaced(before, before.undelivered, [letter]))
    listed = kessai("events", "dead", *about, "--json").json["dead_letters"]
    assert [each["id"] for each in listed] == ["abc"]
    assert "abc" in kessai("events", "dead", *about).out
    assert kessai("events", "replay", *about).code == 2
    assert "xyz: nothing that" in kessai("events", "replay", "xyz", *about).err
    assert kessai("events", "replay", "abc", *about, "--json").json == {"replayed": 1}
    assert kessai("events", "replay", "--all", *about, "--json").json == {"replayed": 0}


def test_a_secret_that_others_may_read_is_refused(kessai, shop, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o644)
    to = ("--url", "http://127.0.0.1:9/", "--subscriber", "mail", "--db", shop)
    done = kessai("events", "send", *to, "--once", "--secret-file", "secret")
    assert done.code == 2
    assert "chmod 600 secret" in done.err


@pytest.mark.parametrize("name", ["", " ", "a b", "-x", "a\n", "a" * 101])
def test_a_name_that_nobody_could_read_is_no_subscribers(kessai, shop, name):
    asked = ("events", "follow", "--once", "--db", shop, f"--subscriber={name}")
    done = kessai(*asked)
    assert done.code == 2
    assert "letters, digits" in done.err


def test_who_follows_under_a_webhooks_name_takes_nothing_from_it(
    kessai, shop, monkeypatch
):
    monkeypatch.setenv("KESSAI_WEBHOOK_SECRET", SECRET)
    name = ("--subscriber", "mail", "--db", shop)
    assert kessai("events", "follow", "--once", *name).out
    sent = kessai(
        "events", "send", "--url", "http://127.0.0.1:9/", "--once", "--json", *name
    )
    assert sent.json["failed"] == 1


@pytest.mark.parametrize("asked", [("dead",), ("replay", "--all"), ("replay", "xyz")])
def test_a_subscriber_that_nothing_was_sent_to_is_an_error_with_the_known_ones(
    kessai, shop, asked
):
    assert kessai("events", "follow", "--once", "--subscriber", "me", "--db", shop).out
    with closing(SQLiteStore(shop)) as store:
        store.advance(store.subscriber("webhooks mail").moved())
    refused = kessai("events", *asked, "--subscriber", "me", "--db", shop)
    assert refused.code == 2
    assert "--subscriber me: nothing was sent" in refused.err
    assert "known: mail\n" in refused.err


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["INT", "TERM"]
)
def test_ctrl_c_breaks_off_what_is_being_sent_and_it_is_sent_again(shop, how, code):
    asked = [sys.executable, "-m", "kessai", "events", "send", "--db", str(shop)]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        asked += ["--url", url, "--subscriber", "mail", "--lang", "en"]
        environment = {**os.environ, "KESSAI_WEBHOOK_SECRET": SECRET}
        with subprocess.Popen(
            asked, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            taken, _ = silent.accept()
            with taken:
                taken.recv(1)  # it is under way, and never answered
                process.send_signal(how)
                _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said.startswith("Stopped.")
    with closing(SQLiteStore(shop)) as store:
        assert store.subscriber("webhooks mail").version == 0
