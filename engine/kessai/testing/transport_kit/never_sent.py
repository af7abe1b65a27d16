"""Cases: what was surely never sent, and must be reported so."""
# ruff: noqa: S101 - asserting is what a kit is for

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from time import monotonic
from typing import Any

import attrs

from kessai.gateway import Reply
from kessai.testing.transport_kit.certificates import certificates, unknown_authority
from kessai.testing.transport_kit.server import Peer, ScriptedServer
from kessai.testing.transport_kit.trial import (
    PLAIN,
    TLS,
    TransportCase,
    Trial,
    echo,
    never_sent,
    post,
    replied,
    whole,
)
from kessai.testing.transport_kit.waits import SHORT_SECONDS, SLACK_SECONDS

BAD_URLS = (
    "",
    "/pay",
    "ftp://127.0.0.1/",
    "https:///pay",
    "{url}/pay#fragment",
    "{url}/a b",
    "{url}/pay\r\nX-Injected: 1",
    "{url}/pay?\tq",
    "{url}/日本",
    "{url}@example.invalid/",
    "http://user:secret@127.0.0.1/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:1e3/",
    "http://[::1/",
)
BAD_HEADERS = (
    ("X-Note", "a\r\nX-Injected: 1"),
    ("X-Note", "a\nb"),
    ("X-Note", "a\x00b"),
    ("X-Note", "日本"),
    ("X-Note\r\nX-Injected", "1"),
    ("X Note", "1"),
    ("", "1"),
    ("Content-Length", "0"),
    ("Transfer-Encoding", "chunked"),
)
BAD_METHODS = ("", "GET /elsewhere", "POST\r\nX-Injected: 1", "CONNECT")


def nobody_listens(trial: Trial) -> None:
    """A refused connection carried nothing."""
    with closing(socket.socket()) as nobody:  # bound, so that nobody else is; not heard
        nobody.bind(("127.0.0.1", 0))
        scheme = "https" if trial.tls else "http"
        url = f"{scheme}://127.0.0.1:{nobody.getsockname()[1]}/"
        never_sent(trial.open().send(post(url)))


def nobody_answers_the_connection(trial: Trial) -> None:
    """A host that is silent ends the wait at the deadline."""
    with ExitStack() as sockets:
        deaf = sockets.enter_context(closing(socket.socket()))
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(8):  # its queue is full now
            waiting = sockets.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with in_time():
            never_sent(trial.open(seconds=SHORT_SECONDS).send(post(url)))


def the_name_is_unknown(trial: Trial) -> None:
    """A name without an address leads nowhere."""

    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with looked_up_by(unknown):
        never_sent(trial.open().send(post("http://gateway.invalid/")))


def the_name_is_looked_up_for_too_long(trial: Trial) -> None:
    """The deadline holds while the system looks a name up, which nothing breaks off."""
    over = threading.Event()

    def slow(*_: object, **__: object) -> Any:
        over.wait(SHORT_SECONDS + 2 * SLACK_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    sender = trial.open(seconds=SHORT_SECONDS)
    with looked_up_by(slow):
        try:
            with in_time():
                never_sent(sender.send(post("http://gateway.invalid/")))
        finally:
            over.set()


def no_connection_is_free_in_time(trial: Trial) -> None:
    """What waited in vain for its turn was not sent."""

    def answer(peer: Peer) -> None:
        request = peer.request()
        if request is not None and request.target == "/first":
            peer.wait()
        elif request is not None:
            peer.send(whole())

    server = trial.serve(answer)
    sender = trial.open(seconds=SHORT_SECONDS, connections=1)
    _, second = sender.send_all([post(server, "/first"), post(server, "/second")])
    if any(request.target == "/second" for request in server.requests):
        assert isinstance(second, Reply) or second.sent, "it was sent after all"
    elif server.connections == 1:
        never_sent(second)


def nobody_agrees_on_tls(trial: Trial) -> None:
    """A server that is silent, closes or speaks no TLS has seen no request."""

    def silent(peer: Peer) -> None:
        peer.wait()

    def closes(_: Peer) -> None:
        pass

    def plain(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.wait()

    for answer in (silent, closes, plain):
        with ScriptedServer(answer, None) as server, in_time():
            url = server.url.replace("http", "https")
            sender = trial.open(seconds=SHORT_SECONDS)
            never_sent(sender.send(post(url)))


def the_certificate_is_not_to_be_trusted(trial: Trial) -> None:
    """Of an unknown authority, for another host, or expired: always refused."""
    for context in (
        unknown_authority().good,
        certificates().for_another_host,
        certificates().expired,
    ):
        server = trial.serve(echo, context)
        never_sent(trial.open().send(post(server)))
        assert server.requests == []


def the_authority_is_trusted_only_where_it_was_given(trial: Trial) -> None:
    """Without a context the system's authorities are trusted, and no other."""
    server = trial.serve(echo)
    never_sent(trial.open(trusting=False).send(post(server)))
    replied(trial.open().send(post(server)))


def the_request_cannot_be_sent_as_it_is(trial: Trial) -> None:
    """Nothing raises, and no value of an order becomes a header of its own."""
    server = trial.serve(echo)
    sender = trial.open()
    good = post(server)
    bad = [attrs.evolve(good, url=url.replace("{url}", server.url)) for url in BAD_URLS]
    bad += [
        attrs.evolve(good, headers=(*good.headers, header)) for header in BAD_HEADERS
    ]
    bad += [attrs.evolve(good, method=method) for method in BAD_METHODS]
    for request in bad:
        never_sent(sender.send(request))
    assert server.requests == []


@contextmanager
def looked_up_by(function: Callable[..., Any]) -> Iterator[None]:
    """Look names up by `function`; addresses, as before."""
    real = socket.getaddrinfo

    def chosen(host: Any, *given: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name == "gateway.invalid":
            return function(host, *given, **named)
        return real(host, *given, **named)

    socket.getaddrinfo = chosen
    try:
        yield
    finally:
        socket.getaddrinfo = real


@contextmanager
def in_time() -> Iterator[None]:
    """Assert that what follows ends by the short deadline."""
    begin = monotonic()
    yield
    took = monotonic() - begin
    assert took < SHORT_SECONDS + SLACK_SECONDS, f"it took {took:.1f} s"


CASES = (
    TransportCase(nobody_listens),
    TransportCase(nobody_answers_the_connection, PLAIN),
    TransportCase(the_name_is_unknown, PLAIN),
    TransportCase(the_name_is_looked_up_for_too_long, PLAIN),
    TransportCase(no_connection_is_free_in_time, PLAIN),
    TransportCase(nobody_agrees_on_tls, TLS),
    TransportCase(the_certificate_is_not_to_be_trusted, TLS),
    TransportCase(the_authority_is_trusted_only_where_it_was_given, TLS),
    TransportCase(the_request_cannot_be_sent_as_it_is),
)
