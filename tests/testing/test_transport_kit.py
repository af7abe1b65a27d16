"""The kit for transports: ours pass it, and each planted mistake is found by its case."""

import os
import ssl
from contextlib import closing

import attrs
import pytest

from kessai import AsyncHttpTransport, HttpTransport, Reply
from kessai.gateway import Failure
from kessai.testing import TransportConformance, check_transport
from kessai.testing.transport_kit import check
from kessai.testing.transport_kit.trial import TransportCase, Trial
from kessai.transport.connection import Connection
from kessai.transport.reply import ReplyParser


class TestHttpTransport(TransportConformance):
    def make_transport(self, **options):
        return HttpTransport(**options)


class TestAsyncHttpTransport(TransportConformance):
    def make_transport(self, **options):
        return AsyncHttpTransport(**options)


# ── planted mistakes ────────────────────────────────────────────────────────────────


class Around:
    """A good transport with something of one's own around it."""

    def __init__(self, **options):
        self.inner = HttpTransport(**options)

    def send(self, request):
        return self.inner.send(request)

    def close(self):
        self.inner.close()


class TriesTwice(Around):
    def send(self, request):
        found = self.inner.send(request)
        return found if isinstance(found, Reply) else self.inner.send(request)


class CallsAllUnsent(Around):
    def send(self, request):
        found = self.inner.send(request)
        return found if isinstance(found, Reply) else Failure(sent=False, reason="no")


class CallsAllSent(Around):
    def send(self, request):
        found = self.inner.send(request)
        return found if isinstance(found, Reply) else Failure(sent=True, reason="no")


class Raises(Around):
    def send(self, request):
        found = self.inner.send(request)
        if isinstance(found, Failure) and not found.sent:
            raise ConnectionError
        return found


class TellsAll(Around):
    def send(self, request):
        found = self.inner.send(request)
        if isinstance(found, Reply):
            return found
        return Failure(sent=found.sent, reason=f"no reply from {request.url}")


class WantsItCompressed(Around):
    def send(self, request):
        wish = ("Accept-Encoding", "gzip")
        return self.inner.send(attrs.evolve(request, headers=(*request.headers, wish)))


class KeepsCookies(Around):
    cookies = ()

    def send(self, request):
        headers = (*request.headers, *self.cookies)
        found = self.inner.send(attrs.evolve(request, headers=headers))
        if isinstance(found, Reply):
            self.cookies = tuple(("Cookie", v) for n, v in found.headers if n[0] == "S")
        return found


class FollowsRedirects(Around):
    def send(self, request):
        found = self.inner.send(request)
        if isinstance(found, Reply) and found.status // 100 == 3:
            url = dict(found.headers).get("Location", request.url)
            return self.inner.send(attrs.evolve(request, url=url))
        return found


class LowersNames(Around):
    def send(self, request):
        found = self.inner.send(request)
        if isinstance(found, Failure):
            return found
        headers = tuple((name.lower(), value) for name, value in found.headers)
        return attrs.evolve(found, headers=headers)


def unverified(context):
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE


class TrustsAnyone(Around):
    def __init__(self, *, tls, **options):
        super().__init__(tls=tls, **options)
        if tls is not None:
            unverified(tls)


@pytest.mark.parametrize(
    ("transport", "name"),
    [
        (TriesTwice, "the connection breaks"),
        (TriesTwice, "a kept connection ends under a request"),
        (CallsAllUnsent, "the connection breaks"),
        (CallsAllUnsent, "a client certificate is refused after the request"),
        (CallsAllSent, "nobody listens"),
        (CallsAllSent, "the name is unknown"),
        (Raises, "the request cannot be sent as it is"),
        (TellsAll, "secrets stay where they are"),
        (WantsItCompressed, "a request goes out as it is"),
        (KeepsCookies, "a cookie is not sent back"),
        (FollowsRedirects, "a redirect is a reply"),
        (LowersNames, "a reply comes in as it is"),
        (TrustsAnyone, "the certificate is not to be trusted"),
    ],
)
def test_a_mistake_around_a_transport_is_found(transport, name):
    assert_found(transport, name)


def assert_found(transport, name):
    case = next(case for case in check.CASES if case.name == name)
    with (
        closing(Trial(transport, tls=case.over[-1])) as trial,
        pytest.raises((AssertionError, ConnectionError)),
    ):
        case.run(trial)


def test_bytes_left_over_are_found(monkeypatch):
    """A parser that hears of a reply's end, and not that more came."""

    def feed_at_once(self, data):
        self._parser.feed_data(data)

    monkeypatch.setattr(ReplyParser, "_parse", feed_at_once)
    assert_found(HttpTransport, "more than the reply comes")


def test_a_connection_used_again_unlooked_at_is_found(monkeypatch):
    monkeypatch.setattr(Connection, "is_usable", True)
    assert_found(HttpTransport, "something comes between two requests")
    assert_found(HttpTransport, "a resting connection is closed")


def test_a_connection_shared_with_a_child_process_is_found(monkeypatch):
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent)
    assert_found(HttpTransport, "a process forks")


def test_a_connection_kept_after_a_cancelled_request_is_found(monkeypatch):
    make = ReplyParser.__init__

    def careless(self, **given):
        make(self, **given)
        self.reusable = True

    monkeypatch.setattr(ReplyParser, "__init__", careless)
    assert_found(AsyncHttpTransport, "a task is cancelled")
    assert_found(HttpTransport, "a late reply meets another request")


def test_all_failures_are_reported_together(monkeypatch):
    cases = [
        TransportCase(case.run, (False,))
        for case in check.CASES
        if case.name
        in {"nobody listens", "the connection breaks", "a redirect is a reply"}
    ]
    every = [(case, False) for case in cases]
    monkeypatch.setattr(check, "ALL", every)
    assert set(check_transport(HttpTransport)) == {case.name for case in cases}
    with pytest.raises(ExceptionGroup, match="1 of 3 cases") as found:
        check_transport(CallsAllSent)
    [error] = found.value.exceptions
    assert error.__notes__ == ["nobody listens: A refused connection carried nothing."]
