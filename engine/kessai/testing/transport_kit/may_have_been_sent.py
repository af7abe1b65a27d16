"""Cases: what may have been sent, must be reported so, and is sent only once."""
# ruff: noqa: S101 - asserting is what a kit is for

import threading

import attrs

from kessai.testing.transport_kit.certificates import certificates
from kessai.testing.transport_kit.never_sent import in_time
from kessai.testing.transport_kit.server import Peer, Script
from kessai.testing.transport_kit.trial import (
    TLS,
    TransportCase,
    Trial,
    broken_off,
    may_have_been_sent,
    post,
    replied,
    whole,
)
from kessai.testing.transport_kit.waits import SHORT_SECONDS

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;a=b\r\nfor\r\n4\r\nmore\r\n0\r\nX-Sum: 7\r\n\r\n"
)
HINTED = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + whole(b"after a hint")
MEGABYTE = b"x" * 1_000_000
LIMIT_BYTES = 64_000_000
"""More than any reply of a gateway; a transport stops reading before."""


def once(reply: bytes) -> Script:
    """Script a request by `reply`, and close."""

    def answer(peer: Peer) -> None:
        if peer.request() is not None:
            peer.send(reply)

    return answer


def the_connection_breaks(trial: Trial) -> None:
    """Closed or reset before a reply, or answered by what is no HTTP: sent, once."""

    def reset(peer: Peer) -> None:
        peer.request()
        peer.reset()

    for answer in (
        once(b""),
        reset,
        once(b"SSH-2.0-OpenSSH_9.2\r\n"),
        once(b"\x00\xff" * 50),
        once(b"HTTP/1.1 999999 Unheard of\r\n\r\n"),
    ):
        server = trial.serve(answer)
        may_have_been_sent(trial.open().send(post(server)))
        assert len(server.requests) == 1, "a request was sent twice"


def the_reply_is_cut_at_any_byte(trial: Trial) -> None:
    """However little is missing, there is no reply; over TLS also with a goodbye."""
    for reply in (whole(b"nearly"), CHUNKED, HINTED):
        cut_at_each_byte(trial, reply)


def cut_at_each_byte(trial: Trial, reply: bytes) -> None:
    """Send every beginning of `reply`, then all of it."""

    def answer(peer: Peer) -> None:
        request = peer.request()
        if request is not None:
            length = int(request.target[1:])
            peer.send(reply[:length])
            if length % 2:
                peer.say_goodbye()

    server = trial.serve(answer)
    sender = trial.open()
    for length in range(len(reply)):
        may_have_been_sent(sender.send(post(server, f"/{length}")))
    replied(sender.send(post(server, f"/{len(reply)}")))
    assert len(server.requests) == len(reply) + 1


def the_reply_is_slow(trial: Trial) -> None:
    """One deadline holds: for a silent server, and for each part that comes in drops."""

    def silent(peer: Peer) -> None:
        peer.request()
        peer.wait()

    def dripping(before: bytes, drops: bytes) -> Script:
        def answer(peer: Peer) -> None:
            peer.request()
            peer.send(before)
            peer.drip(drops)

        return answer

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n"
    chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    hint = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    answers = (
        silent,
        dripping(b"", head + b"X-Long: " + MEGABYTE),
        dripping(head + b"\r\n", MEGABYTE),
        dripping(chunk, b"1\r\nx\r\n" * 100_000),
        dripping(b"", hint * 100_000),
    )
    servers = [trial.serve(answer) for answer in answers]
    sender = trial.open(seconds=SHORT_SECONDS)
    with in_time():
        found = sender.send_all([post(server) for server in servers])
    for server, failure in zip(servers, found, strict=True):
        broken_off(failure, arrived=bool(server.requests))


