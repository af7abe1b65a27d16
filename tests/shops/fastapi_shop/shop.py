"""A shop in FastAPI, on PostgreSQL by SQLAlchemy, with payments in a schema beside.

uv run python tests/shops/by_hand.py fastapi
"""

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kessai import (
    AsyncEngine,
    AsyncPostgresStore,
    Command,
    LogObserver,
    NotificationEndpoint,
    load_file,
)
from kessai.errors import InvalidInput, SafeToResend, UnknownTransaction
from kessai_adapters.veritrans4g import VeriTrans4G

URL = os.environ["SHOP_DB"].replace("postgresql://", "postgresql+psycopg://")
RULES = os.environ.get("SHOP_LIFECYCLE")  # a file of your own, if any


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    total: Mapped[int]
    shipped: Mapped[bool] = mapped_column(default=False)
    payment: Mapped[str] = mapped_column(default="")
    event: Mapped[int] = mapped_column(default=0)


class Denied(Exception):
    """The rules do not allow it; the text says why."""


class Wakes(LogObserver):
    """Wakes whoever follows the feed, besides writing the log."""

    def __init__(self):
        self.changed = asyncio.Event()

    def appended(self, step):
        super().appended(step)
        self.changed.set()


database = create_async_engine(URL)
sessions = async_sessionmaker(database)


@asynccontextmanager
async def lifespan(app):
    async with database.begin() as connection:  # where there is no migration
        await connection.execute(text("CREATE SCHEMA IF NOT EXISTS kessai"))
        await connection.run_sync(Base.metadata.create_all)
    wakes = Wakes()
    async with AsyncEngine(
        adapters=[VeriTrans4G.from_environment(os.environ)],
        store=await AsyncPostgresStore.open(os.environ["KESSAI_DB"]),
        lifecycles=[load_file(RULES)] if RULES else None,
        observer=wakes,
    ) as app.state.engine:
        following = asyncio.create_task(follow(app.state.engine, wakes.changed))
        yield
        following.cancel()
    await database.dispose()


async def follow(engine, changed):
    """Write what becomes of a payment to its order, whoever found it out."""
    while True:
        changed.clear()
        with suppress(SafeToResend):  # another worker follows, too
            await engine.relay("orders", write)
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), 1)


async def write(event):
    newer = (Order.id == event.transaction) & (Order.event < event.number)
    values = {"payment": event.status, "event": event.number}
    async with sessions.begin() as session:  # an event may come twice, and late
        await session.execute(update(Order).where(newer).values(values))


async def begin(engine, session, name, order, **fields):
    """Begin a command in the shop's transaction; it is carried out after the commit."""
    command = Command(name, order, **{"key": f"{order} {name}", **fields})
    prepared = await engine.begin(command, connection=session)
    if prepared.denial:
        raise Denied(prepared.denial)  # rolls the transaction back
    return prepared


app = FastAPI(lifespan=lifespan)
shop = NotificationEndpoint(
    lambda: getattr(app.state, "engine", None), app=app, path="/payments"
)

# ── for consumers ───────────────────────────────────────────────────────────────────


@app.get("/", response_class=HTMLResponse)
async def cart():
    return """<form method="post" action="/orders"><input name="cart" value="cart-1">
<input name="total" value="1200"><button>Check out</button></form>"""


@app.post("/orders")
async def checkout(
    request: Request, cart: Annotated[str, Form()], total: Annotated[int, Form()]
):
    """Write the order with the intent to have it paid, and send the consumer to pay."""
    engine, back = app.state.engine, str(request.url_for("returned", order=cart))
    pages = dict.fromkeys(["success_url", "cancel_url", "error_url"], back)
    opening = {"lifecycle": "one_time", "amount": total, "parameters": pages}
    async with sessions.begin() as session:
        await session.merge(Order(id=cart, total=total))
        prepared = await begin(engine, session, "authorize", cart, **opening)
    answer = await engine.carry_out(prepared)
    page = answer.disclosed.get("page")  # HTML that leads to the gateway's page
    return HTMLResponse(page) if page else RedirectResponse(back, 303)


@app.get("/orders/{order}/return")
async def returned(order: str):
    """Ask the gateway: that somebody comes to this address proves no payment."""
    await app.state.engine.recover_transaction(order)
    return RedirectResponse(f"/orders/{order}", 303)


# ── for the shop's people: behind your login, with buttons at /docs ─────────────────


@app.get("/orders/{order}")
async def show(order: str):
    payment = await app.state.engine.transaction(order)
    return {"order": order, "status": payment.status, "amounts": payment.amounts}


@app.post("/orders/{order}/ship")
async def ship(order: str):
    """Capture what was authorized, with the goods on their way."""
    engine = app.state.engine
    async with sessions.begin() as session:
        shipped = update(Order).where(Order.id == order).values(shipped=True)
        await session.execute(shipped)
        prepared = await begin(engine, session, "capture", order)
    await engine.carry_out(prepared)
    return RedirectResponse(f"/orders/{order}", 303)


@app.post("/orders/{order}/refund")
async def refund(
    order: str, key: Annotated[str, Form()], amount: Annotated[int, Form()]
):
    """Pay back a part; a second request with the same key is no second refund."""
    asked = Command("refund", order, key=key, amount=amount)
    answer = await app.state.engine.execute(asked)
    if answer.denial:
        raise Denied(answer.denial)
    return RedirectResponse(f"/orders/{order}", 303)


# ── what is refused ─────────────────────────────────────────────────────────────────


@app.exception_handler(Denied)
async def denied(_, reasons):
    return PlainTextResponse(str(reasons), 409)


@app.exception_handler(InvalidInput)
async def refused(_, mistake):
    return PlainTextResponse(str(mistake), 400)


@app.exception_handler(UnknownTransaction)
async def unknown(_, __):
    return PlainTextResponse("There is no such order.", 404)
