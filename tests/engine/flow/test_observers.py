"""Who observes an engine sees each effect and each accepted event, and disturbs nothing."""

import asyncio
from threading import Thread

import pytest

from kessai import Observer, Status, drive, drive_async, observe
from kessai.errors import StoreBusy, UnknownTransaction, VersionConflict
from kessai.flow import Append, Load, Now, Send, existing
from kessai.machine import Begun, Denied, Reported, Transaction


class Seen(Observer):
    """Writes down all that it is shown."""

    def __init__(self):
        self.started, self.done, self.failures, self.steps = [], [], [], []
        self.flows = []

    def began(self, flow):
        self.flows.append((flow.__name__, "began"))

    def ended(self, flow, result):
        self.flows.append((flow.__name__, result))

    def broke_off(self, flow, error):
        self.flows.append((flow.__name__, type(error)))

    def starting(self, effect):
        self.started.append(effect)

    def performed(self, effect, result):
        self.done.append((effect, result))

    def failed(self, effect, error):
        self.failures.append((effect, error))

    def appended(self, step):
        self.steps.append(step)


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture(params=["sync", "async"])
def observed(request, store, observed_shop, seen):
    shop = observed_shop(request.param, store, seen)
    yield shop
    shop.call("close")


def kinds(effects):
    return [type(effect) for effect in effects]


def test_each_effect_of_a_command_is_shown_before_and_after(observed, seen):
    observed.asks("authorize", 100)
    assert kinds(seen.started) == [Load, Now, Append, Send, Now, Append]
    assert [effect for effect, _ in seen.done] == seen.started
    (reply,) = [result for effect, result in seen.done if isinstance(effect, Send)]
    assert reply.status == 200
    assert not seen.failures


def test_each_accepted_event_is_shown_with_the_transaction_before_and_after(
    observed, seen
):
    observed.asks("authorize", 100)
    begun, reported = seen.steps
    assert kinds([begun.event, reported.event]) == [Begun, Reported]
    assert begun.before == Transaction("order-1")
    assert begun.after == reported.before
    assert reported.after == observed.transaction()
    assert [step.number for step in seen.steps] == [1, 2]
    assert {step.machine.name for step in seen.steps} == {"one_time"}


def test_a_denial_before_a_transaction_exists_shows_which_machine_denied(
    observed, seen
):
    assert observed.asks("authorize", 0).status is Status.DENIED
    (step,) = seen.steps
    assert isinstance(step.event, Denied)
    assert step.machine.name == "one_time"
    assert not step.after.exists


def test_a_denial_that_no_machine_decided_shows_none(observed, seen):
    assert observed.asks("capture", 5).status is Status.DENIED
    (step,) = seen.steps
    assert step.machine is None


def test_each_flow_is_shown_from_its_beginning_to_its_end(observed, seen):
    answer = observed.asks("authorize", 100)
    with pytest.raises(UnknownTransaction):
        observed.transaction("order-2")
    assert seen.flows == [
        ("execute", "began"),
        ("execute", answer),
        ("existing", "began"),
        ("existing", UnknownTransaction),
    ]


class Several(Observer):
    """Two observers as one; each writes its name down."""

    def __init__(self, written):
        self._written = written

    def parts(self):
        return tuple(Named(name, self._written) for name in ("outer", "inner"))


class Named(Observer):
    def __init__(self, name, written):
        self._name, self._written = name, written

    def began(self, flow):
        self._written.append(f"{self._name} began")

    def ended(self, flow, result):
        self._written.append(f"{self._name} ended")


def test_an_observer_of_parts_shows_ends_in_the_opposite_order(store, observed_shop):
    written = []
    shop = observed_shop("sync", store, Several(written))
    shop.asks("authorize", 100)
    assert written == ["outer began", "inner began", "inner ended", "outer ended"]


class Refusing:
    """A store that refuses the changes it is given, once for each error."""

    def __init__(self, store, *errors):
        self._store, self._errors = store, list(errors)

    def __getattr__(self, name):
        return getattr(self._store, name)

    def append(self, change):
        if self._errors:
            raise self._errors.pop(0)
        self._store.append(change)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_event_that_the_store_refused_is_shown_as_a_failure_only(
    kind, store, observed_shop, seen
):
    late = VersionConflict("late")
    shop = observed_shop(kind, Refusing(store, late), seen)
    shop.asks("authorize", 100)  # decided once more
    ((effect, error),) = seen.failures
    assert isinstance(effect, Append)
    assert error is late
    assert kinds(step.event for step in seen.steps) == [Begun, Reported]


def test_an_interrupt_is_shown_and_goes_on_its_way(observed, seen, gateway):
    gateway.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        observed.asks("authorize", 100)
    ((effect, error),) = seen.failures
    assert isinstance(effect, Send)
    assert isinstance(error, KeyboardInterrupt)


def test_a_cancelled_task_is_shown(store, observed_shop, seen, command):
    shop = observed_shop("async", store, seen)

    async def cancelled():
        task = asyncio.create_task(shop.engine.execute(command("authorize", 100)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    ((effect, error),) = seen.failures
    assert isinstance(effect, Send)
    assert isinstance(error, asyncio.CancelledError)
    assert kinds(step.event for step in seen.steps) == [Begun]


class Failing(Seen):
    """An observer whose every method has a mistake."""

    def _fail(self, *given):
        raise StoreBusy(str(given))

    began = ended = broke_off = starting = performed = failed = appended = _fail


def test_a_mistake_of_an_observer_is_logged_and_breaks_no_payment(
    store, observed_shop, caplog
):
    shop = observed_shop("sync", store, Failing())
    assert shop.asks("authorize", 100).status is Status.SUCCEEDED
    with pytest.raises(UnknownTransaction):
        shop.transaction("order-2")
    assert {record.name for record in caplog.records} == {"kessai.driver"}
    assert caplog.records[0].exc_info[0] is StoreBusy


# ── of the whole process ────────────────────────────────────────────────────────────


def test_who_observes_the_process_sees_every_engine_in_every_thread(shop, seen):
    other = shop.another()
    with observe(seen):
        shop.asks("authorize", 100)
        thread = Thread(target=other.asks, args=("capture", 100))
        thread.start()
        thread.join()
    shop.asks("refund", 100)
    assert kinds(step.event for step in seen.steps) == [Begun, Reported] * 2


def test_an_observer_of_the_process_and_one_of_the_engine_see_the_same(observed, seen):
    everywhere = Seen()
    with observe(everywhere), observe(seen):
        observed.asks("authorize", 100)
    assert len(everywhere.steps) == 2
    assert seen.steps == [step for step in everywhere.steps for _ in range(2)]


# ── driving by hand ─────────────────────────────────────────────────────────────────


def test_a_flow_of_ones_own_is_driven_by_an_engine(shop):
    shop.asks("authorize", 100)

    def held(order):
        transaction = yield from existing(order)
        return transaction.amounts["authorized"]

    assert shop.call("drive", held("order-1")) == 100
    with pytest.raises(UnknownTransaction):
        shop.call("drive", held("order-2"))


def test_a_flow_is_driven_by_any_function_that_performs(hand, seen):
    with pytest.raises(UnknownTransaction):
        drive(existing("order-1"), hand.perform, seen)

    async def perform(effect):
        await asyncio.sleep(0)
        return hand.perform(effect)

    with pytest.raises(UnknownTransaction):
        asyncio.run(drive_async(existing("order-1"), perform, seen))
    assert kinds(seen.started) == [Load, Load]