def the_request_is_not_read(trial: Trial) -> None:
    """The deadline holds while a request is written; a part of it has left by then."""
    began = threading.Event()

    def deaf(peer: Peer) -> None:
        if peer.begins():
            began.set()
        peer.wait()

    server = trial.serve(deaf)
    sender = trial.open(seconds=SHORT_SECONDS)
    with in_time():
        found = sender.send(post(server, body=MEGABYTE * 40))
    broken_off(found, arrived=began.is_set())


def the_reply_never_ends(trial: Trial) -> None:
    """Neither head nor body nor hints are read without a limit."""
    taken: list[int] = []

    def endless(begin: bytes, more: bytes) -> Script:
        def answer(peer: Peer) -> None:
            peer.request()
            peer.send(begin)
            taken.append(0)
            while taken[-1] < LIMIT_BYTES:
                peer.send(more)
                taken[-1] += len(more)

        return answer

    head = b"HTTP/1.1 200 OK\r\n"
    for answer in (
        endless(head + b"X-Long: ", MEGABYTE),
        endless(head, b"X-Many: 1\r\n" * 1000),
        endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
        endless(head + b"Content-Length: 1000000000\r\n\r\n", MEGABYTE),
        endless(head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
    ):
        server = trial.serve(answer)
        may_have_been_sent(trial.open().send(post(server)))
        assert taken[-1] < LIMIT_BYTES, "it was read without a limit"


def the_protocol_is_switched(trial: Trial) -> None:
    """101 is no reply: nobody asked for another protocol."""
    upgrade = b"Connection: upgrade\r\nUpgrade: other\r\n"
    for head in (b"\r\n", upgrade + b"\r\n"):
        reply = b"HTTP/1.1 101 Switching Protocols\r\n" + head
        for more in (b"", b"\x01\x02", whole()):
            server = trial.serve(once(reply + more))
            may_have_been_sent(trial.open().send(post(server)))


def the_reply_has_two_lengths(trial: Trial) -> None:
    """What two readers could read differently is no reply."""
    for headers in (
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: 4\r\nContent-Length: 4x\r\n",
        b"Content-Length: -4\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length: 99999999999999999999999999\r\n",
    ):
        server = trial.serve(once(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\ndone!"))
        may_have_been_sent(trial.open().send(post(server)))


def a_client_certificate_is_refused_after_the_request(trial: Trial) -> None:
    """TLS 1.3 lets the client write before the server has seen its certificate."""
    server = trial.serve(once(whole()), certificates().asking_for_one)
    may_have_been_sent(trial.open().send(post(server)))


def the_end_of_tls_may_be_a_cut(trial: Trial) -> None:
    """A reply without a length ends with the connection, and so may what was cut."""
    server = trial.serve(once(b"HTTP/1.1 200 OK\r\n\r\nhalf of "))
    may_have_been_sent(trial.open().send(post(server)))


def a_kept_connection_ends_under_a_request(trial: Trial) -> None:
    """Nothing is sent a second time, be it on another connection, be it a GET."""
    for method in ("POST", "GET"):
        server = trial.serve(once_and_a_half)
        sender = trial.open()
        request = attrs.evolve(post(server, body=b""), method=method)
        replied(sender.send(request))
        may_have_been_sent(sender.send(request))
        assert len(server.requests) == 2, "a request was sent twice"  # noqa: PLR2004


def once_and_a_half(peer: Peer) -> None:
    """Script the first request of all, and close upon any other."""
    request = peer.request()
    if request is not None and peer.number == 1:
        peer.send(whole())
        peer.request()


CASES = (
    TransportCase(the_connection_breaks),
    TransportCase(the_reply_is_cut_at_any_byte),
    TransportCase(the_reply_is_slow),
    TransportCase(the_request_is_not_read),
    TransportCase(the_reply_never_ends),
    TransportCase(the_protocol_is_switched),
    TransportCase(the_reply_has_two_lengths),
    TransportCase(a_client_certificate_is_refused_after_the_request, TLS),
    TransportCase(the_end_of_tls_may_be_a_cut, TLS),
    TransportCase(a_kept_connection_ends_under_a_request),
)
