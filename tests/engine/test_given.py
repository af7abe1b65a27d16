"""What is of a wrong kind is refused by its name, on both engines; nothing is done."""

import asyncio
from datetime import timedelta

import pytest

from kessai import AsyncEngine, Command, Engine, MemoryStore, Search
from kessai.errors import InvalidCommand, InvalidInput
from kessai.flow import AmountBounds, Recovery

COMMAND = Command("authorize", "order-1", lifecycle="one_time", amount=5, key="k")

WRONG = {
    "execute": ((None,), "command: Command is right, not None"),
    "preview": (("capture",), "command: Command is right, not str"),
    "carry_out": ((COMMAND,), "prepared: Prepared is right, not Command"),
    "transaction": ((5,), "transaction_id: str is right, not int"),
    "search": (("x",), "asked: Search or None is right, not str"),
    "forget": ((["order-1"],), "transaction_ids: str is right, not list"),
    "relay": ((None, print), "subscriber: str is right, not None"),
    "recover": ((5,), "recovery: Recovery or None is right, not int"),
    "events": ((None,), "after: str is right, not None"),
    "can": ((None,), "transaction_id: str is right, not None"),
}
WHY = {"reason": "asked for", "actor": "sato"}


@pytest.fixture(params=[Engine, AsyncEngine])
def call(request):
    """Call a method of either engine."""
    engine = request.param(adapters=[], store=MemoryStore(), transport=object())

    def call(name, *given, **more):
        found = getattr(engine, name)(*given, **more)
        return asyncio.run(found) if asyncio.iscoroutine(found) else found

    return call


@pytest.mark.parametrize("name", WRONG)
def test_what_is_of_a_wrong_kind_is_refused_by_its_name(call, name):
    given, said = WRONG[name]
    error = InvalidCommand if said.startswith("command") else InvalidInput
    with pytest.raises(error) as refused:
        call(name, *given, **(WHY if name == "forget" else {}))
    assert str(refused.value) == said


def test_what_is_given_by_name_and_what_is_called_are_seen_too(call):
    with pytest.raises(InvalidCommand, match="command: Command is right, not None"):
        call("begin", command=None, connection=object())
    with pytest.raises(InvalidInput, match="handle: Callable is right, not str"):
        call("relay", "mail", handle="print")


@pytest.mark.parametrize(
    ("made", "given", "said"),
    [
        (Search, {"since": "2010-01-01"}, "since: datetime or None is right, not str"),
        (Search, {"amount": 5}, "amount: AmountBounds or None is right, not int"),
        (Search, {"limit": "5"}, "limit: int is right, not str"),
        (
            Search,
            {"states": 5},
            "states: a list of texts is right, such as ['captured']",
        ),
        (AmountBounds, {"name": 5, "currency": "JPY"}, "name: str is right, not int"),
        (Recovery, {"lease": 5}, "lease: timedelta is right, not int"),
    ],
)
def test_what_is_asked_has_fields_of_their_kinds(made, given, said):
    with pytest.raises(InvalidInput) as refused:
        made(**given)
    assert str(refused.value) == said


def test_what_is_of_its_kind_is_taken(call):
    assert call("search", Search(limit=1)).transactions == ()
    assert call("recover", Recovery(lease=timedelta(seconds=30)), limit=1) == []


def test_a_method_looks_as_it_was_written():
    assert asyncio.iscoroutinefunction(AsyncEngine.execute)
    assert not asyncio.iscoroutinefunction(Engine.execute)
