"""Cases: each request gets its own reply, and no other's."""
# ruff: noqa: S101 - asserting is what a kit is for

import asyncio
import threading
from time import monotonic, sleep
from typing import Any

import attrs

from kessai.gateway import Failure, Reply, Request
from kessai.testing.forked import Child
from kessai.testing.transport_kit.server import Peer, Script, ScriptedServer
from kessai.testing.transport_kit.trial import (
    TLS,
    Sender,
    TransportCase,
    Trial,
    broken_off,
    echo,
    post,
    replied,
    whole,
)
from kessai.testing.transport_kit.waits import (
    PATIENCE_SECONDS,
    SHORT_SECONDS,
    SLACK_SECONDS,
)


def more_than_the_reply_comes(trial: Trial) -> None:
    """What follows a reply in the same piece belongs to no request, not even a line end."""
    for surplus in (whole(b"another's"), b"x", b"\r\n", b"HTTP/1.1 200 OK\r\n"):

        def answer(peer: Peer, surplus: bytes = surplus) -> None:
            while (request := peer.request()) is not None:
                peer.send(whole(request.body) + surplus)

        server = trial.serve(answer)
        sender = trial.open()
        for body in (b"one", b"two", b"three"):
            replied(sender.send(post(server, body=body)), body)
        connections = [request.connection for request in server.requests]
        assert connections == [1, 2, 3], "a connection with bytes left was used again"


def something_comes_between_two_requests(trial: Trial) -> None:
    """What comes while a connection rests belongs to no request either."""
    for surplus in (whole(b"another's"), b"x", b"\r\n"):
        came = threading.Event()

        def answer(peer: Peer, surplus: bytes = surplus, came: Any = came) -> None:
            while (request := peer.request()) is not None:
                peer.send(whole(request.body))
                sleep(0.2)  # the reply has been read by then; if not, it is as above
                peer.send(surplus)
                came.set()

        server = trial.serve(answer)
        sender = trial.open()
        for body in (b"one", b"two"):
            replied(sender.send(post(server, body=body)), body)
            came.wait(SLACK_SECONDS)
            came.clear()
        assert [request.connection for request in server.requests] == [1, 2]


def a_resting_connection_is_closed(trial: Trial) -> None:
    """A request that finds its connection closed goes out on another one, once."""
    closed = threading.Event()

    def answer(peer: Peer) -> None:
        request = peer.request()
        if request is not None:
            peer.send(whole(request.body))
        peer.close()
        closed.set()

    server = trial.serve(answer)
    sender = trial.open()
    for body in (b"one", b"two", b"three"):
        replied(sender.send(post(server, body=body)), body)
        closed.wait(SLACK_SECONDS)
        sleep(0.1)
        closed.clear()
    assert [request.body for request in server.requests] == [b"one", b"two", b"three"]


def many_are_sent_at_once(trial: Trial) -> None:
    """Twenty at once, again and again: each gets its own reply."""
    server = trial.serve(echo)
    sender = trial.open()
    for begin in range(0, 100, 20):
        bodies = [b"%d" % number for number in range(begin, begin + 20)]
        found = sender.send_all(post(server, body=body) for body in bodies)
        for reply, body in zip(found, bodies, strict=True):
            replied(reply, body)


