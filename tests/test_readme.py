"""The README's every block is run, or held against what it quotes."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import sqlalchemy
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import orm

from kessai import (
    Call,
    Command,
    Engine,
    Failure,
    MemoryStore,
    Outcome,
    Reply,
    SQLiteStore,
)
from kessai.cli.main import run_command
from kessai_adapters.veritrans4g.local import LocalGateway

HOUSE = Path(__file__).parent.parent
README = (HOUSE / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
FIRST = "pip install uv && uv run kessai demo"
TESTS = "uv run pytest -n auto"
ALL_TESTS = 'uv run pytest -m ""'


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def python_with(start: str) -> str:
    """The Python block that has `start` in it."""
    (block,) = (text for text in blocks("python") if start in text)
    return block


def commands() -> list[str]:
    lines = "".join(blocks("console")).splitlines()
    return [line.removeprefix("$ ") for line in lines]


@pytest.fixture
def clone(tmp_path):
    """A folder that looks like a clone to the commands."""
    for name in ("tests/data", "tests/engine/prove", "specs"):
        shutil.copytree(HOUSE / name, tmp_path / name)
    return tmp_path


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_an_emulator_answers_every_request_of_its_control_that_is_listed():
    rows = re.findall(
        r"^\| `(\w+) (/_emulator/\S*)` \| (?:`(.*?)`)? ?\|", README, re.MULTILINE
    )
    assert len(rows) > 10
    with closing(LocalGateway(approve="ask")) as local, local.serve(port=0) as server:
        address = server.url.removeprefix("http://")
        order = notified = ""
        for method, path, body in rows:
            place = path.replace("ID", notified)
            asked = body.replace("A-1", order)
            with closing(HTTPConnection(address, timeout=60)) as connection:
                connection.request(method, place, asked)
                reply = connection.getresponse()
                answer = json.loads(reply.read())
            # The order is captured, so neither its consumer nor a clerk has more to do.
            acts = path.endswith(("/approve", "/complete"))
            assert reply.status == (409 if acts else 200), (method, path, answer)
            if "triggers" in path:
                order = answer["result"]
                notified = local.emulator.take_notifications()[0].id


def test_the_first_commands_are_the_demo_and_the_tests():
    assert commands()[:2] == [FIRST, TESTS]


def test_ci_runs_the_very_command_the_readme_gives_for_all_tests():
    script = (HOUSE / ".ci" / "run").read_text("utf-8")
    assert f"`{ALL_TESTS}`" in README
    assert ALL_TESTS in script.replace("uv run --locked", "uv run")


@pytest.mark.slow
def test_every_kessai_command_in_it_succeeds_in_the_order_given(clone):
    ran = 0
    for line in commands():
        if line == TESTS:
            continue
        command = line.removeprefix("pip install uv && ")
        words = shlex.split(command.removeprefix("uv run "))
        assert words[0] == "kessai", line
        done = run(["-m", *words], clone)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert done.stdout.strip(), line
        ran += 1
    assert ran > 10


def test_the_quickstart_is_short_and_prints_what_it_promises(clone):
    quickstart = blocks("python")[0]
    assert len([line for line in quickstart.splitlines() if line]) <= 15
    done = run(["-c", quickstart], clone)
    assert done.stderr == ""
    assert done.stdout == blocks("text")[0]


def test_the_block_for_the_real_gateway_builds_an_engine(clone):
    use = """
import warnings
warnings.simplefilter("ignore")
with payments({"KESSAI_VERITRANS_CCID": "A100000000000000000000cc",
               "KESSAI_VERITRANS_KEY": "0" * 64}) as engine:
    print(on_notification(engine, {}, b"forged")[0])
"""
    done = run(["-c", python_with("def payments") + use], clone)
    assert done.stdout == "400\n", done.stderr


def test_the_block_that_receives_an_event_takes_what_is_signed(clone):
    use = """
from kessai.errors import NotificationRefused
from kessai.feed.signature import signed_headers
headers = dict(signed_headers(secrets, "an id", datetime.now(UTC), b"{}"))
print(on_event(headers, b"{}"))
try:
    on_event(headers, b"[]")
except NotificationRefused as refusal:
    print(refusal)
