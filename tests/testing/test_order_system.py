"""One's own order system in five lines: what is right passes, what is wrong is found."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from invented.played import LIFECYCLE, PlayedKumo

import shops
from kessai.errors import AdapterMissing, InvalidInput
from kessai.testing import OrderSystem, check_store
from kessai.testing.order_kit import stage

QUICK = settings(
    max_examples=400,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def found_in(system):
    """The message of the first failure, and its story."""
    with pytest.raises(AssertionError) as failure:
        run_state_machine_as_test(system, settings=QUICK)
    return str(failure.value), failure.value.__notes__[0]


in_examples = pytest.mark.parametrize(
    "examples", [10, pytest.param(30, marks=pytest.mark.slow)]
)


@in_examples
def test_an_order_system_that_is_right_passes(examples):
    few = settings(QUICK, max_examples=examples)
    run_state_machine_as_test(shops.ShopTest, settings=few)


@in_examples
def test_the_engine_alone_is_an_order_system_that_is_right(examples):
    few = settings(QUICK, max_examples=examples)
    run_state_machine_as_test(OrderSystem, settings=few)


class Kumo:
    """A gateway that is no emulator's: ids, totals, tokens, refunds that come back."""

    name = "kumo"

    @staticmethod
    def load():
        return Kumo

    def __init__(self, clock):
        self._clock = clock

    def played(self):
        return PlayedKumo(self._clock)


class KumoTest(OrderSystem):
    lifecycles = (LIFECYCLE,)
    emulator = "kumo"
    emulator_options: ClassVar = {}


@pytest.fixture
def kumo(monkeypatch):
    monkeypatch.setattr(stage, "entry_points", lambda group: [Kumo])


@in_examples
def test_an_order_system_at_another_kind_of_gateway_is_right_too(kumo, examples):
    few = settings(QUICK, max_examples=examples)
    run_state_machine_as_test(KumoTest, settings=few)


def test_a_consumer_returns_and_a_refund_is_taken_back(kumo):
    with KumoTest.story() as story:
        asks = {"lifecycle": "kumo", "parameters": {"with_consumer": True}}
        story.ask("authorize", "order-1", 100, key="1", currency="JPY", **asks)
        story.consumer("order-1", "approve")
        for _ in range(2):  # the page is loaded twice
            story.consumer_returns("order-1")
        story.ask("capture", "order-1", key="2")
        story.ask("refund", "order-1", 60, key="3")
        story.time_passes(days=21)
        story.taken_back("order-1")
        story.notification("order-1", 3)
        (found,) = story.transactions()
        assert (found.status, found.amounts["refunded"]) == ("payment.captured", 0)


@pytest.mark.parametrize("system", shops.WRONG, ids=lambda system: system.__name__)
def test_what_order_systems_get_wrong_is_found_and_its_story_tells_it_again(system):
    message, story = found_in(system)
    program = {}
    exec(compile(story, "pasted", "exec"), program)  # noqa: S102 - that is the point
    with pytest.raises(AssertionError) as again:
        program["test_a_story_that_was_found"]()
    assert str(again.value) == message
    assert message in story


def test_a_story_is_cut_down_to_what_matters(tmp_path):
    """The way a user sees it: pytest runs the machine, and prints the story."""
    test = tmp_path / "test_my_shop.py"
    test.write_text(
        f"import sys; sys.path.insert(0, {str(Path(shops.__file__).parent)!r})\n"
        "from hypothesis import settings\n"
        "from shops import SubmitsTwiceTest\n"
        "SubmitsTwiceTest.lifecycles, SubmitsTwiceTest.faults = ('one_time',), ()\n"
        "TestShop = SubmitsTwiceTest.TestCase\n"
        "TestShop.settings = settings(TestShop.settings, derandomize=True,"
        " database=None, stateful_step_count=8)\n"
    )
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = subprocess.run(
        call, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert "was wanted 1 times, and begun 2 times" in done.stdout
    _, begin, story = done.stdout.partition("with SubmitsTwiceTest.story() as story:")
    assert begin
    moves = re.findall(r"^\S* +story\.(\w+)\(", story, re.MULTILINE)
    assert len(moves) <= 10  # an order, its consumer, and what is wanted twice
    assert (moves[0], moves[-1]) == ("ask", "ask")
    assert '"one_time-2"' not in story


def test_a_story_written_by_hand_resolves_and_compares():
    with shops.ShopTest.story() as story:
        story.ask("authorize", "A", 100, key="1", lifecycle="one_time")
        story.consumer("A", "log_in")
        story.consumer("A", "approve")
        story.time_passes(minutes=3)
        story.recover()
        story.ask("capture", "A", 100, key="2", fault="lost_reply")
        story.ask("capture", "A", 100, key="2")
        story.time_passes(minutes=11)
        story.recover()
        story.ask("refund", "A", 60, key="3", fault="crash_after", moment="outcome")
        story.ask("refund", "A", 60, key="3")
    assert story.world.transaction("A").amounts["refunded"] == 60


def test_a_fault_that_no_call_can_suffer_is_refused():
    story = shops.ShopTest()._story
    with pytest.raises(InvalidInput, match="'portal' cannot be injected"):
        story.ask("cancel", "A", key="1", fault="portal")
    with pytest.raises(InvalidInput, match="none of intent, call, outcome"):
        story.ask("cancel", "A", key="1", fault="lost_reply", moment="noon")
    story.close()


def test_an_emulator_that_is_not_installed_is_named():
    class OfNoEmulator(OrderSystem):
        emulator = "nowhere"

    with pytest.raises(AdapterMissing, match=r"installed are: .*veritrans4g"):
        OfNoEmulator()


def test_the_kit_for_stores_runs_by_one_call():
    from kessai import MemoryStore

    class Forgetful(MemoryStore):
        def records(self, transaction, **which):
            return super().records(transaction, **which)[:1]

    assert len(check_store(lambda folder: MemoryStore())) > 30
    with pytest.raises(ExceptionGroup) as broken:
        check_store(lambda folder: Forgetful())
    assert "test_" in broken.value.exceptions[0].__notes__[0]


def test_a_store_that_refuses_nothing_is_told_every_test_that_it_fails():
    """What pytest itself says of an error that did not come is one failure of many."""
    from kessai import MemoryStore
    from kessai.errors import LeaseLost, VersionConflict

    class Careless(MemoryStore):
        def append(self, change):
            with suppress(VersionConflict, LeaseLost):
                super().append(change)

    with pytest.raises(ExceptionGroup, match="tests of StoreConformance") as broken:
        check_store(lambda folder: Careless())
    named = {error.__notes__[0].split(":")[0] for error in broken.value.exceptions}
    assert len(named) == len(broken.value.exceptions)
    assert {
        "test_a_change_to_an_older_version_conflicts[1]",
        "test_a_change_to_an_older_version_conflicts[2]",
        "test_a_change_to_a_version_that_never_was_conflicts",
        "test_of_many_threads_that_race_for_one_key_exactly_one_wins",
    } <= named


def test_a_shared_store_is_checked_as_one():
    from kessai import SQLiteStore

    passed = check_store(lambda folder: SQLiteStore(folder / "a.db"), shared=True)
    assert "test_data_outlive_the_store" in passed