def a_reply_has_no_body(trial: Trial) -> None:
    """HEAD, 204 and 304 have none, whatever length is announced."""

    def answer(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            if request.method == "HEAD":
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            elif request.target in {"/204", "/304"}:
                status = request.target[1:].encode()
                peer.send(b"HTTP/1.1 " + status + b" Nothing\r\nETag: 1\r\n\r\n")
            else:
                peer.send(whole(request.body))

    server = trial.serve(answer)
    sender = trial.open()
    head = attrs.evolve(post(server, body=b""), method="HEAD")
    for request in (head, post(server, "/204"), post(server, "/304")):
        replied(sender.send(request), b"")
        replied(sender.send(post(server, body=b"after it")), b"after it")


def a_process_forks(trial: Trial) -> None:
    """A child process uses none of its parent's connections, and ends none of them."""
    server = trial.serve(echo)
    sender = trial.open()
    replied(sender.send(post(server, body=b"before")), b"before")
    child = Child(lambda: in_the_child(sender, server))
    replied(sender.send(post(server, body=b"beside")), b"beside")
    assert child.ended() == "child", "the child process got no reply of its own"
    replied(sender.send(post(server, body=b"after")), b"after")
    by_body = {request.body: request.connection for request in server.requests}
    assert set(by_body) == {b"before", b"beside", b"child", b"after"}
    parents = {number for body, number in by_body.items() if body != b"child"}
    assert by_body[b"child"] not in parents, "two processes shared a connection"


def in_the_child(sender: Sender, server: ScriptedServer) -> str:
    """The body of the reply to the child's own request."""
    found = sender.transport.send(post(server, body=b"child"))
    reply = asyncio.run(found) if sender.is_async else found
    assert isinstance(reply, Reply)
    return reply.body.decode()


def late_reply_to(late: bytes, arrived: threading.Event) -> Script:
    """Script one request only when another one comes over its connection."""

    def answer(peer: Peer) -> None:
        owed = b""
        while (request := peer.request()) is not None:
            if request.body == late:
                owed = whole(request.body)
                arrived.set()
            else:
                peer.send(owed + whole(request.body))

    return answer


def a_task_is_cancelled(trial: Trial) -> None:
    """The reply to a cancelled request is given to no other one."""
    arrived = threading.Event()
    server = trial.serve(late_reply_to(b"cancelled", arrived))
    sender = trial.open()
    if not sender.is_async:
        return  # there are no tasks, and no loops

    async def cancelled() -> None:
        """Cancel a request that has arrived; send others."""
        await sender.transport.send(post(server, body=b"before"))
        task = asyncio.ensure_future(
            sender.transport.send(post(server, body=b"cancelled"))
        )
        await asyncio.to_thread(arrived.wait, SLACK_SECONDS)
        task.cancel()
        found = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError), "it went on"
        for body in (b"next", b"next but one"):
            replied(await sender.transport.send(post(server, body=body)), body)

    sender.run(cancelled())


def a_task_is_cancelled_at_any_step(trial: Trial) -> None:
    """Cancelled after any number of the loop's turns, it leaves nothing to the next."""
    server = trial.serve(echo)
    sender = trial.open(connections=1)
    if not sender.is_async:
        return  # there are no tasks, and no loops

    async def at(turns: int) -> None:
        """Cancel a request after `turns`; send another one."""
        task = asyncio.ensure_future(
            sender.transport.send(post(server, body=b"cancelled"))
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        body = b"after %d turns" % turns
        replied(await sender.transport.send(post(server, body=body)), body)

    for turns in range(40):
        sender.run(at(turns))


def one_loop_follows_another(trial: Trial) -> None:
    """A transport outlives the event loop that it was first used in."""
    server = trial.serve(echo)
    sender = trial.open()
    if not sender.is_async:
        return  # there are no tasks, and no loops

    async def both(body: bytes) -> None:
        """Send twice: on a new connection, and on the same."""
        for _ in range(2):
            found = await sender.transport.send(post(server, body=body))
            replied(found, body)

    for body in (b"first loop", b"second loop"):
        asyncio.run(both(body))
    sender.run(both(b"third loop"))


def a_late_reply_meets_another_request(trial: Trial) -> None:
    """The reply to a request that was broken off for time is given to no other one."""
    arrived = threading.Event()
    server = trial.serve(late_reply_to(b"late", arrived))
    sender = trial.open(seconds=SHORT_SECONDS)
    broken_off(sender.send(post(server, body=b"late")), arrived=arrived.is_set())
    for body in (b"next", b"next but one"):
        replied(answered(sender, post(server, body=body)), body)


def answered(sender: Sender, request: Request) -> Reply | Failure:
    """Send until there is a reply: a short deadline is too short for a busy machine."""
    until = monotonic() + PATIENCE_SECONDS
    while isinstance(found := sender.send(request), Failure) and monotonic() < until:
        pass
    return found


CASES = (
    TransportCase(more_than_the_reply_comes),
    TransportCase(something_comes_between_two_requests),
    TransportCase(a_resting_connection_is_closed),
    TransportCase(many_are_sent_at_once),
    TransportCase(a_reply_has_no_body),
    TransportCase(a_process_forks),
    TransportCase(a_task_is_cancelled),
    TransportCase(a_task_is_cancelled_at_any_step),
    TransportCase(one_loop_follows_another),
    TransportCase(a_late_reply_meets_another_request, TLS),
)
