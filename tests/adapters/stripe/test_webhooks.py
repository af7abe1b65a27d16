"""What is taken for a webhook of Stripe's, and what is not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from kessai.errors import NotificationRefused
from kessai.gateway import Evidence, Failure, Mention, Notification, Reply
from kessai_adapters.emulators.stripe import signed_headers
from kessai_adapters.stripe import Stripe, StripeCredentials
from kessai_adapters.stripe.webhooks import verify

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
VECTOR = (
    b'{"id":"evt_1","object":"event","type":"charge.refunded",'
    b'"data":{"object":{"id":"ch_1"}}}'
)
PROOF = "7447e2c7610c030465faf3d3b4cad841b4fa4d8467f1d47d671ce6b20071242c"
SECRET, OTHER = "whsec_test_secret", "whsec_other_secret"
OURS = {"kessai_transaction": "order-7"}


def signed(header, *, at=AT, secrets=(SECRET,), body=VECTOR):
    verify(secrets, {"stripe-SIGNATURE": header}, body, at)


@pytest.mark.parametrize("secrets", [(SECRET,), (OTHER, SECRET)])
@pytest.mark.parametrize(
    "header",
    [
        f"t=1700000000,v1={PROOF}",
        f"t=1700000000,v1={'0' * 64},v1={PROOF},v0=1",
        f"t=1700000000, v1={PROOF}",
    ],
)
def test_the_vector_of_the_documents_is_accepted(header, secrets):
    signed(header, secrets=secrets)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"v1={PROOF}",
        "t=1700000000",
        f"t=1700000000,v0={PROOF}",
        f"t=1700000001,v1={PROOF}",
        f"t=1700000000,t=1700000000,v1={PROOF}",
        f"t=1700000000,v1={PROOF[:-1]}é",
    ],
)
def test_what_proves_nothing_is_refused(header):
    with pytest.raises(NotificationRefused):
        signed(header)


@pytest.mark.parametrize(
    ("seconds", "is_heard"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_signature_is_good_for_five_minutes_either_way(seconds, is_heard):
    header, at = f"t=1700000000,v1={PROOF}", AT + timedelta(seconds=seconds)
    if is_heard:
        signed(header, at=at)
        return
    with pytest.raises(NotificationRefused, match="too long before"):
        signed(header, at=at)


def test_without_a_secret_nothing_is_accepted():
    with pytest.raises(NotificationRefused, match="no webhook secret"):
        signed(f"t=1700000000,v1={PROOF}", secrets=())


def test_another_secret_proves_nothing():
    with pytest.raises(NotificationRefused):
        signed(f"t=1700000000,v1={PROOF}", secrets=(OTHER,))


# ── what it is about ────────────────────────────────────────────────────────────────


def hears(about, kind, *replies, **event):
    """What is read from an event, and what was asked meanwhile."""
    credentials = StripeCredentials("sk_test_0123456789", (SECRET,))
    stated = {"object": "event", "type": kind, "livemode": False, **event}
    body = json.dumps({**stated, "data": {"object": about}}).encode()
    headers = signed_headers((SECRET,), int(AT.timestamp()), body)
    notification = Notification(headers=headers, body=body, at=AT)
    reading, asked = Stripe(credentials, "acct_1").received(notification), []
    answers = iter(replies)
    try:
        request = next(reading)
        while True:
            asked.append(request.url.partition("/v1/")[2])
            request = reading.send(next(answers))
    except StopIteration as stop:
        return stop.value, asked


def intent(**more):
    return {"object": "payment_intent", "id": "pi_1", **more}


def test_an_intent_of_ours_is_a_reason_to_ask_by_its_id():
    (found,), asked = hears(intent(metadata=OURS), "payment_intent.succeeded")
    assert isinstance(found, Evidence)
    assert (found.transaction, found.needs_inquiry) == ("order-7", True)
    assert (found.references, asked) == ({"payment_intent": "pi_1"}, [])


IMPORTED = Mention("payment_intent", "pi_1", made_elsewhere=True)


@pytest.mark.parametrize("about", [intent(metadata={}), intent()])
def test_an_intent_that_was_made_elsewhere_may_have_been_imported(about):
    assert hears(about, "payment_intent.succeeded") == ((IMPORTED,), [])


def test_a_card_that_was_detached_is_mentioned_and_no_other_change_of_one():
    card = {"object": "payment_method", "id": "pm_1"}
    (found,), _ = hears(card, "payment_method.detached")
    assert found == Mention("payment_method", "pm_1", made_elsewhere=True)
    assert hears(card, "payment_method.updated") == ((), [])


def test_a_setup_intent_of_ours_is_a_reason_to_ask_by_its_id():
    setup = {"object": "setup_intent", "id": "seti_1", "metadata": OURS}
    (found,), _ = hears(setup, "setup_intent.succeeded")
    assert found.references == {"setup_intent": "seti_1"}


def test_a_charge_without_an_intent_is_left_to_others():
    assert hears({"object": "charge", "id": "ch_1"}, "charge.succeeded") == ((), [])


def test_of_a_dispute_the_intent_is_asked():
    dispute = {"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"}
    ours = Reply(status=200, body=json.dumps(intent(metadata=OURS)).encode())
    (found,), asked = hears(dispute, "charge.dispute.created", ours)
    assert (found.transaction, asked) == ("order-7", ["payment_intents/pi_1"])
    others = Reply(status=200, body=json.dumps(intent(metadata={})).encode())
    assert hears(dispute, "charge.dispute.created", others)[0] == (IMPORTED,)
    silence = Failure(sent=True, reason="ReadTimeout")
    (found,), _ = hears(dispute, "charge.dispute.created", silence)
    assert found == Mention("payment_intent", "pi_1")


@pytest.mark.parametrize("kind", ["payout.paid", "customer.created"])
def test_what_is_about_no_payment_is_left_alone(kind):
    assert hears({"object": "payout", "id": "po_1"}, kind) == ((), [])


@pytest.mark.parametrize("event", [{"livemode": True}, {"object": "v2.core.event"}])
def test_a_live_one_is_no_test_and_a_thin_one_is_no_event(event):
    with pytest.raises(NotificationRefused):
        hears(intent(metadata=OURS), "payment_intent.succeeded", **event)
