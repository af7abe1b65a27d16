"""Where our emulators and what others made from the same documents differ: as the tables say.

A difference that is in no table fails, and so does a row that is no longer true.
"""

import httpx
import pytest
import stripe
from differences import PAGE, compared, page, replies, table
from stripe_requests import about_charges, about_intents

from kessai_adapters.emulators import serve
from kessai_adapters.emulators.stripe import DEFAULT_KEY, StripeEmulator

KNOWN = {
    kind.OBJECT_NAME: kind
    for kind in (
        stripe.Charge,
        stripe.Customer,
        stripe.PaymentIntent,
        stripe.PaymentMethod,
        stripe.Refund,
        stripe.SetupIntent,
    )
}
"""The official client's types of what the emulator shows."""


@pytest.fixture
def ours():
    """What our emulator answers to requests."""
    with StripeEmulator() as emulator, serve(emulator) as server:
        yield lambda requests: list(replies(server.url, DEFAULT_KEY, requests))


@pytest.mark.parametrize(
    ("name", "asked"),
    [("localstripe", about_intents), ("stateful_mock", about_charges)],
)
def test_stand_ins_for_stripe_differ_as_the_table_says(name, asked, ours, request):
    url = request.getfixturevalue(name)
    httpx.delete(f"{url}/_config/data")  # what localstripe has of other tests
    theirs = list(replies(url, DEFAULT_KEY, asked(theirs=True)))
    requests = asked(theirs=False)
    found = compared(requests, ours(requests), theirs)
    rows = table(name)
    assert set(found) - set(rows) == set(), "in no table"
    assert set(rows) - set(found) == set(), "no longer true"


def objects(body):
    """Every object of the API in a reply."""
    if isinstance(body, dict):
        if body.get("object") in KNOWN:
            yield body
        body = list(body.values())
    for inner in body if isinstance(body, list) else ():
        yield from objects(inner)


@pytest.mark.parametrize("asked", [about_intents, about_charges])
def test_the_official_client_knows_every_member_that_the_emulator_states(asked, ours):
    for _, body, _ in ours(asked(theirs=False)):
        for each in objects(body):
            known = KNOWN[each["object"]].__annotations__
            assert each.keys() <= known.keys()


def test_the_page_shows_the_tables():
    assert PAGE.read_text("utf-8") == page(), f"run {PAGE.with_name('differences.py')}"
