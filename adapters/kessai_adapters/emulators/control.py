"""Control of a served emulator over HTTP, for tests in any language: `/_emulator/…`.

JSON in and out. Only this machine is answered, and no web page: what a browser sends on a
page's behalf has an `Origin`, or another host's name. Knows no gateway: what a consumer
or a portal can do is found by its public methods.

    GET  /                      what there is
    GET  POST DELETE  /faults   {"fault": "lose_reply", "command": "Refund", "times": 1}
    GET  POST  /clock           {"advance": {"days": 30}} or {"set": "2024-06-01T00:00:00Z"}
    POST /consumer/ACT  /portal/ACT  /complete  /fail       {"order": "A-1"}
    GET  /notifications?after=0&limit=1000      as they came; /notifications/ID, one
    POST /notifications/ID/replay
    POST /triggers/NAME         {"url": "http://127.0.0.1:8000/hook"}
    GET  /orders  /orders/ID
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import ip_address
from typing import Any, Final, get_args, get_type_hints
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import msgspec

from kessai_adapters.emulators.clock import NO_SUCH_TIME, EmulatorClock
from kessai_adapters.emulators.contract import GatewayEmulator
from kessai_adapters.emulators.errors import EmulatorError
from kessai_adapters.emulators.notifications import JOURNAL_LENGTH, Posting
from kessai_adapters.emulators.reply import EmulatorReply

PREFIX: Final = "/_emulator/"

Act = Callable[..., object]
_Asked = dict[str, Any]

_ORDER: Final = "order"
"""What every act is about, by one name for all gateways."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PLAIN: Final = (str, int, float, bool, datetime, timedelta, type(None))
_WORDED: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime: "time as in 2024-06-01T00:00:00Z",
    timedelta: "duration as in P1DT12H",
}
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


@attrs.frozen(kw_only=True)
class Controls:
    """What can be controlled of a served emulator besides what every one has."""

    gateway: str = ""
    """The gateway's name."""
    clock: EmulatorClock | None = None
    """The clock that the emulator was made with, if it can be moved."""
    orders: Callable[[], Mapping[str, object]] = dict
    """The books: each order, or whatever the gateway has for one, by its id."""
    named: Callable[[str], str] = str
    """The id in `orders` of what a name means: of a shop's own order, for one."""
    triggers: Mapping[str, Callable[[str], object]] = attrs.field(
        factory=dict[str, Callable[[str], object]]
    )
    """What happens at the gateway until a notification of each name goes to a URL."""


