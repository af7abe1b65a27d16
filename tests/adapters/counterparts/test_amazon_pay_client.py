"""Amazon Pay's own client for Node talks to our emulator over TLS.

Each signature it makes is verified there; what it is answered is held against the
emulator's books, member by member.
"""

import re
import ssl
from datetime import timedelta
from itertools import count

import pytest
from counterpart import AmazonClient
from cryptography.hazmat.primitives.asymmetric import rsa
from differences import Difference, table

from kessai import Command, Engine, HttpTransport, MemoryStore, Status
from kessai_adapters.amazon_pay import AmazonPay
from kessai_adapters.emulators.amazon_pay import (
    Charge,
    Permission,
    Refund,
    as_pem,
)

KEY = "x-amz-pay-idempotency-key"
NUMBERS = count(1)
OLD, NEW = "AMZN-PAY-RSASSA-PSS", "AMZN-PAY-RSASSA-PSS-V2"
MONTHLY = {"frequency": {"unit": "Month", "value": "1"}}


def yen(amount):
    return {"amount": str(amount), "currencyCode": "JPY"}


def written(at):
    return at.strftime("%Y%m%dT%H%M%SZ")


def of_state(kept):
    """What every object shows of how it stands."""
    details = {
        "state": kept.state,
        "reasonDescription": None,
        "lastUpdatedTimestamp": written(kept.updated_at),
    }
    if isinstance(kept, Permission):
        details["reasons"] = [{"reasonCode": kept.reason}] if kept.reason else []
    else:
        details["reasonCode"] = kept.reason or None
    return {
        "creationTimestamp": written(kept.created_at),
        "releaseEnvironment": "Sandbox",
        "statusDetails": details,
    }


def of_permission(kept):
    return {
        **of_state(kept),
        "chargePermissionId": kept.id,
        "chargePermissionType": "Recurring" if kept.is_recurring else "OneTime",
        "merchantMetadata": {"merchantReferenceId": kept.reference},
        "recurringMetadata": MONTHLY if kept.is_recurring else None,
    }


def of_charge(kept):
    return {
        **of_state(kept),
        "chargeId": kept.id,
        "chargePermissionId": kept.permission,
        "chargeAmount": yen(kept.price.amount),
        "captureAmount": yen(kept.captured) if kept.captured else None,
        "refundedAmount": yen(kept.refunded) if kept.refunded else None,
        "merchantMetadata": {"merchantReferenceId": kept.reference},
        "expirationTimestamp": written(kept.expires_at),
    }


def of_refund(kept):
    return {
        **of_state(kept),
        "refundId": kept.id,
        "chargeId": kept.charge,
        "refundAmount": yen(kept.price.amount),
    }


def of_session(kept, sent):
    web = sent["webCheckoutDetails"]
    return {
        **sent,
        **of_state(kept),
        "checkoutSessionId": kept.id,
        "webCheckoutDetails": {**web, "amazonPayRedirectUrl": kept.page},
        "chargePermissionId": kept.permission,
        "chargeId": kept.charge,
        "expirationTimestamp": written(kept.created_at + timedelta(hours=24)),
    }


SHOWN = {Permission: of_permission, Charge: of_charge, Refund: of_refund}


class Merchant:
    """A shop that calls Amazon through its own client."""

    def __init__(self, amazon, client, **settings):
        self.emulator, self.books = amazon.emulator, amazon.emulator.books
        self._client, self._settings = client, settings
        self.order = f"order-{next(NUMBERS)}"

    def calls(self, method, *args):
        return self._client.calls(method, *args, **self._settings)

    def gets(self, status, method, *args):
        """The object in the books that an answer shows: as it stands there."""
        answer = self.calls(method, *args)
        assert answer.get("status") == status, answer
        data = answer["data"]
        for name, kept in (
            ("refundId", self.books.refunds),
            ("chargeId", self.books.charges),
            ("chargePermissionId", self.books.permissions),
        ):
            if name in data:
                found = kept[data[name]]
                assert data == SHOWN[type(found)](found)
                return found
        raise AssertionError(data)

    def keyed(self, name=KEY):
        return {name: f"k-{next(NUMBERS)}"}

    def checkout(self, **more):
        """A session that its buyer has approved; and what it was made of."""
        sent = {
            "webCheckoutDetails": {"checkoutResultReturnUrl": "https://shop.example/"},
            "storeId": "store",
            "merchantMetadata": {"merchantReferenceId": self.order},
            "paymentDetails": {
                "paymentIntent": "Authorize",
                "chargeAmount": yen(1200),
            },
            **more,
        }
        made = self.calls("createCheckoutSession", sent, self.keyed())
        session = self.books.sessions[made["data"]["checkoutSessionId"]]
        assert made == {"status": 201, "data": of_session(session, sent)}
        read = self.calls("getCheckoutSession", session.id)
        assert read == {"status": 200, "data": of_session(session, sent)}
        assert self.emulator.consumer.approve(self.order) == session.id
        return session, sent

    def authorizes(self, **more):
        """The charge of a session that was completed."""
        session, sent = self.checkout(**more)
        body = {"chargeAmount": yen(1200)}
        done = self.calls("completeCheckoutSession", session.id, body)
        assert done == {"status": 200, "data": of_session(session, sent)}
        assert session.state == "Completed"
        return self.gets(200, "getCharge", session.charge)


