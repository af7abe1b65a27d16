"""Misbehaviour on request: what may go wrong between a merchant and a gateway.

Owns what was asked for, which exchange it hits and what the client gets then. `Fault` is
what any network or server does; a gateway adds its own by name, each with a `FaultRule`.

An emulator asks for the next mishap of each command, and lets `suffer` have the work done
or not. A gateway that answers too many requests with 429 adds
`{"http_429": FaultRule(carried_out=False, spoil=lambda _: plain(429))}`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NoReturn

import attrs

from kessai_adapters.emulators.errors import NoReply, NotConnected
from kessai_adapters.emulators.reply import EmulatorReply, plain

_GARBAGE: Final = EmulatorReply(
    status=200,
    headers={"Content-Type": "text/html"},
    body=b"\x00\xff<html><body>\x80 not what you asked for",
)


class Fault(StrEnum):
    """What goes wrong with an exchange, whatever the gateway."""

    REFUSE_CONNECTION = "refuse_connection"
    """No connection: nothing is sent, nothing happens."""

    LOSE_REQUEST = "lose_request"
    """Sent, never arrives; the client waits in vain."""

    LOSE_REPLY = "lose_reply"
    """Arrives and is carried out; the reply never comes."""

    HTTP_500 = "http_500"
    """Carried out, answered by HTTP 500."""

    HTTP_502 = "http_502"
    """Carried out, answered by HTTP 502."""

    HTTP_503 = "http_503"
    """Not carried out, answered by HTTP 503."""

    GARBAGE = "garbage"
    """Carried out, answered by HTTP 200 and bytes that are no JSON."""

    TRUNCATE = "truncate"
    """Carried out, and the reply breaks off in its middle."""


@attrs.frozen(kw_only=True)
class FaultRule:
    """How a fault goes."""

    spoil: Callable[[EmulatorReply], EmulatorReply] | None
    """What the client gets for the true reply, or raises `NotConnected` or `NoReply`.

    None if the gateway itself plays the fault, in the middle of its work."""
    carried_out: bool = True
    """Whether the gateway does the work, unless a test asks otherwise."""
    choice: bool = True
    """Whether a test may ask otherwise; never, where the gateway plays it."""
    spares: Collection[str] = ()
    """The commands that it cannot strike."""


def _refuse_connection(_reply: EmulatorReply) -> NoReturn:
    raise NotConnected(Fault.REFUSE_CONNECTION)


def _lose_request(_reply: EmulatorReply) -> NoReturn:
    raise NoReply(Fault.LOSE_REQUEST)


def _lose_reply(_reply: EmulatorReply) -> NoReturn:
    raise NoReply(Fault.LOSE_REPLY)


def _truncate(reply: EmulatorReply) -> EmulatorReply:
    whole = len(reply.body)
    announced = {**reply.headers, "Content-Length": str(whole)}
    return attrs.evolve(reply, headers=announced, body=reply.body[: whole // 2])


NETWORK: Final[Mapping[str, FaultRule]] = {
    Fault.REFUSE_CONNECTION: FaultRule(
        spoil=_refuse_connection, carried_out=False, choice=False
    ),
    Fault.LOSE_REQUEST: FaultRule(spoil=_lose_request, carried_out=False),
    Fault.LOSE_REPLY: FaultRule(spoil=_lose_reply),
    Fault.HTTP_500: FaultRule(spoil=lambda _: plain(500)),
    Fault.HTTP_502: FaultRule(spoil=lambda _: plain(502)),
    Fault.HTTP_503: FaultRule(spoil=lambda _: plain(503), carried_out=False),
    Fault.GARBAGE: FaultRule(
        spoil=lambda _: attrs.evolve(_GARBAGE, headers=dict(_GARBAGE.headers))
    ),
    Fault.TRUNCATE: FaultRule(spoil=_truncate),
}
"""How each fault goes that is no gateway's own."""


@attrs.define(kw_only=True)
class Mishap:
    """A fault that waits for its exchange."""

    fault: str
    command: str | None
    left: int
    carried_out: bool
    rule: FaultRule = attrs.field(repr=False)

    @property
    def gateways_own(self) -> bool:
        """Whether the gateway plays it itself, in the middle of its work."""
        return self.rule.spoil is None

    def hits(self, command: str) -> bool:
        """Return whether an exchange of this command suffers it."""
        return self.command in {None, command} and command not in self.rule.spares


def suffer(mishap: Mishap, work: Callable[[], EmulatorReply]) -> EmulatorReply:
    """Return what the client gets of an exchange that `mishap` hits.

    `work` is what the gateway does; it is called if the mishap lets the request arrive,
    and it plays the gateway's own faults itself.

    Raises:
        NotConnected, NoReply: the client gets nothing.

    """
    reply = work() if mishap.carried_out else plain(200)
    return reply if mishap.rule.spoil is None else mishap.rule.spoil(reply)


class Mishaps:
    """All faults that were asked for and have not struck yet, in order.

    `commands` are the names that an emulator's commands go by; `own` are the faults that
    its gateway alone has.
    """

    def __init__(
        self, commands: Iterable[str], own: Mapping[str, FaultRule] | None = None
    ) -> None:
        self.commands = tuple(commands)
        self.rules = {**NETWORK, **(own or {})}
        """How each fault goes that can be asked for, by its name."""
        self._waiting: list[Mishap] = []

    def __iter__(self) -> Iterator[Mishap]:
        return iter(tuple(self._waiting))

    def ask(
        self,
        fault: str,
        command: str | None = None,
        times: int = 1,
        *,
        carried_out: bool | None = None,
    ) -> None:
        """Let the next `times` exchanges of `command` (any, if None) suffer `fault`.

        `carried_out` overrides whether the gateway does the work.

        Raises:
            ValueError: there is no such fault or command, or they do not go together.

        """
        rule = self.rules.get(fault)
        if rule is None:
            message = f"no fault {fault!r}: {', '.join(sorted(self.rules))}"
            raise ValueError(message)
        if command is not None and command not in self.commands:
            message = f"no command {command!r}: {', '.join(self.commands)}"
            raise ValueError(message)
        if command in rule.spares:
            message = f"{command} changes nothing and cannot be {fault}"
            raise ValueError(message)
        if times < 1:
            message = "times must be at least 1"
            raise ValueError(message)
        if carried_out is None:
            carried_out = rule.carried_out
        elif rule.spoil is None or not rule.choice:
            message = f"{fault} leaves no choice of being carried out"
            raise ValueError(message)
        self._waiting.append(
            Mishap(
                fault=fault,
                command=command,
                left=times,
                carried_out=carried_out,
                rule=rule,
            )
        )

    def next(self, command: str) -> Mishap | None:
        """Return what an exchange of `command` suffers, and count it."""
        for place, mishap in enumerate(self._waiting):
            if mishap.hits(command):
                mishap.left -= 1
                if mishap.left == 0:
                    del self._waiting[place]
                return mishap
        return None

    def clear(self) -> None:
        """Forget every fault that has not struck yet."""
        self._waiting.clear()