class _Wrong(Exception):
    """A request that cannot be answered; the sentence says what would be right."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Span(msgspec.Struct, forbid_unknown_fields=True):
    """A length of time."""

    days: float = 0
    hours: float = 0
    minutes: float = 0
    seconds: float = 0

    def length(self) -> timedelta:
        """All of it.

        Raises:
            ValueError: nothing lasts so long.

        """
        try:
            return timedelta(**msgspec.structs.asdict(self))
        except OverflowError as error:
            raise ValueError(NO_SUCH_TIME) from error


class Control:
    """Answers what is asked under `/_emulator/`."""

    def __init__(self, emulator: GatewayEmulator, controls: Controls) -> None:
        self._emulator = emulator
        self._controls = controls
        self._rooms: Mapping[str, Mapping[str, Callable[[list[str], _Asked], Any]]] = {
            "": {"GET": self._overview},
            "faults": {
                "GET": self._faults,
                "POST": self._misbehave,
                "DELETE": self._behave,
            },
            "clock": {"GET": self._time, "POST": self._move},
            "consumer": {"POST": self._by_consumer},
            "portal": {"POST": self._at_portal},
            "complete": {"POST": self._complete},
            "fail": {"POST": self._fail},
            "notifications": {"GET": self._notifications, "POST": self._replay},
            "triggers": {"POST": self._trigger},
            "orders": {"GET": self._orders},
        }

    def handle(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        caller: str,
    ) -> EmulatorReply:
        """Answer one request of `caller`, an address."""
        try:
            _check_caller(caller, headers)
            status, answer = 200, self._answer(method, path, body)
        except _Wrong as wrong:
            status, answer = wrong.status, {"error": str(wrong)}
        except EmulatorError as error:
            status, answer = 409, {"error": str(error)}
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return EmulatorReply(status=status, headers=headers, body=_encode(answer))

    def _answer(self, method: str, path: str, body: bytes) -> Any:
        bare, _, query = path.partition("?")
        parts = bare.removeprefix(PREFIX).rstrip("/").split("/")
        room, *rest = [unquote(part) for part in parts]
        methods = self._rooms.get(room)
        if methods is None:
            raise _Wrong(
                404, f"nothing at {room!r}: {_listed(filter(None, self._rooms))}"
            )
        if method not in methods:
            raise _Wrong(405, f"{room or 'here'}: {_listed(methods)}, not {method}")
        asked = dict(parse_qsl(query)) if method == "GET" else _read(body)
        return methods[method](rest, asked)

    # ── what there is ───────────────────────────────────────────────────────────────

    def _overview(self, rest: list[str], _asked: _Asked) -> Any:
        _nothing_below(rest)
        emulator = self._emulator
        return {
            "gateway": self._controls.gateway,
            "url": emulator.base_url,
            "commands": emulator.mishaps.commands,
            "faults": sorted(emulator.mishaps.rules),
            "consumer": _described(emulator.consumer),
            "portal": _described(emulator.portal),
            "triggers": sorted(self._controls.triggers),
            "notifications": emulator.outbox.count,
        }

    def _orders(self, rest: list[str], _asked: _Asked) -> Any:
        orders = dict(self._controls.orders())
        if not rest:
            return {"orders": orders}
        _nothing_below(rest[1:])
        return _chosen(orders, self._controls.named(rest[0]), "order")

    # ── faults and time ─────────────────────────────────────────────────────────────

    def _faults(self, rest: list[str], _asked: _Asked) -> Any:
        _nothing_below(rest)
        waiting = [
            {
                "fault": mishap.fault,
                "command": mishap.command,
                "left": mishap.left,
                "carried_out": mishap.carried_out,
            }
            for mishap in self._emulator.mishaps
        ]
        return {"waiting": waiting}

    def _misbehave(self, rest: list[str], asked: _Asked) -> Any:
        _nothing_below(rest)
        _called(self._emulator.misbehave, asked)
        return self._faults([], {})

    def _behave(self, rest: list[str], asked: _Asked) -> Any:
        _nothing_below(rest)
        _called(self._emulator.behave, asked)
        return self._faults([], {})

    def _clock(self) -> EmulatorClock:
        if self._controls.clock is None:
            raise _Wrong(404, "this emulator was served without a clock to be moved")
        return self._controls.clock

    def _time(self, rest: list[str], _asked: _Asked) -> Any:
        _nothing_below(rest)
        return {"now": self._clock()()}

    def _move(self, rest: list[str], asked: _Asked) -> Any:
        clock = self._clock()

        def move(
            advance: Span | None = None,
            set: datetime | None = None,  # noqa: A002 (the member's name)
        ) -> None:
            if (advance is None) is (set is None):
                message = "one of `advance` and `set`"
                raise ValueError(message)
            if advance is not None:
                clock.advance(advance.length())
            elif set is not None:
                clock.set(set)

        _nothing_below(rest)
        _called(move, asked)
        return self._time([], {})

    # ── what somebody does ──────────────────────────────────────────────────────────

    def _by_consumer(self, rest: list[str], asked: _Asked) -> Any:
        return _acted(self._emulator.consumer, rest, asked)

    def _at_portal(self, rest: list[str], asked: _Asked) -> Any:
        return _acted(self._emulator.portal, rest, asked)

    def _complete(self, rest: list[str], asked: _Asked) -> Any:
        _nothing_below(rest)
        return {"result": _called(self._emulator.complete, asked, _ORDER)}

    def _fail(self, rest: list[str], asked: _Asked) -> Any:
        _nothing_below(rest)
        return {"result": _called(self._emulator.fail, asked, _ORDER)}

    # ── notifications ───────────────────────────────────────────────────────────────

    def _notifications(self, rest: list[str], asked: _Asked) -> Any:
        outbox = self._emulator.outbox
        if not rest:
            return {"notifications": _called(self._came, asked, lax=True)}
        _nothing_below(rest[1:])
        return _shown(outbox.find(rest[0]))

    def _came(self, after: int = 0, limit: int = JOURNAL_LENGTH) -> list[Any]:
        journal = self._emulator.outbox.journal
        return [_shown(each) for each in journal if each.number > after][:limit]

    def _replay(self, rest: list[str], _asked: _Asked) -> Any:
        match rest:
            case [notification_id, "replay"]:
                replay = self._emulator.outbox.replay
                return _shown(replay(notification_id))
            case _:
                raise _Wrong(404, "to send one again: POST notifications/ID/replay")

    def _trigger(self, rest: list[str], asked: _Asked) -> Any:
        if not rest:
            raise _Wrong(404, f"triggers: {_listed(self._controls.triggers)}")
        _nothing_below(rest[1:])
        trigger = _chosen(self._controls.triggers, rest[0], "trigger")

        def triggered(url: str) -> object:
            return trigger(url)

        return {"result": _called(triggered, asked)}


def _check_caller(caller: str, headers: Mapping[str, str]) -> None:
    named = {name.lower(): value for name, value in headers.items()}
    host = urlsplit(f"//{named.get('host', '')}").hostname
    if not ip_address(caller).is_loopback or host not in _LOOPBACK:
        raise _Wrong(403, "an emulator is controlled from its own machine only")
    if "origin" in named:
        raise _Wrong(403, "an emulator is controlled by programs, not by web pages")


def _read(body: bytes) -> _Asked:
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _Wrong(400, f"the body is a JSON object: {error}") from error


def _listed(names: Any) -> str:
    return ", ".join(names) or "there are none"


def _nothing_below(rest: list[str]) -> None:
    if rest:
        raise _Wrong(404, f"nothing at {'/'.join(rest)!r} below this")


def _chosen(found: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in found:
        raise _Wrong(404, f"no {what} {name!r}: {_listed(sorted(found)[:50])}")
    return found[name]


def _shown(posting: Posting[Any]) -> Any:
    notification = posting.notification
    return {
        "number": posting.number,
        "id": notification.id,
        "name": notification.name,
        "order": notification.order,
        "url": notification.url,
        "headers": notification.headers,
        **_body(notification.body),
        "delivery": posting.delivery,
        "attempts": posting.attempts,
        "status": posting.status,
    }


def _body(body: bytes) -> dict[str, Any]:
    """A body as text, or in Base64 where it is none: a byte must not be lost."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body": None, "body_base64": body}


