"""Mistakes that show only where accounts share a store, or an adapter slips."""

from functools import partial
from importlib import import_module

import attrs
from planting import defect, planted

from kessai.errors import StoreBusy
from kessai.flow import Context
from kessai.gateway import Outcome
from kessai.stores import MemoryStore

execute = import_module("kessai.flow.execute")
exchange = import_module("kessai.flow.exchange")
notification = import_module("kessai.flow.notification")


@partial(defect, gateway="accounts")
def an_account_that_is_not_known_is_taken_for_the_only_one():
    """A recoverer of one account asks its gateway about another's order."""

    def adapter_for(context, account, *, of=""):
        return context.adapters.get(account) or next(iter(context.adapters.values()))

    with planted((Context, "adapter_for", adapter_for)):
        yield


@partial(defect, gateway="accounts")
def a_recoverer_is_given_what_is_due_of_any_account():
    """It cannot act on it, and holds it up."""
    original = MemoryStore.claim

    def claim(store, now, until, accounts):
        every = {transaction.account for transaction in store.transactions()}
        return original(store, now, until, tuple(every))

    with planted((MemoryStore, "claim", claim)):
        yield


@partial(defect, gateway="accounts")
def a_notification_is_taken_at_any_endpoint():
    """Nobody compares whose endpoint it came to with whose order it is about."""
    original = notification.receive

    def receive(context, account, evidence):
        transaction, _ = yield from notification.load_with_machine(
            context, evidence.transaction
        )
        return (yield from original(context, transaction.account or account, evidence))

    with planted((notification, "receive", receive)):
        yield


@defect
def what_an_adapter_gives_is_believed_as_it_is():
    """Its evidence is not built anew."""

    def rebuilt(call, given):
        return given

    with planted((exchange, "rebuilt", rebuilt)):
        yield


@defect
def an_error_of_an_adapter_says_that_nothing_was_sent():
    """The request had left: it was carried out."""
    original = exchange.unknown

    def unknown(call, code="", **more):
        evidence = original(call, code, **more)
        if not code.startswith("adapter raised"):
            return evidence
        return attrs.evolve(evidence, outcome=Outcome.DECLINED, never_sent=True)

    with planted((exchange, "unknown", unknown)):
        yield


@defect
def an_error_of_an_adapter_passes_through():
    """Such as our own `StoreBusy`: the caller is told that nothing was done."""
    original = exchange.carry_on

    def carry_on(adapter, started, until=None):
        evidence = yield from original(adapter, started, until)
        if evidence.code == "adapter raised StoreBusy":
            raise StoreBusy(evidence.code)
        return evidence

    with planted((execute, "carry_on", carry_on)):
        yield
