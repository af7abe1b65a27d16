"""Adapters that are wrong in one known way each, by its docstring."""

import contextlib
import json
import logging
import os
import random  # noqa: TID251 - a mistake that is looked for
import socket
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import ClassVar

import attrs
from kessai_examplepay import reading
from kessai_examplepay.adapter import ExamplePay

from kessai.errors import InvalidInput, NotificationRefused
from kessai.gateway import (
    INQUIRY,
    Evidence,
    Failure,
    NotificationPartlyRefused,
    Outcome,
    Reply,
    Request,
    Source,
)

SEEN: list[str] = []


def with_header(request, name, value):
    kept = tuple(pair for pair in request.headers if pair[0] != name)
    return attrs.evolve(request, headers=(*kept, (name, value)))


class StampsTheTime(ExamplePay):
    """The time of day is in every request."""

    def request(self, call):
        return with_header(super().request(call), "Date", str(time.time()))  # noqa: TID251


class LooksAtTheClock(ExamplePay):
    """The same, where a second hides it from two calls in a row."""

    def request(self, call):
        today = datetime.now(UTC).date()  # noqa: TID251
        return with_header(super().request(call), "Date", str(today))


class NewKeyPerResend(ExamplePay):
    """Every attempt has a fresh key."""

    def request(self, call):
        key = str(uuid.uuid4())  # noqa: TID251
        return with_header(super().request(call), "Idempotency-Key", key)


class KeyOfTheOrder(ExamplePay):
    """One key for all operations of an order."""

    def request(self, call):
        return with_header(super().request(call), "Idempotency-Key", call.transaction)


class DrawsLots(ExamplePay):
    """Chance decides something that shows in no byte."""

    def request(self, call):
        random.random()  # noqa: S311
        return super().request(call)


class ReadsTheEnvironment(ExamplePay):
    """A setting is read at each call."""

    def request(self, call):
        os.environ.get("KESSAI_EXAMPLEPAY_MODE")
        return super().request(call)


class OpensAFile(ExamplePay):
    """Something is read from disk at each call, and a failure is swallowed."""

    def request(self, call):
        with contextlib.suppress(OSError):
            Path("/nonexistent/template").read_bytes()
        return super().request(call)


class Resolves(ExamplePay):
    """A connection is made."""

    def evidence(self, call, reply):
        socket.socket().close()
        return super().evidence(call, reply)


class StartsAThread(ExamplePay):
    """Work goes on behind the caller's back."""

    def evidence(self, call, reply):
        thread = Thread(target=int)
        thread.start()
        thread.join()
        return super().evidence(call, reply)


class Prints(ExamplePay):
    """A forgotten print."""

    def notification(self, headers, body):
        print("notification!")  # noqa: T201
        return super().notification(headers, body)


class KeepsAList(ExamplePay):
    """What was asked is kept in a module's variable."""

    def request(self, call):
        SEEN.append(call.command)
        return super().request(call)


class OrdersBySet(ExamplePay):
    """The order of members is a set's."""

    def request(self, call):
        names = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta"}
        return with_header(super().request(call), "X-Fields", ",".join(names))


class InTheMachinesZone(ExamplePay):
    """Times are written in the zone of the machine."""

    def request(self, call):
        at = datetime(2026, 1, 2, tzinfo=UTC).astimezone()
        return with_header(super().request(call), "X-At", at.isoformat())


class ChangesItsCall(ExamplePay):
    """The caller's parameters are taken apart."""

    def request(self, call):
        request = super().request(call)
        call.parameters.pop("note", None)
        return request


class ShowsItsKey(ExamplePay):
    """The repr is a dataclass's."""

    def __repr__(self):
        return f"ShowsItsKey(key={self.key!r})"


