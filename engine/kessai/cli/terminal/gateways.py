"""Finding adapters and emulators among the installed packages, and wiring an engine.

The engine knows no adapter by name: packages publish them under the entry point groups
`kessai.adapters` and `kessai.emulators`.
"""

import os
import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn, Protocol

import attrs
import click

from kessai.cli.terminal.accounts import check_account
from kessai.cli.terminal.options import GatewayChoice
from kessai.driver import utc_now
from kessai.errors import AdapterMissing, StoreFailed
from kessai.gateway import Adapter, Failure, Reply, Request
from kessai.machine import Transaction
from kessai.shell import Engine
from kessai.simulator.gateway import PlayedGateway
from kessai.stores import MemoryStore, SQLiteStore, Store, StoreWarning, open_store
from kessai.transport import Transport

EMULATOR = "emulator"
FIRST_GATEWAY = "veritrans4g"

_ENDS_WITH_US = (
    "kessai: the emulator's orders end with this command; for some that last, start"
    " `kessai emulator serve` and give --gateway veritrans4g"
)


class LocalGateway(Protocol):
    """What an emulator package offers: an adapter, and a transport to its emulator."""

    adapter: Adapter
    emulator: Any

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

    def environment(self, url: str) -> Mapping[str, str]:
        """The variables that point the adapter at the emulator at `url`."""
        ...

    def waiting(self) -> Mapping[str, str]:
        """The consumer's page of every opening command that waits, by order id."""
        ...

    def played(self) -> PlayedGateway:
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


@contextmanager
def wired(
    db: str,
    asked: GatewayChoice,
    language: str,
    clock: Callable[[], datetime] = utc_now,
    *,
    on: Iterable[str] | None = None,
) -> Iterator[Wiring]:
    """An engine on the store `db` that speaks to the gateway asked for; then closed.

    `on` are the ids of the transactions that are acted on, those that come to be among
    them; None: all of the account's that there are.

    Raises:
        InvalidInput, StoreUnsuitable, StoreFailed: the store cannot be opened.
        AdapterMissing: no such gateway is installed.
        AccountUnknown: what would be acted on is another account's.

    """
    store = opened_store(db)
    try:
        local, adapter, transport = _gateway(asked.gateway or EMULATOR, store, clock)
    except BaseException:
        store.close()
        raise
    engine = Engine(adapters=[adapter], store=store, transport=transport, clock=clock)
    try:
        (account,) = engine.context.accounts
        check_account(store, asked, account, language, on)
        yield Wiring(engine, account, local)
    finally:
        engine.close()
        if local is not None:
            local.close()


@contextmanager
def looking(db: str, *, must_exist: bool = True) -> Iterator[Engine]:
    """An engine on the store `db` that asks and previews, and speaks to no gateway.

    Raises:
        InvalidInput, StoreUnsuitable, StoreFailed: there is no such store, or it cannot
            be opened.

    """
    store = opened_store(db, must_exist=must_exist)
    with Engine(adapters=[], store=store, transport=_Nobody()) as engine:
        yield engine


def opened_store(db: str, *, must_exist: bool = False) -> Store:
    """The store `db`; its warnings are a line each, not a traceback.

    Raises:
        InvalidInput, StoreUnsuitable, StoreFailed: the store cannot be opened.

    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StoreWarning)
        store = open_store(db, must_exist=must_exist)
    for warning in caught:
        click.secho(f"kessai: {warning.message}", err=True, dim=True)
    return store


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
) -> LocalGateway:
    """The first gateway's emulator in this process."""
    factory = _load("kessai.emulators", FIRST_GATEWAY)
    local: LocalGateway = factory(clock=clock, books=books, approve=approve)
    return local


def _gateway(
    name: str, store: Store, clock: Callable[[], datetime]
) -> tuple[LocalGateway | None, Adapter, Transport]:
    if name != EMULATOR:
        from kessai.transport.http import HttpTransport  # who speaks to a gateway

        adapter: Adapter = _load("kessai.adapters", name).from_environment(os.environ)
        return None, adapter, HttpTransport()
    # The emulator's orders outlive the process where the engine's do, beside them.
    # There is no beside a server's database.
    books = None
    if isinstance(store, SQLiteStore):
        books = store.path.with_name(store.path.name + ".gateway")
    elif not isinstance(store, MemoryStore):
        click.secho(_ENDS_WITH_US, err=True, dim=True)
    local = local_gateway(clock, books)
    return local, local.adapter, _InProcess(local.transport)


class _InProcess:
    """The way to an emulator in this process, whose disk is this process's own.

    When its books cannot be written it did nothing, and no later command may run into
    that: it ends the work like a store that is full, instead of an unknown outcome.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, request: Request) -> Reply | Failure:
        try:
            return self._transport.send(request)
        except sqlite3.Error as error:
            message = f"the emulator's books cannot be written: {error}"
            raise StoreFailed(message) from error

    def close(self) -> None:
        self._transport.close()


def _load(group: str, name: str) -> Any:
    found = {point.name: point for point in entry_points(group=group)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        message = f"gateway {name!r} is not installed; installed are: {known}"
        raise AdapterMissing(message)
    return found[name].load()
