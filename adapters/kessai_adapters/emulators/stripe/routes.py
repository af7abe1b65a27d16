"""Which path is which command of the API, and what takes it."""

import re
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from kessai_adapters.emulators.stripe.books import ApiObject, Books, Payment
from kessai_adapters.emulators.stripe.events import Events
from kessai_adapters.emulators.stripe.forms import Params
from kessai_adapters.emulators.stripe.intents import Intents
from kessai_adapters.emulators.stripe.listing import page
from kessai_adapters.emulators.stripe.methods import Methods
from kessai_adapters.emulators.stripe.refunds import Refunds

Endpoint = Callable[..., ApiObject]

_ID: Final = r"([A-Za-z0-9_]{1,255})"


@attrs.frozen
class ApiRoute:
    """A command: its name, and what it is asked with."""

    name: str
    method: str
    path: re.Pattern[str]
    endpoint: Endpoint


class Routes:
    """Every command of the API that the emulator has."""

    def __init__(
        self,
        books: Books,
        events: Events,
        intents: Intents,
        refunds: Refunds,
        methods: Methods,
    ) -> None:
        self._books = books
        self._events = events
        self._intents = intents
        self._refunds = refunds
        self._methods = methods
        self.all = tuple(self._made())

    def find(self, method: str, path: str) -> tuple[ApiRoute, tuple[str, ...]] | None:
        """The command of a path, with the ids in it."""
        for route in self.all:
            found = route.path.fullmatch(path)
            if found is not None and route.method == method:
                return route, found.groups()
        return None

    def _made(self) -> Iterator[ApiRoute]:
        intents, methods, refunds = self._intents, self._methods, self._refunds
        table: tuple[tuple[str, str, Endpoint], ...] = (
            ("payment_intents.create", "POST payment_intents", intents.create),
            ("payment_intents.list", "GET payment_intents", self._list_intents),
            ("payment_intents.retrieve", "GET payment_intents/ID", self._intent),
            ("payment_intents.update", "POST payment_intents/ID", intents.update),
            (
                "payment_intents.confirm",
                "POST payment_intents/ID/confirm",
                intents.confirm,
            ),
            (
                "payment_intents.capture",
                "POST payment_intents/ID/capture",
                intents.capture,
            ),
            (
                "payment_intents.cancel",
                "POST payment_intents/ID/cancel",
                intents.cancel,
            ),
            ("refunds.create", "POST refunds", refunds.create),
            ("refunds.list", "GET refunds", self._list_refunds),
            ("refunds.retrieve", "GET refunds/ID", self._refund),
            ("refunds.update", "POST refunds/ID", refunds.update),
            ("charges.retrieve", "GET charges/ID", self._charge),
            ("disputes.list", "GET disputes", self._list_disputes),
            ("customers.create", "POST customers", methods.create_customer),
            ("customers.retrieve", "GET customers/ID", self._customer),
            ("customers.update", "POST customers/ID", methods.update_customer),
            (
                "customers.payment_methods",
                "GET customers/ID/payment_methods",
                self._list_methods,
            ),
            ("payment_methods.retrieve", "GET payment_methods/ID", self._method),
            (
                "payment_methods.attach",
                "POST payment_methods/ID/attach",
                methods.attach,
            ),
            (
                "payment_methods.detach",
                "POST payment_methods/ID/detach",
                methods.detach,
            ),
            ("setup_intents.create", "POST setup_intents", methods.create_setup),
            ("setup_intents.list", "GET setup_intents", self._list_setups),
            ("setup_intents.retrieve", "GET setup_intents/ID", self._setup),
            (
                "setup_intents.confirm",
                "POST setup_intents/ID/confirm",
                methods.confirm_setup,
            ),
            (
                "setup_intents.cancel",
                "POST setup_intents/ID/cancel",
                methods.cancel_setup,
            ),
            ("events.list", "GET events", self._list_events),
            ("events.retrieve", "GET events/ID", self._event),
        )
        for name, asked, endpoint in table:
            method, _, path = asked.partition(" ")
            pattern = re.compile("/v1/" + path.replace("ID", _ID))
            yield ApiRoute(name, method, pattern, endpoint)

    # ── reads ───────────────────────────────────────────────────────────────────────

    def _intent(self, name: str, given: Params) -> ApiObject:
        given.text("client_secret")
        given.finish()
        return self._intents.found(name).intent

    def _lapse_all(self) -> list[Payment]:
        payments = list(self._books.payments.values())
        for payment in payments:
            self._intents.let_lapse(payment)
        return payments

    def _list_intents(self, given: Params) -> ApiObject:
        found = (payment.intent for payment in self._lapse_all())
        return page("/v1/payment_intents", found, given, ("customer",))

    def _list_refunds(self, given: Params) -> ApiObject:
        self._lapse_all()
        filters = ("charge", "payment_intent")
        return page("/v1/refunds", self._books.refunds(), given, filters)

    def _refund(self, name: str, given: Params) -> ApiObject:
        given.finish()
        return self._refunds.found(name)[1]

    def _charge(self, name: str, given: Params) -> ApiObject:
        given.finish()
        payment = self._books.of_charge(name, "")
        self._intents.let_lapse(payment)
        assert payment.charge is not None  # noqa: S101 - found by it
        return payment.charge

    def _list_disputes(self, given: Params) -> ApiObject:
        filters = ("charge", "payment_intent")
        return page("/v1/disputes", self._books.disputes(), given, filters)

    def _customer(self, name: str, given: Params) -> ApiObject:
        given.finish()
        return self._books.customer(name)

    def _list_methods(self, name: str, given: Params) -> ApiObject:
        path = f"/v1/customers/{name}/payment_methods"
        return page(path, self._methods.saved_of(name), given, ("type",))

    def _method(self, name: str, given: Params) -> ApiObject:
        given.finish()
        return self._books.method(name)

    def _setup(self, name: str, given: Params) -> ApiObject:
        given.text("client_secret")
        given.finish()
        return self._methods.setup(name)

    def _list_setups(self, given: Params) -> ApiObject:
        filters = ("customer", "payment_method")
        found = self._books.setups.values()
        return page("/v1/setup_intents", found, given, filters)

    def _list_events(self, given: Params) -> ApiObject:
        return page("/v1/events", self._events.kept(), given, ("type",))

    def _event(self, name: str, given: Params) -> ApiObject:
        given.finish()
        return self._events.find(name)
