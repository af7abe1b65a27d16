"""Each shop with its servers, its database and its gateway, and a browser in front."""

import re
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

import kessai_specs
from kessai import Engine, open_store
from kessai.driver import utc_now
from kessai_adapters.veritrans4g import VeriTrans4G
from kessai_adapters.veritrans4g.local import LocalGateway

HERE = Path(__file__).parent
sys.path.append(str(HERE))
pytest.register_assert_rewrite("shop_story")
from running import PATIENCE, RECIPES, Host  # noqa: E402 - found by that path

LATER = timedelta(minutes=3)  # nobody carries out any more what was prepared before


class VisitedShop:
    """A shop whose servers run, as its consumers, its people and its gateway see it.

    It has one address, `url`. `newer` leads to servers of a newer release beside the
    others, as a proxy would.
    """

    def __init__(self, host, url, newer, emulator, engine):
        self.host, self.url, self.newer = host, url, newer
        self.emulator, self.gateway_url = emulator, emulator.base_url
        self.browser = httpx.Client(follow_redirects=True, timeout=PATIENCE)
        self.store = engine.store
        self._recoverer = engine

    def post(self, path, *, at=None, **form):
        """Send a form to the shop, as by its one address, and follow where it leads."""
        token = self.browser.cookies.get("csrftoken", "")
        headers = {"Host": httpx.URL(self.url).netloc, "X-CSRFToken": token}
        url = f"{at or self.url}{path}"
        page = self.browser.post(url, data=form, headers=headers)
        onward = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
        return self.browser.get(onward[1]) if onward else page

    # ── consumers ───────────────────────────────────────────────────────────────────

    def check_out(self, cart, total, *, at=None):
        self.browser.get(f"{self.url}/")
        return self.post("/orders", at=at, cart=cart, total=total)

    def answer(self, page, button):
        """Press a button on the gateway's page; where that leads to."""
        url = page.url.copy_with(path=f"{page.url.path}/{button}", query=None)
        return self.browser.post(url, data={"session": page.url.params["session"]})

    def approve(self, page):
        return self.answer(page, "approve")

    def pay(self, cart, total, *, at=None):
        back = self.approve(self.check_out(cart, total, at=at))
        assert "payment.authorized" in back.text

    # ── the shop's people ───────────────────────────────────────────────────────────

    def ship(self, order, *, at=None):
        return self.post(f"/orders/{order}/ship", at=at)

    def refund(self, order, amount, key, *, at=None):
        return self.post(f"/orders/{order}/refund", at=at, amount=amount, key=key)

    def order(self, name):
        """The shop's row: total, and whether it is shipped; None if there is none."""
        found = self._row("total, shipped", name)
        return found and (found[0], bool(found[1]))

    def heard(self, name):
        """What the shop's row says of a payment, once it has heard all there is."""
        ends, status = time.monotonic() + PATIENCE, self.payment(name).status
        while True:
            (heard,) = self._row("payment", name)
            if heard == status or time.monotonic() > ends:
                return heard
            time.sleep(0.02)

    def _row(self, columns, name):
        is_file = "://" not in self.host.database
        connect, mark = (sqlite3.connect, "?") if is_file else (psycopg.connect, "%s")
        asked = f"SELECT {columns} FROM orders WHERE id = {mark}"  # noqa: S608 - ours
        with closing(connect(self.host.database)) as connection:
            return connection.execute(asked, [name]).fetchone()

    def leaves_no_trace_of(self, name):
        is_known = any(found.id == name for found in self.store.transactions())
        return self.order(name) is None and not is_known and not self.carried_out(name)

    # ── payments ────────────────────────────────────────────────────────────────────

    def payment(self, name):
        return self._recoverer.transaction(name)

    def recover(self, name):
        """What `recover` answers of a payment, among all that are due."""
        found = self._recoverer.recover()
        return [answer for answer in found if answer.transaction.id == name]

    def carried_out(self, name):
        """What the gateway has carried out of an order, oldest first."""
        found = self.emulator.books.orders.get(name)
        return [] if found is None else [each.command for each in found.exchanges]

    def deliver(self):
        """Deliver the gateway's notifications; what they were answered."""
        return [
            httpx.post(
                f"{self.url}/payments",
                content=notification.body,
                headers=notification.headers,
            ).status_code
            for notification in self.emulator.take_notifications()
        ]


@pytest.fixture(scope="session")
def open_shop(request, newer_rules, tmp_path_factory):
    """Opens a shop, on SQLite or PostgreSQL, for a `with` block."""

    @contextmanager
    def opened(name, database):
        folder = tmp_path_factory.mktemp(name)
        with ExitStack() as stack:
            place = str(folder / "shop.db")
            if database == "postgres":
                server = request.getfixturevalue("server")
                place = stack.enter_context(server.database())
            local = stack.enter_context(closing(LocalGateway(approve="ask")))
            gateway = local.environment(stack.enter_context(local.serve(port=0)).url)
            host = Host(RECIPES[name], place, gateway, folder / "log")
            host.prepare()
            url = stack.enter_context(host.served())
            stack.enter_context(host.hearing(url))
            mortal = {"rules": newer_rules, "ends_by": signal.SIGKILL}
            newer = stack.enter_context(host.served(HERE / "dying.py", **mortal))
            engine = Engine(
                adapters=[VeriTrans4G.from_environment(host.environment(url))],
                store=open_store(host.kessai_db),
                clock=lambda: utc_now() + LATER,
            )
            stack.enter_context(engine)
            shop = VisitedShop(host, url, newer, local.emulator, engine)
            stack.enter_context(shop.browser)
            yield shop

    return opened


@pytest.fixture(scope="session")
def newer_rules(tmp_path_factory):
    """The shipped file for one-time payments, where a refund is of ¥100 at least."""
    rules = tmp_path_factory.mktemp("newer") / "rules"
    shutil.copytree(Path(kessai_specs.__file__).parent, rules)
    payment = rules / "shared/payment.toml"
    text, older = payment.read_text("utf-8"), 'min = "1", max = "captured -'
    assert older in text
    payment.write_text(text.replace(older, older.replace("1", "100")), "utf-8")
    return rules / "one_time.toml"