@pytest.fixture(params=[(OLD, "old"), (NEW, "new"), (None, "new")], ids=str)
def merchant(request, amazon, amazon_client):
    """A shop with either kind of key, that signs with either algorithm."""
    algorithm, key = request.param
    settings = {"algorithm": algorithm} if algorithm else {}
    if key == "old":
        settings["publicKeyId"] = amazon.old_key_id
    return Merchant(amazon, amazon_client, **settings)


def test_a_payment_goes_its_whole_way(merchant):
    charge = merchant.authorizes()
    permission = merchant.gets(200, "getChargePermission", charge.permission)
    assert (permission.state, charge.state) == ("Chargeable", "Authorized")
    capture = {"captureAmount": yen(1000)}
    # A name in capitals is signed as it was sent.
    keyed = merchant.keyed("X-Amz-Pay-Idempotency-Key")
    assert merchant.gets(200, "captureCharge", charge.id, capture, keyed) is charge
    assert (charge.state, charge.captured) == ("Captured", 1000)
    for amount, total in ((400, 400), (600, 1000)):
        asked = {"chargeId": charge.id, "refundAmount": yen(amount)}
        refund = merchant.gets(201, "createRefund", asked, merchant.keyed())
        assert refund.state == "RefundInitiated"
        merchant.emulator.complete(merchant.order)
        assert merchant.gets(200, "getRefund", refund.id).state == "Refunded"
        assert merchant.gets(200, "getCharge", charge.id).refunded == total


@pytest.fixture
def shop(amazon, amazon_client):
    """A shop that signs as the client does by itself."""
    return Merchant(amazon, amazon_client)


def test_a_charge_is_cancelled(shop):
    charge = shop.authorizes()
    reason = {"cancellationReason": "在庫切れ"}
    assert shop.gets(200, "cancelCharge", charge.id, reason) is charge
    assert (charge.state, charge.reason) == ("Canceled", "MerchantCanceled")


def test_a_permission_is_charged_again_changed_and_closed(shop):
    kind = {"chargePermissionType": "Recurring", "recurringMetadata": MONTHLY}
    permission = shop.authorizes(**kind).permission
    asked = {
        "chargePermissionId": permission,
        "chargeAmount": yen(980),
        "captureNow": True,
        "merchantMetadata": {"merchantReferenceId": shop.order},
    }
    keyed = shop.keyed()
    charge = shop.gets(201, "createCharge", asked, keyed)
    assert (charge.state, charge.captured) == ("Captured", 980)
    assert shop.gets(201, "createCharge", asked, keyed) is charge
    other = shop.calls("createCharge", {**asked, "chargeAmount": yen(981)}, keyed)
    assert (other["status"], other["data"]["reasonCode"]) == (
        400,
        "DuplicateIdempotencyKey",
    )
    changed = {"recurringMetadata": MONTHLY}
    shop.gets(200, "updateChargePermission", permission, changed)
    closed = {"closureReason": "over", "cancelPendingCharges": False}
    kept = shop.gets(200, "closeChargePermission", permission, closed)
    assert (kept.state, kept.reason) == ("Closed", "MerchantClosed")


def test_a_session_changes_until_it_is_completed(shop):
    session, _ = shop.checkout()
    payment = {"paymentIntent": "AuthorizeWithCapture", "chargeAmount": yen(900)}
    changed = {"paymentDetails": payment}
    shop.calls("updateCheckoutSession", session.id, changed)
    wrong = shop.calls("completeCheckoutSession", session.id, {"chargeAmount": yen(1)})
    assert (wrong["status"], wrong["data"]["reasonCode"]) == (422, "AmountMismatch")
    right = {"chargeAmount": yen(900)}
    assert shop.calls("completeCheckoutSession", session.id, right)["status"] == 200
    charge = shop.gets(200, "getCharge", session.charge)
    assert (charge.state, charge.captured) == ("Captured", 900)


