"""Adapters of exchanges that are wrong in one known way each; the docstring says which."""

import os
from typing import ClassVar

import attrs
from invented.adapter import Kumo

from kessai.gateway import Evidence, Failure, Mention, Outcome, Source


def changed(exchange, change):
    """An exchange whose requests, numbered from 1, go out as `change` makes them."""
    reply, number = None, 0
    try:
        while True:
            number += 1
            reply = yield change(number, exchange.send(reply))
    except StopIteration as stop:
        return stop.value


def with_key(request, key):
    return attrs.evolve(request, headers=(("Idempotency-Key", key),))


class SkipsTheSecond(Kumo):
    """What was made is not confirmed."""

    def exchange(self, call):
        exchange = super().exchange(call)
        reply = yield next(exchange)
        exchange.close()
        return _done(call, reply)


def _done(call, reply):
    outcome = Outcome.UNKNOWN if isinstance(reply, Failure) else Outcome.SUCCEEDED
    return Evidence(
        source=Source.REPLY,
        transaction=call.transaction,
        command=call.command,
        outcome=outcome,
    )


class RemembersItsStep(Kumo):
    """The exchanges of all callers share one counter."""

    steps: ClassVar[list[int]] = []

    def exchange(self, call):
        self.steps.clear()

        def count(_number, request):
            self.steps.append(1)
            place = f"step-{len(self.steps)}"
            return attrs.evolve(
                request, headers=(*request.headers, ("Kumo-Step", place))
            )

        return changed(super().exchange(call), count)


class OneKeyForBoth(Kumo):
    """The gateway answers the second request as it did the first."""

    def exchange(self, call):
        return changed(
            super().exchange(call),
            lambda _, request: with_key(request, call.key("create")),
        )


class NoSecondKey(Kumo):
    """Only what makes a thing has a key, and what moves money has none."""

    def exchange(self, call):
        return changed(
            super().exchange(call),
            lambda number, request: (
                request if number == 1 else attrs.evolve(request, headers=())
            ),
        )


class HalfIsDeclined(Kumo):
    """A confirmation without a reply is taken for one that was refused."""

    def exchange(self, call):
        evidence = yield from super().exchange(call)
        if evidence.outcome is not Outcome.UNKNOWN:
            return evidence
        return attrs.evolve(evidence, outcome=Outcome.DECLINED)


class StumblesHalfway(Kumo):
    """A reply without an id raises in the midst of an exchange."""

    def exchange(self, call):
        evidence = yield from super().exchange(call)
        assert evidence.outcome is not Outcome.UNKNOWN
        return evidence


class OpensAnotherForThePage(Kumo):
    """The page that is given is another checkout's."""

    def page(self, call):
        return changed(
            super().page(call), lambda _, request: with_key(request, "another")
        )


class RepeatsForgottenKeys(Kumo):
    """Keys are used though the gateway may have forgotten them."""

    def page(self, call):
        return super().page(attrs.evolve(call, seed=call.seed or call.operation))


class SaltsItself(Kumo):
    """The salt of a signature is drawn, and not the one that is given."""

    def seal(self, request, at, nonce):
        return super().seal(request, at, os.urandom(len(nonce)))


class MentionsTheEvent(Kumo):
    """What is mentioned is an id that no transaction has."""

    def received(self, notification):
        (mention,) = yield from super().received(notification)
        return (Mention("event", mention.id),)
