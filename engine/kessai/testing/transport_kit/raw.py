"""Cases: bytes go out and come in as they are, and no secret comes out elsewhere."""
# ruff: noqa: S101 - asserting is what a kit is for

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from kessai.gateway import Request
from kessai.testing.transport_kit.may_have_been_sent import CHUNKED, HINTED, once
from kessai.testing.transport_kit.server import Peer
from kessai.testing.transport_kit.trial import (
    PLAIN,
    TransportCase,
    Trial,
    echo,
    never_sent,
    post,
    replied,
    whole,
)

SECRET = "s3cr3t-of-the-shop"  # noqa: S105 - made up
UNASKED = ("cookie", "authorization", "accept-encoding", "expect", "transfer-encoding")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def a_request_goes_out_as_it_is(trial: Trial) -> None:
    """Method, target, headers in order and body are the adapter's, and nothing is added."""
    server = trial.serve(echo)
    headers = (("x-B", " two  words "), ("X-a", "é"), ("X-B", ""), ("Date", "today"))
    body = bytes(range(256)) * 300
    request = Request(
        method="POST",
        url=f"{server.url}/a%20b//c/../d;e?q=1&q=%32",
        headers=headers,
        body=body,
    )
    reply = replied(trial.open().send(request), body)
    assert reply.status == 200  # noqa: PLR2004
    (seen,) = server.requests
    assert (seen.method, seen.body) == ("POST", body)
    assert seen.target == "/a%20b//c/../d;e?q=1&q=%32"
    ours = [header for header in seen.headers if header in headers]
    assert ours == list(headers), "headers were changed, left out or reordered"
    assert not [name for name in UNASKED if seen.values(name)]
    assert seen.values("host") == [f"127.0.0.1:{server.port}"]
    assert seen.values("content-length") == [str(len(body))]


def a_request_without_a_path_or_a_body(trial: Trial) -> None:
    """An empty path is the root; an empty POST announces that it is empty."""
    server = trial.serve(echo)
    sender = trial.open()
    for url, target in ((server.url, "/"), (f"{server.url}?a=1", "/?a=1")):
        replied(sender.send(Request(method="GET", url=url)), b"")
        assert server.requests[-1].target == target
    replied(sender.send(Request(method="POST", url=server.url)), b"")
    assert server.requests[-1].values("content-length") == ["0"]


def a_reply_comes_in_as_it_is(trial: Trial) -> None:
    """Status, headers in order with their own case, and body: at once or in drops."""
    headers = ("X-B: 2", "Set-Cookie: a=1", "x-b: 1", "Set-Cookie: b=2", "Empty:")
    expected = [
        *(("X-B", "2"), ("Set-Cookie", "a=1"), ("x-b", "1"), ("Set-Cookie", "b=2")),
        *(("Empty", ""), ("Content-Length", "3")),
    ]
    for status in ("200 OK", "402 Payment Required", "500 No", "599 Unheard Of"):
        reply = whole(b"\x00\xff\n", status, *headers)
        for send in (Peer.send, drip_at_once):

            def answer(peer: Peer, send: Any = send, reply: bytes = reply) -> None:
                peer.request()
                send(peer, reply)
                peer.wait()

            found = trial.open().send(post(trial.serve(answer)))
            assert replied(found, b"\x00\xff\n").status == int(status[:3])
            assert list(replied(found).headers) == expected


def drip_at_once(peer: Peer, data: bytes) -> None:
    """Send byte by byte, as fast as it goes."""
    peer.drip(data, 0.0)


def a_reply_of_any_form(trial: Trial) -> None:
    """In chunks, whose trailers are no headers; or after hints, which are no reply."""
    for reply, body in ((CHUNKED, b"formore"), (HINTED, b"after a hint")):
        server = trial.serve(once(reply))
        found = replied(trial.open().send(post(server)), body)
        names = {name.lower() for name, _ in found.headers}
        assert not names & {"x-sum", "link"}


