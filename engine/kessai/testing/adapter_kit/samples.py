"""What an adapter's author records: calls, replies, notifications, and their evidence.

The bytes are files in one folder, an HTTP message each: `NAME.request.http`,
`NAME.reply.http`, `NAME.notification.http`. What each is evidence of stands here, in
Python. Nothing in this module needs pytest or hypothesis.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from kessai.gateway import Call, Evidence, Failure, Mention, Outcome, Reply, Request
from kessai.spec import shipped_names
from kessai.testing.adapter_kit.http_files import Message, read_message


@attrs.frozen
class RequestSample:
    """`call` must become the bytes of `NAME.request.http`.

    `--kessai-record` writes that file; read it before it is checked in.
    """

    name: str
    call: Call


@attrs.frozen
class ReplySample:
    """`NAME.reply.http` came as the reply to `call`, and is `evidence` of it.

    What `evidence` discloses is compared only where there is something.
    """

    name: str
    call: Call
    evidence: Evidence


@attrs.frozen
class ExchangeSample:
    """An exchange of several requests, and what the last reply made it `evidence` of.

    `NAME-1.request.http` is sent, `NAME-1.reply.http` comes back, then `NAME-2…`.
    """

    name: str
    call: Call
    evidence: Evidence


@attrs.frozen
class NotificationSample:
    """`NAME.notification.http` came as a notification: `evidence`, a piece an item.

    A piece may be a `Mention`.

    With `refused`, `NotificationRefused` is right; if `evidence` is there too, it is
    `NotificationPartlyRefused`, and `evidence` is that of the readable items.
    """

    name: str
    evidence: tuple[Evidence | Mention, ...] = ()
    refused: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen(kw_only=True)
class AdapterSamples:
    """All that the kit needs to know of an adapter.

    `folder` holds the recorded messages. `environment` is what the adapter's
    `from_environment` is given: credentials that are made up, and open nothing.
    `secrets` are the values among them that no one may ever see, `personal` the
    personal data in the recorded replies and notifications. `sign` makes the headers
    under which the gateway would send a body; it needs no adapter. `logged` is
    the form in which the adapter's package writes an exchange to a log, if it has one.

    Not every gateway is alike: `lifecycles` are those the adapter is for (shipped names
    or files); `key_on_the_wire` is false where requests carry no idempotency key;
    `many_a_notification` is false where a notification is one item;
    `notifications_fetch` is true where one is read only with what the adapter fetches
    for it, such as a certificate: then refusals alone are on record. `signs_body` is
    false where what `sign` makes is the same for every body, as a token is: then a
    notification may only cause an inquiry. `never` are outcomes that the gateway has not.
    """

    folder: Path = attrs.field(converter=Path)
    environment: Mapping[str, str] = attrs.field(repr=False)
    secrets: tuple[str, ...] = attrs.field(repr=False)
    personal: tuple[str, ...] = attrs.field(default=(), repr=False)
    requests: Sequence[RequestSample]
    replies: Sequence[ReplySample]
    exchanges: Sequence[ExchangeSample] = ()
    notifications: Sequence[NotificationSample] = ()
    sign: Callable[[bytes], Mapping[str, str]] | None = None
    logged: Callable[[Call, Request, Reply | Failure], object] | None = None
    lifecycles: Sequence[str | Path] = attrs.field(factory=shipped_names)
    key_on_the_wire: bool = True
    many_a_notification: bool = True
    notifications_fetch: bool = False
    signs_body: bool = True
    never: frozenset[Outcome] = frozenset()

    def request_file(self, sample: RequestSample) -> Path:
        """Where the recorded request of `sample` is, or is to be."""
        return self.folder / f"{sample.name}.request.http"

    def reply(self, sample: ReplySample) -> Reply:
        """The recorded reply of `sample`.

        Raises:
            InvalidInput: there is no such file, or it is no HTTP reply.

        """
        return read_message(self.folder / f"{sample.name}.reply.http").as_reply()

    def step_file(self, sample: ExchangeSample, number: int, what: str) -> Path:
        """Where request or reply `number`, from 1, of an exchange is, or is to be."""
        return self.folder / f"{sample.name}-{number}.{what}.http"

    def steps(self, sample: ExchangeSample) -> tuple[Reply, ...]:
        """The recorded replies of an exchange, in their order.

        Raises:
            InvalidInput: there are none, or one is no HTTP reply.

        """
        found: list[Reply] = []
        while (path := self.step_file(sample, len(found) + 1, "reply")).exists():
            found.append(read_message(path).as_reply())
        return tuple(found) or (read_message(path).as_reply(),)

    def notification(self, sample: NotificationSample) -> Message:
        """The recorded notification of `sample`.

        Raises:
            InvalidInput: there is no such file, or it is no HTTP message.

        """
        return read_message(self.folder / f"{sample.name}.notification.http")
