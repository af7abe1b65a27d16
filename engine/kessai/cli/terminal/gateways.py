"""Finding adapters and emulators among the installed packages, and wiring an engine.

The engine knows no adapter by name: packages publish them under the entry point groups
`kessai.adapters` and `kessai.emulators`.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import attrs

from kessai.cli.terminal.accounts import check_account
from kessai.cli.terminal.options import FIRST_GATEWAY, Asked
from kessai.cli.terminal.output import note
from kessai.cli.terminal.stores import opened_store
from kessai.driver import utc_now
from kessai.errors import AdapterMissing, StoreFailed, StoreMissing
from kessai.flow import Flow
from kessai.gateway import Adapter, Failure, Reply, Request
from kessai.machine import Transaction
from kessai.shell import Engine
from kessai.stores import MemoryStore, SQLiteStore, Store
from kessai.transport import Transport

if TYPE_CHECKING:
    from kessai.simulator.gateway import PlayedGateway

T = TypeVar("T")

EMULATOR = "emulator"

_ENDS_WITH_US = (
    "kessai: the emulator's orders end with this command; for some that last, start"
    " `kessai emulator serve --gateway {name}` and give --gateway {name}"
)


class LocalGateway(Protocol):
    """What an emulator package offers: an adapter, and a transport to its emulator."""

    adapter: Adapter
    emulator: Any
    merchant: str
    """Who the merchant is at the emulator."""
    lifecycles: Sequence[str]
    """The shipped ones that it carries payments through, by name."""
    example: str
    """A first command: what `kessai tx do` takes after an order's id."""

    @property
    def transport(self) -> Transport:
        """What reaches the emulator."""
        ...

    def serve(self, *, port: int, tls: tuple[str, str] | None = None) -> Any:
        """The emulator behind a port on loopback; a context manager with a `url`."""
        ...

    def deliver_notifications(self) -> Any:
        """Deliver notifications by HTTP, on loopback alone; a context manager."""
        ...

    def notify(self, url: str) -> None:
        """Send notifications to `url` from now on; empty: keep them, to be listed.

        A gateway that is given an address with each order names it in `environment`.
        """
        ...

    def environment(self, url: str) -> Mapping[str, str]:
        """The variables that point the adapter at the emulator at `url`."""
        ...

    def waiting(self) -> Mapping[str, str]:
        """The consumer's page of every opening command that waits, by order id."""
        ...

    def story(self) -> Sequence[Mapping[str, Any]]:
        """What happens in `kessai demo`: the members of its steps (`DemoStep`)."""
        ...

    def played(self) -> "PlayedGateway":
        """The emulator in the hands of `kessai simulate`."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


@attrs.frozen
class Wiring:
    """An engine, its account, and the gateway in this process if it has one."""

    engine: Engine
    account: str
    local: LocalGateway | None

    def owns(self, transaction: Transaction) -> bool:
        """Whether it belongs to the account that can be acted on here."""
        return transaction.account == self.account


def is_emulator(asked: Asked) -> bool:
    """Whether the emulator in this process is meant, or a gateway outside."""
    return _emulated(asked) is not None


def _emulated(asked: Asked) -> str | None:
    """Whose emulator in this process is meant: `emulator` is the first gateway's."""
    kind, _, name = (asked.gateway or EMULATOR).partition("/")
    return (name or FIRST_GATEWAY) if kind == EMULATOR else None


def account_of(asked: Asked) -> str:
    """The account of the gateway asked for.

    Raises:
        AdapterMissing, InvalidInput: no such gateway is installed, or not set up.

    """
    name = _emulated(asked)
    if name is None:
        return str(_adapter(asked).account)
    with closing(local_gateway(name=name)) as local:
        return local.adapter.account


def _adapter(asked: Asked) -> Any:
    gateway = _load("kessai.adapters", str(asked.gateway))
    return gateway.from_environment(os.environ)