class KeepsTheMessage(ExamplePay):
    """The text for people becomes the code."""

    def evidence(self, call, reply):
        evidence = super().evidence(call, reply)
        if isinstance(reply, Failure):
            return evidence
        try:
            message = json.loads(reply.body)["message"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return evidence
        return attrs.evolve(evidence, code=message) if message else evidence


class LogsTheBody(ExamplePay):
    """A line for debugging holds what came back."""

    def evidence(self, call, reply):
        if isinstance(reply, Reply):
            text = reply.body[:1000].decode(errors="replace")
            logging.getLogger("examplepay").debug("reply %s", text)
        return super().evidence(call, reply)


class TellsTheValue(ExamplePay):
    """The error shows which value was wrong."""

    def request(self, call):
        for name, value in call.parameters.items():
            if not isinstance(value, str):
                message = f"{name} must be text, not {value!r}"
                raise InvalidInput(message)
        return super().request(call)


class TellsTheSetting(ExamplePay):
    """So does the one about the environment."""

    @classmethod
    def from_environment(cls, environ):
        host = environ.get("KESSAI_EXAMPLEPAY_HOST", "")
        if " " in host:
            message = f"KESSAI_EXAMPLEPAY_HOST: {host} is no host"
            raise InvalidInput(message)
        return super().from_environment(environ)


class TimeOutIsDeclined(ExamplePay):
    """What was not answered is taken for refused."""

    def evidence(self, call, reply):
        evidence = super().evidence(call, reply)
        if isinstance(reply, Failure) and call.command != INQUIRY:
            return attrs.evolve(evidence, outcome=Outcome.DECLINED)
        return evidence


class NeverSentIsUnknown(ExamplePay):
    """What never left is inquired about like what did."""

    def evidence(self, call, reply):
        if isinstance(reply, Failure):
            reply = attrs.evolve(reply, sent=True)
        return super().evidence(call, reply)


class TrustsTheStatus(ExamplePay):
    """200 is success, whatever stands under it."""

    def evidence(self, call, reply):
        evidence = super().evidence(call, reply)
        is_good = isinstance(reply, Reply) and reply.status in {200, 201}
        if is_good and call.command != INQUIRY:
            return attrs.evolve(evidence, outcome=Outcome.SUCCEEDED)
        return evidence


class IgnoresTheStatus(ExamplePay):
    """A body is believed under any status."""

    def evidence(self, call, reply):
        if isinstance(reply, Reply) and reply.status >= 500:
            reply = attrs.evolve(reply, status=201)
        return super().evidence(call, reply)


class RaisesOnGarbage(ExamplePay):
    """JSON is parsed before anything is doubted."""

    def evidence(self, call, reply):
        if isinstance(reply, Reply) and reply.status < 500:
            json.loads(reply.body)
        return super().evidence(call, reply)


class ReadsTheLastOfTwo(ExamplePay):
    """Of two verdicts the later counts."""

    def evidence(self, call, reply):
        if isinstance(reply, Reply):
            try:
                body = json.dumps(json.loads(reply.body)).encode()
            except (ValueError, RecursionError):
                body = b""
            reply = attrs.evolve(reply, body=body)
        return super().evidence(call, reply)


class MendsWhatIsCutOff(ExamplePay):
    """A closing brace is added where it is missing."""

    def evidence(self, call, reply):
        if isinstance(reply, Reply) and reply.body[-1:] != b"}":
            reply = attrs.evolve(reply, body=reply.body + b"}")
        return super().evidence(call, reply)


class AnybodysReply(ExamplePay):
    """The reply's transaction is not read."""

    def evidence(self, call, reply):
        if call.command == INQUIRY or isinstance(reply, Failure):
            return super().evidence(call, reply)
        ours = attrs.evolve(call, transaction="order-7")
        evidence = super().evidence(ours, reply)
        return attrs.evolve(evidence, transaction=call.transaction)


class ForgetsWhatItIsAbout(ExamplePay):
    """A reply's evidence names no command."""

    def evidence(self, call, reply):
        return attrs.evolve(super().evidence(call, reply), command=None)


class AmountsWithAPoint(ExamplePay):
    """Amounts are floats."""

    def evidence(self, call, reply):
        evidence = super().evidence(call, reply)
        return attrs.evolve(evidence, amount=evidence.amount and evidence.amount / 1.0)


class NoSuchOrderByStatus(ExamplePay):
    """Any 404, a proxy's too, is read as an order that is not known."""

    def evidence(self, call, reply):
        evidence = super().evidence(call, reply)
        if call.command == INQUIRY and getattr(reply, "status", 0) == 404:
            return attrs.evolve(evidence, outcome=Outcome.SUCCEEDED, found=False)
        return evidence


class DropsTheSecond(ExamplePay):
    """Only the first event of a notification is read."""

    def notification(self, headers, body):
        return super().notification(headers, body)[:1]


class HoldsUpTheOthers(ExamplePay):
    """One malformed event, and the whole notification is refused."""

    def notification(self, headers, body):
        try:
            return super().notification(headers, body)
        except NotificationPartlyRefused as refusal:
            raise NotificationRefused(str(refusal)) from None


class ComparesByEquals(ExamplePay):
    """The signature is compared with ==."""

    def notification(self, headers, body):
        claimed = {n.lower(): v for n, v in headers.items()}.get(reading.HEADER, "")
        if claimed != self._proof(body):
            raise NotificationRefused("notification refused")
        return super().notification(headers, body)

    def _proof(self, body):
        digest = reading.hmac.digest(self.notification_secret.encode(), body, "sha256")
        return f"sha256={digest.hex()}"


class ComparesTheStart(ExamplePay):
    """Only half of the signature is compared."""

    def notification(self, headers, body):
        claimed = {n.lower(): v for n, v in headers.items()}.get(reading.HEADER, "")
        digest = reading.hmac.digest(self.notification_secret.encode(), body, "sha256")
        proof = f"sha256={digest.hex()}"
        if not reading.hmac.compare_digest(claimed[:39].encode(), proof[:39].encode()):
            raise NotificationRefused("notification refused")
        return reading.notified(body)


class BelievesEverybody(ExamplePay):
    """Nothing is verified."""

    def notification(self, headers, body):
        return reading.notified(body)


class OneSpelling(ExamplePay):
    """The header is found under one spelling only."""

    def notification(self, headers, body):
        if "X-ExamplePay-Signature" not in headers:
            raise NotificationRefused("notification refused")
        return super().notification(headers, body)


class ShowsTheSignature(ExamplePay):
    """The refusal quotes what it refuses."""

    def notification(self, headers, body):
        try:
            return super().notification(headers, body)
        except NotificationPartlyRefused:
            raise
        except NotificationRefused:
            message = f"notification refused: {dict(headers)}"
            raise NotificationRefused(message) from None


class StumblesOverANotification(ExamplePay):
    """A notification of another shape raises what it likes."""

    def notification(self, headers, body):
        heard = super().notification(headers, body or b'{"events": []}')
        json.loads(body)["events"][0]["buyer_email"]
        return heard


class AnyCommandGoes(ExamplePay):
    """What is no command is posted to a path of its name."""

    def request(self, call):
        if call.command in {"authorize", "capture", "cancel", "refund", INQUIRY}:
            return super().request(call)
        return Request(method="POST", url=f"{self.host}/v1/{call.command}")


class ForgetsTheCurrency(ExamplePay):
    """Ten dollars are sent as a thousand yen."""

    def request(self, call):
        return super().request(attrs.evolve(call, currency="JPY"))


class PastesTheId(ExamplePay):
    """The order's id is put into the address as it is."""

    def request(self, call):
        request = super().request(call)
        if call.command == INQUIRY:
            url = f"{self.host}/v1/orders/{call.transaction}"
            return attrs.evolve(request, url=url)
        return request


class NotesInHeaders(ExamplePay):
    """A text for the gateway goes into a header as it is."""

    def request(self, call):
        note = call.parameters.get("note", "")
        return with_header(super().request(call), "X-Note", note)


class LookUpsDecline(ExamplePay):
    """An inquiry that broke off is read as finding nothing."""

    def evidence(self, call, reply):
        if call.command == INQUIRY and isinstance(reply, Failure):
            return Evidence(
                source=Source.INQUIRY,
                transaction=call.transaction,
                command=None,
                outcome=Outcome.SUCCEEDED,
                found=False,
            )
        return super().evidence(call, reply)


class LearnsFromReplies(ExamplePay):
    """Once a capture succeeded, every capture is reported so."""

    captured: ClassVar[list[str]] = []

    def evidence(self, call, reply):
        evidence = super().evidence(call, reply)
        if call.command == "capture":
            if evidence.outcome is Outcome.DECLINED and self.captured:
                self.captured.clear()
                return attrs.evolve(evidence, outcome=Outcome.UNKNOWN)
            if evidence.outcome is Outcome.SUCCEEDED:
                self.captured.append(call.transaction)
        return evidence


class DecodesBeforeItDoubts(ExamplePay):
    """A signed notification that is no UTF-8 raises."""

    def notification(self, headers, body):
        reading.verify(self.notification_secret, headers, body)
        body.decode()
        return reading.notified(body)


class NotListedIsNotThere(ExamplePay):
    """Whatever has no list of events is read as an order that is not known."""

    def evidence(self, call, reply):
        evidence = super().evidence(call, reply)
        if call.command != INQUIRY or getattr(reply, "status", 0) not in {200, 201}:
            return evidence
        if evidence.outcome is Outcome.UNKNOWN and b"events" not in reply.body:
            return attrs.evolve(evidence, outcome=Outcome.SUCCEEDED, found=False)
        return evidence


class HasALongName(ExamplePay):
    """Its name is a sentence."""

    name = "Example Pay, the gateway"
