"""A request as bytes, and bytes as a reply, without any socket."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kessai.gateway import Reply, Request
from kessai.transport.reply import (
    MAX_HEAD_BYTES,
    MAX_REPLY_BYTES,
    BrokenReply,
    ReplyParser,
)
from kessai.transport.request import MalformedRequest, Origin, encode

OK = b"HTTP/1.1 200 OK\r\n"


def request(url="http://gateway.example/pay", method="POST", headers=(), body=b"a"):
    return Request(method=method, url=url, headers=headers, body=body)


# ── requests ────────────────────────────────────────────────────────────────────────


def test_a_request_is_framed_and_nothing_else():
    origin, data = encode(
        request(headers=(("X-a", "1"), ("X-A", "é")), body=b"\x00\r\n")
    )
    assert origin == Origin(tls=False, host="gateway.example", port=80)
    assert data == (
        b"POST /pay HTTP/1.1\r\nHost: gateway.example\r\nX-a: 1\r\nX-A: \xe9\r\n"
        b"Content-Length: 3\r\n\r\n\x00\r\n"
    )


@pytest.mark.parametrize(
    ("url", "origin", "host", "target"),
    [
        ("https://a.example", (True, "a.example", 443), "a.example", "/"),
        ("https://a.example:443/", (True, "a.example", 443), "a.example", "/"),
        ("http://a.example:443/", (False, "a.example", 443), "a.example:443", "/"),
        ("HTTPS://A.example/B", (True, "a.example", 443), "A.example", "/B"),
        ("http://[::1]:81/x", (False, "::1", 81), "[::1]:81", "/x"),
        ("http://h?q=/a", (False, "h", 80), "h", "/?q=/a"),
        ("http://h/a?b?c", (False, "h", 80), "h", "/a?b?c"),
    ],
)
def test_a_url_says_where_and_what(url, origin, host, target):
    where, data = encode(request(url, body=b""))
    assert where == origin
    head = f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
    assert data == head.encode()


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_what_has_no_body_announces_none(method):
    assert b"Content-Length" not in encode(request(method=method, body=b""))[1]


ANY_TEXT = st.text(st.characters(codec="utf-16", exclude_categories=()), max_size=12)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
@example("POST", "/a", "X-A", "b\r\n\r\nGET / HTTP/1.1")
@example("POST", "/a", "X-A\r\nX-B", "b")
@example("POST\r\nX: 1", "/a", "X-A", "b")
@example("POST", "/a HTTP/1.1\r\nX: 1", "X-A", "b")
@example("POST", "/a\u2028", "X-A", "b\x85")
def test_whatever_it_is_made_of_a_request_is_one_request(method, path, name, value):
    """Of as many lines as it has headers, or refused."""
    made = request(f"http://h{path}", method, ((name, value),), b"body")
    try:
        _, data = encode(made)
    except MalformedRequest:
        return
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b"body"
    assert head.count(b"\n") == head.count(b"\r") == 3
    assert head.split(b"\r\n")[2] == f"{name}: {value}".encode("latin-1")


@pytest.mark.parametrize(
    "made",
    [
        request(url=None),
        request(url=b"http://h/"),
        request(method=None),
        request(headers=(("X-A", 1),)),
        request(headers=((b"X-A", "1"),)),
        request(headers=None),
        request(headers=(("X-A",),)),
        request(body="text"),
        request(body=None, method="GET"),
    ],
)
def test_what_is_no_request_is_refused(made):
    with pytest.raises(MalformedRequest):
        encode(made)


def test_a_reason_shows_no_value():
    with pytest.raises(MalformedRequest) as refused:
        encode(request(headers=(("Authorization", "secret\n"),)))
    assert str(refused.value) == "the value of the header Authorization is malformed"


# ── replies ─────────────────────────────────────────────────────────────────────────


def parsed(*pieces, is_head=False):
    parser = ReplyParser(is_head=is_head)
    for piece in pieces:
        assert not parser.complete
        parser.feed(piece)
    return parser


def lengthy(body):
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


WHOLE = [
    (lengthy(b"ab"), b"ab"),
    (lengthy(b""), b""),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", b"ab"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n1\r\nb\r\n0\r\nT: 1\r\n\r\n", b"ab"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + lengthy(b"ab"), b"ab"),
    (b"HTTP/1.1 204 No\r\n\r\n", b""),
    (b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", b""),
]  # fmt: skip


@pytest.mark.parametrize(("data", "body"), WHOLE)
def test_a_reply_ends_with_its_last_byte(data, body):
    for at in range(1, len(data)):
        parser = parsed(data[:at])
        assert not parser.complete, data[:at]
        parser.feed(data[at:])
        assert parser.complete
        assert parser.reusable
        assert parser.reply().body == body


@pytest.mark.parametrize(("data", "body"), WHOLE)
@pytest.mark.parametrize(
    "surplus", [b"\n", b"\r\n", b"x", b"HTTP/1.1 200 O", lengthy(b"c")]
)
def test_what_lies_beyond_a_reply_belongs_to_nobody(data, body, surplus):  # fmt: skip
    parser = parsed(data + surplus)
    assert parser.complete
    assert not parser.reusable
    assert parser.reply().body == body
    assert parser.reply().status == int(data.split(b"HTTP/1.1 ")[-1][:3])


def test_the_reply_to_head_is_its_head():
    head = lengthy(b"ab")[:-2]
    parser = parsed(head, is_head=True)
    assert parser.complete
    assert parser.reusable
    assert parser.reply() == Reply(status=200, headers=(("Content-Length", "2"),))
    parser = parsed(lengthy(b"ab"), is_head=True)
    assert parser.reply().body == b""
    assert not parser.reusable


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_what_ends_its_connection_is_not_followed_by_another(data):
    parser = parsed(data)
    assert parser.complete
    assert not parser.reusable


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n" + lengthy(b"ab"),
        b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\nx",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        OK + b"A : b\r\nContent-Length: 0\r\n\r\n",
        OK + b"A: b\x00\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        OK
        + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        OK + b"Content-Length: +2\r\n\r\nab",
        OK + b"Content-Length: 2, 2\r\n\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nab\r\n0\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_differently_is_no_reply(data):
    with pytest.raises(BrokenReply, match="the reply is malformed"):
        parsed(data)


@pytest.mark.parametrize("headers", [b"", b"Connection: close\r\n"])
def test_a_reply_without_a_length_ends_with_its_connection(headers):
    parser = parsed(OK + headers + b"\r\n", b"ab")
    assert not parser.complete
    parser.end(is_encrypted=False)
    assert parser.complete
    assert not parser.reusable
    assert parser.reply().body == b"ab"


@pytest.mark.parametrize(
    ("data", "is_encrypted"),
    [
        (OK + b"\r\nab", True),
        (OK, False),
        (lengthy(b"ab")[:-1], False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", False),
        (OK + b"Transfer-Encoding: gzip\r\n\r\nab", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
    ],
)
def test_what_breaks_off_is_no_reply(data, is_encrypted):
    parser = parsed(data)
    with pytest.raises(BrokenReply, match="the reply broke off"):
        parser.end(is_encrypted=is_encrypted)


def test_headers_come_as_they_are_and_trailers_do_not():
    head = OK + b"X-b: 2 \r\nx-B:\t1\r\nE:\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply = parsed(head + b"0\r\nX-Late: 1\r\n\r\n").reply()
    assert reply.headers == (
        *(("X-b", "2"), ("x-B", "1"), ("E", "")),
        ("Transfer-Encoding", "chunked"),
    )


@pytest.mark.parametrize(
    ("begin", "more", "limit"),
    [
        (OK + b"X: ", b"x" * 1000, MAX_HEAD_BYTES),
        (b"", b"HTTP/1.1 103 Hints\r\nX: 1\r\n\r\n" * 40, MAX_HEAD_BYTES),
        (OK + b"Content-Length: 900000000\r\n\r\n", b"x" * 50_000, MAX_REPLY_BYTES),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n" * 9000,
            MAX_REPLY_BYTES,
        ),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: 1\r\n" * 9000,
            MAX_REPLY_BYTES,
        ),
    ],
)
def test_neither_head_nor_reply_is_endless(begin, more, limit):
    parser = ReplyParser(is_head=False)
    fed = 0
    for piece in [begin or more, *[more] * 1000]:
        fed += len(piece)
        try:
            parser.feed(piece)
        except BrokenReply:
            break
    assert limit < fed <= limit + len(more)


PIECES = st.sampled_from(
    [
        *(b"HTTP/1.1 ", b"200 OK", b"103 Hints", b"101 Up", b"204 No", b"HTTP/1.0 "),
        *(b"Content-Length: ", b"Transfer-Encoding: chunked", b"Connection: close"),
        *(b"Upgrade: a", b"2", b"0", b"ab", b" ", b":", b"\x00", b"\xff"),
        *(b"\r\n", b"\r", b"\n", b"\r\n\r\n"),
    ]
)


@given(st.lists(PIECES, max_size=30), st.booleans())
def test_whatever_comes_is_a_reply_or_is_none(pieces, is_head):
    """However it is cut, the same bytes are the same reply, or none."""
    data = b"HTTP/1.1 200 OK\r\n" + b"".join(pieces)
    assert read((data,), is_head=is_head) == read(
        [data[at : at + 1] for at in range(len(data))], is_head=is_head
    )


@given(st.sampled_from([data for data, _ in WHOLE]), st.data())
def test_a_byte_that_was_altered_never_raises_anything_else(data, drawn):
    at = drawn.draw(st.integers(0, len(data) - 1))
    altered = data[:at] + drawn.draw(st.binary(max_size=2)) + data[at + 1 :]
    read((altered,), is_head=False)


def read(pieces, *, is_head):
    """The reply that the pieces begin with, or None."""
    parser = ReplyParser(is_head=is_head)
    try:
        for piece in pieces:
            if piece and not parser.complete:
                parser.feed(piece)
        if not parser.complete:
            parser.end(is_encrypted=False)
    except BrokenReply:
        return None
    return parser.reply()