@contextmanager
def wired(
    asked: Asked,
    clock: Callable[[], datetime] = utc_now,
    *,
    on: Iterable[str] | None = None,
    may_make: bool = False,
) -> Iterator[Wiring]:
    """An engine on the store that speaks to the gateway asked for; then closed.

    `on` are the ids of the transactions that are acted on, those that come to be among
    them; None: all of the account's that there are. Where there is no store, one is
    made if it `may_make` one.

    Raises:
        InvalidInput, StoreUnsuitable, StoreFailed: the store cannot be opened.
        AdapterMissing: no such gateway is installed.
        AccountUnknown: what would be acted on is another account's.

    """
    making = asked.language if may_make else None
    transport: Transport
    emulated = _emulated(asked)
    # Before a store is made.
    adapter: Any = _adapter(asked) if emulated is None else None
    if emulated not in {None, FIRST_GATEWAY}:
        _load("kessai.emulators", emulated)
    with opened_store(asked.db, making) as store, ExitStack() as held:
        local: LocalGateway | None = None
        if emulated is None:
            from kessai.transport.http import HttpTransport  # who speaks to a gateway

            transport = HttpTransport()
        else:
            local = _emulator_beside(store, clock, emulated)
            held.callback(local.close)
            adapter, transport = local.adapter, _InProcess(local.transport)
        kind = Engine if local is None else _EngineBesideEmulator
        engine = held.enter_context(
            kind(adapters=[adapter], store=store, transport=transport, clock=clock)
        )
        (account,) = engine.context.accounts
        check_account(store, asked, account, on)
        yield Wiring(engine, account, local)


@contextmanager
def looking(
    db: str, *, must_exist: bool = True, to_read: bool = True
) -> Iterator[Engine]:
    """An engine on the store `db` that asks and previews, and speaks to no gateway.

    Without `must_exist` a store that is not there is an empty one, and is not made.
    Unless it is `to_read`, what an operator found out can be written.

    Raises:
        InvalidInput, StoreUnsuitable, StoreFailed: there is no such store, or it cannot
            be opened.

    """
    with ExitStack() as held:
        try:
            store = held.enter_context(opened_store(db, to_read=to_read))
        except StoreMissing:
            if must_exist:
                raise
            store = MemoryStore()
        yield held.enter_context(Engine(adapters=[], store=store, transport=_Nobody()))


class _Nobody:
    """The way of those who only look: to send anything is a mistake here."""

    def send(self, request: Request) -> NoReturn:
        raise AssertionError(request)

    def close(self) -> None:
        pass


def local_gateway(
    clock: Callable[[], datetime] = utc_now,
    books: Path | None = None,
    approve: str = "now",
    name: str = FIRST_GATEWAY,
) -> LocalGateway:
    """A gateway's emulator in this process, of those that are installed.

    Raises:
        AdapterMissing: none of that name is; the message lists those that are.

    """
    factory = _load("kessai.emulators", name)
    local: LocalGateway = factory(clock=clock, books=books, approve=approve)
    return local


def _emulator_beside(
    store: Store, clock: Callable[[], datetime], name: str
) -> LocalGateway:
    """The emulator, whose orders outlive the process where the engine's do."""
    books = None  # there is no beside a server's database
    if isinstance(store, SQLiteStore):
        whose = "" if name == FIRST_GATEWAY else f"-{name}"
        books = store.path.with_name(f"{store.path.name}.gateway{whose}")
    elif not isinstance(store, MemoryStore):
        note(_ENDS_WITH_US.format(name=name))
    return local_gateway(clock, books, name=name)


class _EmulatorDied(BaseException):
    """The emulator ended, and this process with it: no `Exception`, as no death is."""


class _InProcess:
    """The way to an emulator in this process, whose disk is this process's own.

    When its books cannot be written it did nothing, and no later command may run into
    that: the work ends there, instead of an unknown outcome.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, request: Request) -> Reply | Failure:
        try:
            return self._transport.send(request)
        except sqlite3.Error as error:
            message = f"the emulator's books cannot be written: {error}"
            raise _EmulatorDied(message) from error

    def close(self) -> None:
        self._transport.close()


class _EngineBesideEmulator(Engine):
    """An engine whose calls end, as where a store is full, when the emulator dies."""

    def drive(self, flow: Flow[T]) -> T:
        with _ending_with_it():
            return super().drive(flow)

    def drive_together(self, flows: Iterable[Flow[T]]) -> list[T]:
        with _ending_with_it():
            return super().drive_together(flows)


@contextmanager
def _ending_with_it() -> Iterator[None]:
    try:
        yield
    except _EmulatorDied as death:
        raise StoreFailed(str(death)) from death


def _load(group: str, name: str | None) -> Any:
    from importlib.metadata import entry_points  # it costs as much as all of the engine

    found = {point.name: point for point in entry_points(group=group)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        message = f"gateway {name!r} is not installed; installed are: {known}"
        raise AdapterMissing(message)
    return found[name].load()