def a_reply_ends_with_its_connection(trial: Trial) -> None:
    """Without a length, and without TLS, it does."""
    server = trial.serve(once(b"HTTP/1.1 200 OK\r\n\r\nto the end"))
    replied(trial.open().send(post(server)), b"to the end")
    server = trial.serve(once(b"HTTP/1.0 200 OK\r\n\r\n"))
    replied(trial.open().send(post(server)), b"")


def a_redirect_is_a_reply(trial: Trial) -> None:
    """It is followed nowhere: to send a payment elsewhere is the adapter's decision."""
    elsewhere = trial.serve(echo)
    for status in (301, 302, 303, 307, 308):
        to = f"Location: {elsewhere.url}/"
        server = trial.serve(once(whole(b"", f"{status} Go", to)))
        assert replied(trial.open().send(post(server)), b"").status == status
    assert elsewhere.connections == 0


def a_compressed_reply_stays_compressed(trial: Trial) -> None:
    """A signature is over the bytes, and a small reply may be a large one inside."""
    for coding, body in (("gzip", gzip.compress(b"x" * 1000)), ("br", b"\x01\x02")):
        reply = whole(body, "200 OK", f"Content-Encoding: {coding}")
        server = trial.serve(once(reply))
        replied(trial.open().send(post(server)), body)


def a_cookie_is_not_sent_back(trial: Trial) -> None:
    """One order's session is not another's."""

    def answer(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(whole(b"", "200 OK", "Set-Cookie: session=1; Path=/"))

    server = trial.serve(answer)
    sender = trial.open()
    for _ in range(3):
        replied(sender.send(post(server)))
    assert not any(request.values("cookie") for request in server.requests)


def the_environment_names_a_proxy(trial: Trial) -> None:
    """Requests go to the gateway, whatever the environment says."""
    proxy = trial.serve(once(whole(b"of the proxy")))
    with environment(dict.fromkeys(PROXIES[:3], proxy.url), PROXIES):
        server = trial.serve(echo)
        replied(trial.open().send(post(server, body=b"direct")), b"direct")
    assert proxy.connections == 0


@contextmanager
def environment(chosen: dict[str, str], names: tuple[str, ...]) -> Iterator[None]:
    """Variables of the environment, in both cases of their names, for a while."""
    every = [*names, *(name.upper() for name in names)]
    before = {name: os.environ.pop(name, None) for name in every}
    for name, value in chosen.items():
        os.environ[name] = os.environ[name.upper()] = value
    try:
        yield
    finally:
        for name in every:
            os.environ.pop(name, None)
        os.environ.update({name: value for name, value in before.items() if value})


def secrets_stay_where_they_are(trial: Trial) -> None:
    """No failure and no repr shows what a request or a reply carries."""
    broken = trial.serve(once(f"HTTP/1.1 200 OK\r\n{SECRET}: \x00".encode()))
    silent = trial.serve(once(b""))
    sender = trial.open()
    shown: list[Any] = []
    for url in (broken.url, silent.url, "http://127.0.0.1:1"):
        request = Request(
            method="POST",
            url=f"{url}/?key={SECRET}",
            headers=(("Authorization", SECRET),),
            body=SECRET.encode(),
        )
        for bad in ((), (("X-Note", f"{SECRET}\n"),), ((f"{SECRET} ", "1"),)):
            sent = attrs.evolve(request, headers=(*request.headers, *bad))
            found = sender.send(sent)
            if bad:
                never_sent(found)
            shown += [found, sender.transport]
    assert not [one for one in shown if SECRET in f"{one!r} {one}"]


CASES = (
    TransportCase(a_request_goes_out_as_it_is),
    TransportCase(a_request_without_a_path_or_a_body),
    TransportCase(a_reply_comes_in_as_it_is),
    TransportCase(a_reply_of_any_form),
    TransportCase(a_reply_ends_with_its_connection, PLAIN),
    TransportCase(a_redirect_is_a_reply),
    TransportCase(a_compressed_reply_stays_compressed),
    TransportCase(a_cookie_is_not_sent_back),
    TransportCase(the_environment_names_a_proxy),
    TransportCase(secrets_stay_where_they_are),
)