def test_what_is_refused_says_why(shop):
    charge = shop.authorizes()
    above = {"captureAmount": yen(1201)}
    refused = shop.calls("captureCharge", charge.id, above, shop.keyed())
    assert refused["data"]["reasonCode"] == "TransactionAmountExceeded"
    missing = shop.calls("getCharge", "S03-0000000-0000000-C000000")
    assert (missing["status"], missing["data"]["reasonCode"]) == (
        404,
        "ResourceNotFound",
    )


def test_the_key_of_another_merchant_opens_nothing(shop):
    stranger = as_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    answer = shop._client.calls("getCharge", "S03-1", privateKey=stranger)
    assert (answer["status"], answer["data"]["reasonCode"]) == (
        401,
        "UnauthorizedAccess",
    )


def test_the_client_verifies_the_certificate(amazon, start_amazon_client):
    with start_amazon_client() as (process, _):
        client = AmazonClient(process, amazon.settings)
        answer = client.calls("getCharge", "S03-1")
    assert answer == {"failure": "UNABLE_TO_VERIFY_LEAF_SIGNATURE"}


# ── how requests are made ───────────────────────────────────────────────────────────


class EngineShop:
    """A shop with an engine that asks the same of the same emulator."""

    def __init__(self, amazon):
        context = ssl.create_default_context()
        amazon.authority.configure_trust(context)
        environ = amazon.local.environment(amazon.server.url)
        self.emulator = amazon.emulator
        self.engine = Engine(
            adapters=[AmazonPay.from_environment(environ)],
            store=MemoryStore(),
            transport=HttpTransport(tls=context),
        )

    def asks(self, name, order, **given):
        command = Command(name, order, key=f"k-{next(NUMBERS)}", **given)
        return self.engine.execute(command)

    def authorizes(self, order):
        payment = {"lifecycle": "amazon_pay", "amount": 1200, "currency": "JPY"}
        self.asks("authorize", order, **payment)
        session = self.emulator.consumer.approve(order)
        brought = {"amazonCheckoutSessionId": session}
        assert self.engine.resume(order, brought).status is Status.SUCCEEDED

    def hears(self):
        for each in self.emulator.take_notifications():
            self.engine.receive_notification(each.headers, each.body)


def manner(asked):
    """In which manner requests were made: of each call, by its path without ids."""
    found = {}
    for method, path, headers, _ in asked:
        if not path.startswith("/v2/"):
            continue  # the certificate of a notification
        given = {name.lower(): value for name, value in headers.items()}
        names = re.search("SignedHeaders=([^,]+)", given["authorization"])[1].lower()
        call = re.sub(r"(?<=s/)[^/]+", "ID", path.removeprefix("/v2/"))
        found[f"{method} {call}"] = {
            "algorithm": given["authorization"].partition(" ")[0],
            "signed headers": names.replace(";", " "),
            "accept": given["accept"],
            "content-type": given["content-type"],
        }
    return found


def test_the_adapter_makes_requests_as_the_client_does(amazon, shop):
    begin = len(amazon.asked)
    charge = shop.authorizes()
    shop.calls("captureCharge", charge.id, {"captureAmount": yen(1000)}, shop.keyed())
    asked = {"chargeId": charge.id, "refundAmount": yen(400)}
    refund = shop.gets(201, "createRefund", asked, shop.keyed())
    shop.gets(200, "getRefund", refund.id)
    other = Merchant(amazon, shop._client).authorizes()
    shop.calls("cancelCharge", other.id, {"cancellationReason": "sold out"})
    theirs = manner(amazon.asked[begin:])

    begin = len(amazon.asked)
    amazon.emulator.take_notifications()
    engine = EngineShop(amazon)
    with engine.engine:
        engine.authorizes("engine-1")
        engine.asks("capture", "engine-1", amount=1000)
        engine.asks("refund", "engine-1", amount=400)
        engine.hears()
        engine.authorizes("engine-2")
        engine.asks("cancel", "engine-2", parameters={"reason": "sold out"})
    ours = manner(amazon.asked[begin:])

    found = {}
    for call in sorted(ours.keys() & theirs.keys()):
        for at, mine in ours[call].items():
            yours = theirs[call][at]
            if mine != yours:
                row = Difference(call, at, mine, yours)
                found.setdefault((at, mine, yours), row)
    assert len(ours.keys() & theirs.keys()) == 7
    assert set(found.values()) == set(table("amazon_pay_client"))