"""
    done = run(["-c", python_with("def on_event") + use], clone)
    assert done.stdout.splitlines()[0] == "('an id', b'{}')", done.stderr
    assert "no signature" in done.stdout


def test_the_lifecycle_it_quotes_is_the_shipped_one():
    shared = HOUSE / "specs/kessai_specs/shared/payment.toml"
    quoted = tomllib.loads(blocks("toml")[0])["commands"]["capture"]
    assert quoted == tomllib.loads(shared.read_text("utf-8"))["commands"]["capture"]


def test_every_file_it_points_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (HOUSE / target).exists(), target


def test_the_extras_and_the_install_command_are_the_packages():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))["project"]
    listed = set(re.findall(r"^\| `([\w-]+)` \|", README, re.MULTILINE))
    assert listed == set(project["optional-dependencies"])
    assert "pip install kessai\n" in blocks("sh")


@pytest.mark.slow
def test_every_long_run_it_names_is_there_and_takes_its_options(clone):
    named = [
        line.split("#")[0] for block in blocks("sh") for line in block.splitlines()
    ]
    scripts = [line for line in named if "python tests/" in line]
    assert len(scripts) >= 6
    for line in scripts:
        script, *options = line.split("python ")[1].split()
        help_text = run([HOUSE / script, "--help"], clone).stdout
        assert all(option in help_text for option in options[::2]), line


def test_every_command_it_only_names_exists():
    named = re.findall(r"^kessai ((?:tx )?\w+)", "".join(blocks("sh")), re.MULTILINE)
    assert len(named) >= 4
    for command in named:
        assert run_command([*command.split(), "--help"]) == 0


def test_a_lost_page_is_followed_by_a_checkout_under_another_id():
    namespace = {}
    exec(python_with("def open_anew"), namespace)  # noqa: S102 - our own page
    local = LocalGateway(approve="ask")
    engine = Engine(
        adapters=[local.adapter], store=MemoryStore(), transport=local.transport
    )
    asked = Command("authorize", "order-1", lifecycle="one_time", amount=9, key="k")
    engine.execute(asked)
    assert engine.execute(asked).is_page_lost
    anew = namespace["open_anew"](engine, "order-1", "order-1-2", 9)
    assert anew.disclosed["page"]
    assert engine.transaction("order-1").status == "payment.failed"
    local.emulator.consumer.approve("order-1-2")
    assert namespace["open_anew"](engine, "order-1-2", "order-1-3", 9) is None
    assert engine.transaction("order-1-2").status == "payment.authorized"


def test_the_shop_it_shows_commits_order_and_payment_together(tmp_path):
    namespace = {}
    exec(python_with("def sell_by_sqlalchemy"), namespace)  # noqa: S102 - our own page

    class Base(orm.DeclarativeBase):
        pass

    class Order(Base):
        __tablename__ = "orders"
        id: orm.Mapped[str] = orm.mapped_column(primary_key=True)

    database = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    Base.metadata.create_all(database)
    local, store = LocalGateway(), SQLiteStore(tmp_path / "shop.db", shared=True)
    engine = Engine(adapters=[local.adapter], store=store, transport=local.transport)
    asked = Command("authorize", "order-1", lifecycle="one_time", amount=9, key="k")
    sell, sessions = namespace["sell_by_sqlalchemy"], orm.sessionmaker(database)
    assert sell(engine, sessions, Order(id="order-1"), asked).status == "pending"
    with sessions() as session:
        assert session.get(Order, "order-1")
    database.dispose()
    engine.close()


def test_the_telemetry_it_shows_watches_the_store_and_traces_commands(tmp_path):
    namespace = {}
    exec(python_with("def observed"), namespace)  # noqa: S102 - our own page
    local, exporter = LocalGateway(), InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    observed = namespace["observed"]
    with observed(local.adapter, local.transport, tmp_path / "orders.db") as engine:
        engine.execute(
            Command("authorize", "order-1", lifecycle="one_time", amount=1200, key="k")
        )
    names = [span.name for span in exporter.get_finished_spans()]
    assert names[-1] == "kessai.execute authorize"


def test_the_adapter_it_shows_is_an_exchange_of_two_requests_with_two_keys():
    namespace = {}
    exec(python_with("class TwoSteps"), namespace)  # noqa: S102 - our own page
    adapter = namespace["TwoSteps"]()
    call = Call(
        command="authorize",
        transaction="order-1",
        lifecycle="one_time",
        amount=1200,
        seed="0" * 64,
    )
    exchange = adapter.exchange(call)
    requests = [next(exchange), exchange.send(Reply(status=200, body=b'{"id": "o1"}'))]
    keys = [dict(request.headers)["Idempotency-Key"] for request in requests]
    assert keys == [call.key("order"), call.key("charge")]
    with pytest.raises(StopIteration) as returned:
        exchange.send(Reply(status=200, body=b'{"id": "c1"}'))
    assert returned.value.value.outcome is Outcome.SUCCEEDED
    assert returned.value.value.references == {"order": "o1", "charge": "c1"}

    torn = adapter.exchange(call)
    next(torn)
    with pytest.raises(StopIteration) as returned:
        torn.send(Failure(sent=True, reason="timed out"))
    assert returned.value.value.outcome is Outcome.UNKNOWN
