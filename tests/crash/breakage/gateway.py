"""The gateway, in the process that survives: nothing here dies with the engine.

It delivers a notification until it is answered, as gateways do: what a dead engine had
recorded without an answer comes again.
"""

import os
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import attrs

from breakage.story import WIRE
from kessai.gateway import Failure, Reply
from kessai_adapters.emulators import Lost, NotConnected, OutOfPlay
from kessai_adapters.emulators.veritrans4g import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Emulator,
    Refused,
)
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

HOST = "https://api3.veritrans.co.jp"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def adapter():
    return VeriTrans4G(
        Credentials(DEFAULT_CCID, DEFAULT_KEY),
        dummy=True,
        notification_url="https://shop.example/push",
    )


class Clock:
    def __init__(self):
        self.now = BEGIN

    def __call__(self):
        return self.now


@attrs.frozen
class Delivery:
    number: int
    headers: dict
    body: bytes


class Gateway:
    """The emulator, its consumer, its notifications, and a note of all that reached it.

    `asked` has the key under which each step was last asked for, `acknowledged` what
    the order system was answered.
    """

    def __init__(self):
        self.clock = Clock()
        self.emulator = Emulator(clock=self.clock, approve="ask")
        self.deliveries = []
        self.answered = set()
        self.asked = {}
        self.acknowledged = {}

    # ── the wire ────────────────────────────────────────────────────────────────────

    def send(self, request):
        path = request.url.removeprefix(HOST)
        try:
            reply = self.emulator.handle(
                request.method, path, dict(request.headers), request.body
            )
        except Lost as lost:
            sent = not isinstance(lost, NotConnected)
            return Failure(sent=sent, reason=type(lost).__name__)
        return Reply(
            status=reply.status, headers=tuple(reply.headers.items()), body=reply.body
        )

    def waiting(self):
        """The notifications that nobody has answered yet."""
        for notification in self.emulator.take_notifications():
            number = len(self.deliveries)
            self.deliveries.append(
                Delivery(number, dict(notification.headers), notification.body)
            )
        return [d for d in self.deliveries if d.number not in self.answered]

    def answer(self, number):
        """A notification was answered 200."""
        self.answered.add(number)

    # ── what is done there ──────────────────────────────────────────────────────────

    def befall(self, command, fault):
        self.emulator.behave()  # of an attempt that never came so far
        self.emulator.misbehave(fault, command=WIRE[command])

    def approve(self, order):
        try:
            self.emulator.consumer.approve(order)
        except (KeyError, OutOfPlay, Refused):
            return False
        return True

    def complete(self, order):
        try:
            self.emulator.complete(order)
        except OutOfPlay:
            return False
        return True

    # ── what the order system does ──────────────────────────────────────────────────

    def asks(self, step, key):
        self.asked[step] = key

    def was_answered(self, step, answer):
        self.acknowledged[step] = answer

    # ── from another process ────────────────────────────────────────────────────────

    def serve(self, line):
        """Answer one call from a `Link`."""
        now, name, arguments = line.recv()
        self.clock.now = now
        answer = getattr(self, name)(*arguments)
        try:
            line.send(answer)
        except BrokenPipeError:  # who asked is gone; what was asked for is done
            return


class Link:
    """The gateway as another process sees it: every call goes through a socket."""

    def __init__(self, line):
        self.clock = Clock()
        self._line = line

    def __getattr__(self, name):
        def call(*arguments):
            self._line.send((self.clock.now, name, arguments))
            return self._line.recv()

        return call


def connection(handle):
    """A connection of a file descriptor of ours."""
    return Connection(os.dup(handle))