# ── calling by name ─────────────────────────────────────────────────────────────────


def _is_plain(hint: Any) -> bool:
    """Whether JSON has it."""
    if isinstance(hint, type):
        return issubclass(hint, (*_PLAIN, Enum))
    return all(_is_plain(inner) for inner in get_args(hint))


def _parameters(act: Act, about: str = "") -> dict[str, inspect.Parameter]:
    """What an act takes; `about` is the first one's name in JSON, whatever its own."""
    hints = get_type_hints(act)
    found = {
        name: parameter.replace(annotation=hints.get(name, Any))
        for name, parameter in inspect.signature(act).parameters.items()
    }
    first = next(iter(found), "")
    return {about if about and name == first else name: found[name] for name in found}


def _acts(actor: object) -> dict[str, Act]:
    """The public methods of somebody, with arguments that JSON has."""
    found = {name: getattr(actor, name) for name in dir(actor) if name[0] != "_"}
    return {
        name: act
        for name, act in found.items()
        if inspect.ismethod(act) and _takes_plain(list(_parameters(act).values()))
    }


def _takes_plain(parameters: list[inspect.Parameter]) -> bool:
    return bool(parameters) and all(_is_plain(each.annotation) for each in parameters)


def _right(act: Act, about: str = "") -> dict[str, str]:
    """What an act takes, for people."""
    return {
        name: _worded(each.annotation)
        + ("" if each.default is each.empty else ", optional")
        for name, each in _parameters(act, about).items()
    }


def _worded(hint: Any) -> str:
    """What JSON has for a type, whatever language the test is in."""
    if hint in _WORDED:
        return _WORDED[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"object of {', '.join(hint.__struct_fields__)}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " | ".join(str(each.value) for each in hint)
    inner = [each for each in get_args(hint) if each is not type(None)]
    return " | ".join(map(_worded, inner)) or str(hint)


def _described(actor: object) -> dict[str, dict[str, str]]:
    return {name: _right(act, _ORDER) for name, act in _acts(actor).items()}


def _acted(actor: object, rest: list[str], asked: _Asked) -> Any:
    acts = _acts(actor)
    if not rest:
        raise _Wrong(404, f"what to do: {_listed(acts)}")
    _nothing_below(rest[1:])
    return {"result": _called(_chosen(acts, rest[0], "act"), asked, _ORDER)}


def _called(act: Act, asked: _Asked, about: str = "", *, lax: bool = False) -> object:
    """Call `act` with what was asked, each by its name and of the right kind."""
    parameters = _parameters(act, about)
    fields = [
        (name, each.annotation)
        if each.default is each.empty
        else (name, each.annotation, each.default)
        for name, each in parameters.items()
    ]
    wanted = msgspec.defstruct(
        "Asked", fields, kw_only=True, forbid_unknown_fields=True
    )
    try:
        # A query has nothing but texts.
        given = msgspec.convert(asked, wanted, strict=not lax)
        return act(**{each.name: getattr(given, n) for n, each in parameters.items()})
    except (ValueError, OverflowError) as error:  # a ValidationError is a ValueError
        right = _encode(_right(act, about)).decode()
        raise _Wrong(400, f"{error}; right would be {right}") from error
