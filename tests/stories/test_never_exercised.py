"""What no other story exercises of any lifecycle, by `kessai audit coverage`.

The same is declared for one-time payments, consents and charges by one included file,
and yet each lifecycle is another machine: every story here is run for each.
"""

import pytest

KINDS = ["one_time", "recurring", "charge"]
MONTHLY = {"unit": "Month", "value": 1}
OWN_PAGE = {"merchant_page": True, "merchant_page_url": "https://shop.example/confirm"}
MOST = {"one_time": 10_000_000, "recurring": 100_000, "charge": 100_000}
READERS = ["one_time", "recurring"]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def apply(shop, kind):
    """Apply for a payment of the lifecycle: `apply(transaction, **fields)`."""

    def agreed(transaction, *, parameters=None, **fields):
        if "plan" not in {t.id for t in shop.store.transactions() if t.exists}:
            shop.consented("plan", consent_only=True)
        agreement = {"agreement": "plan", **fields}
        given = parameters or {}
        return shop.do("reauthorize", transaction, parameters=given, **agreement)

    def applied(transaction, *, parameters=None, **fields):
        frequency = {"frequency": MONTHLY} if kind == "recurring" else {}
        given = {**frequency, **(parameters or {})}
        return shop.do(
            "authorize", transaction, lifecycle=kind, parameters=given, **fields
        )

    return agreed if kind == "charge" else applied


@pytest.fixture
def authorized(shop, kind, apply):
    """An authorized payment of 1,000 of the lifecycle, called `order`."""
    apply("order", amount=1000)
    if kind != "charge":
        shop.approve("order")
    assert shop.transaction("order").states["payment"] == "authorized"


@pytest.fixture
def captured(shop, authorized):
    shop.do("capture", "order")


def payment(shop):
    return shop.transaction("order").states["payment"]


# ── operations that are declined ────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["capture", "cancel"])
def test_a_declined_operation_leaves_the_authorization_as_it_was(
    shop, authorized, command
):
    before = shop.transaction("order")
    shop.emulator.misbehave("refuse", command=command.title())
    assert shop.do(command, "order").status == "declined"
    after = shop.transaction("order")
    assert (after.states, after.amounts) == (before.states, before.amounts)
    assert shop.do(command, "order").status == "succeeded"
    shop.books_agree()


def test_a_declined_refund_gives_its_amount_back(shop, captured):
    for state in ("captured", "partially_refunded"):
        shop.emulator.misbehave("refuse", command="Refund")
        assert shop.do("refund", "order", amount=300).status == "declined"
        assert payment(shop) == state
        assert shop.transaction("order").amounts["refunding"] == 0
        assert shop.do("refund", "order", amount=300).status == "succeeded"
    shop.books_agree()


def test_refunds_go_on_until_nothing_is_left(shop, captured):
    for amount in (1, 399, 300):
        shop.do("refund", "order", amount=amount)
        assert payment(shop) == "partially_refunded"
    shop.do("refund", "order", amount=300)
    assert payment(shop) == "refunded"
    shop.books_agree()


@pytest.mark.parametrize("kind", READERS)
def test_an_address_that_cannot_be_read_changes_nothing(shop, captured, kind):
    steps = {
        "one_time": [("refund", {"amount": 1}), ("refund", {})],
        "recurring": [("terminate", {})],
    }[kind]
    for step in [None, *steps]:
        if step is not None:
            shop.do(step[0], "order", **step[1])
        before = shop.transaction("order")
        shop.emulator.misbehave("refuse", command="GetAddress")
        assert shop.do("get_address", "order").status == "declined"
        after = shop.transaction("order")
        assert (after.states, after.amounts) == (before.states, before.amounts)
    shop.books_agree()


# ── the ends of what an amount may be ───────────────────────────────────────────────


def codes(answer):
    return set() if answer.denial is None else set(answer.denial.codes)


def test_an_opening_of_the_smallest_and_of_the_largest_amount(shop, kind, apply):
    for amount in (1, MOST[kind]):
        assert apply(f"order-{amount}", amount=amount).denial is None


def test_an_opening_beyond_either_end_is_denied(shop, kind, apply):
    assert "amount_below_minimum" in codes(apply("order", amount=0))
    assert "amount_above_maximum" in codes(apply("order", amount=MOST[kind] + 1))
    assert "amount_missing" in codes(apply("order"))
    assert apply("order", amount=1).denial is None  # a denial takes no id away


@pytest.mark.parametrize("kind", READERS)
def test_an_update_goes_from_the_smallest_to_the_largest_amount(shop, kind, apply):
    apply("order", amount=1000, parameters=OWN_PAGE)
    shop.emulator.consumer.log_in("order")
    most = MOST[kind]
    for amount in (1, most):
        update = shop.do("update_authorization", "order", amount=amount)
        assert update.transaction.amounts["authorizing"] == amount
    for amount, code in ((0, "below_minimum"), (most + 1, "above_maximum")):
        denied = shop.do("update_authorization", "order", amount=amount)
        assert f"amount_{code}" in codes(denied)
    assert "amount_missing" in codes(shop.do("update_authorization", "order"))
    assert shop.transaction("order").amounts["authorizing"] == most


@pytest.mark.parametrize("kind", ["recurring"])
def test_a_consent_goes_up_to_the_largest_amount(shop, authorized, kind):
    terms = {"frequency": MONTHLY}
    most = MOST[kind]
    shop.do("update_consent", "order", amount=most, parameters=terms)
    denied = shop.do("update_consent", "order", amount=most + 1, parameters=terms)
    assert "amount_above_maximum" in codes(denied)
    assert shop.transaction("order").amounts["agreed"] == most
    shop.books_agree()


def test_a_capture_goes_from_one_to_all_that_is_authorized(shop, authorized):
    assert "amount_below_minimum" in codes(shop.do("capture", "order", amount=0))
    assert "amount_above_maximum" in codes(shop.do("capture", "order", amount=1001))
    shop.do("capture", "order", amount=1)
    assert shop.transaction("order").amounts["released"] == 999
    shop.books_agree()


def test_a_refund_goes_from_one_to_all_that_is_left(shop, captured):
    shop.do("refund", "order", amount=1)
    assert "amount_below_minimum" in codes(shop.do("refund", "order", amount=0))
    assert "amount_above_maximum" in codes(shop.do("refund", "order", amount=1000))
    shop.do("refund", "order", amount=999)
    assert payment(shop) == "refunded"
    shop.books_agree()


# ── commands that come when they cannot be carried out ──────────────────────────────


def test_before_the_capture_there_is_nothing_to_refund(shop, authorized):
    assert "state_not_allowed" in codes(shop.do("refund", "order"))
    assert payment(shop) == "authorized"


def test_after_the_capture_there_is_nothing_to_capture_or_cancel(shop, captured):
    assert "state_not_allowed" in codes(shop.do("capture", "order"))
    assert "state_not_allowed" in codes(shop.do("cancel", "order"))
    assert payment(shop) == "captured"


def test_while_a_capture_is_under_way_nothing_else_begins(shop, authorized):
    shop.emulator.misbehave("pending", command="Capture")
    assert shop.do("capture", "order").status == "pending"
    for command in ("capture", "cancel", "refund"):
        assert "operation_open" in codes(shop.do(command, "order"))
    assert len(shop.transaction("order").operations) == 1


@pytest.mark.parametrize("kind", READERS)
def test_while_an_update_is_under_way_no_other_begins(shop, apply):
    apply("order", amount=1000, parameters=OWN_PAGE)
    shop.emulator.consumer.log_in("order")
    shop.emulator.misbehave("lose_reply", command="UpdateAuthorize")
    shop.do("update_authorization", "order", amount=800)
    denied = shop.do("update_authorization", "order", amount=700)
    assert "operation_open" in codes(denied)


def test_what_was_not_captured_in_time_is_not_captured(shop, authorized):
    shop.clock.pass_by(days=30)
    assert "authorization_expired" in codes(shop.do("capture", "order"))
    assert shop.sweep("order").states["payment"] == "expired"
    shop.books_agree()


def test_an_order_id_is_used_once(shop, kind, authorized, apply):
    before = shop.transaction("order")
    assert "transaction_exists" in codes(apply("order", amount=1))
    after = shop.transaction("order")
    assert (after.states, after.amounts) == (before.states, before.amounts)


def test_an_order_id_is_written_in_the_gateways_letters(shop, apply):
    assert "transaction_id_invalid" in codes(apply("order#1", amount=1))


# ── requests that carry what they must not ──────────────────────────────────────────

LONG = "x" * 256
OPENINGS = {
    "one_time": "authorize",
    "recurring": "authorize",
    "charge": "reauthorize",
}
OWN_COMMANDS = {
    "one_time": ["update_authorization", "get_address"],
    "recurring": ["update_authorization", "get_address", "update_consent", "terminate"],
    "charge": [],
}
MALFORMED = {
    "cancel": {"reason": LONG},
    "terminate": {"reason": LONG},
    "get_address": {"details": "yes"},
    "update_consent": {"frequency": {"unit": "Month", "value": 13}},
}
WHOLE = {"cancel", "get_address", "terminate"}


def of(kind):
    return ["capture", "cancel", "refund", *OWN_COMMANDS[kind]]


def test_no_command_takes_a_parameter_that_it_does_not_know(shop, kind, authorized):
    for command in of(kind):
        denied = shop.do(command, "order", parameters={"colour": "red"})
        assert "parameter_not_taken" in codes(denied), command
    assert payment(shop) == "authorized"


def test_no_command_takes_a_parameter_beyond_its_limit(shop, kind, authorized):
    for command in MALFORMED.keys() & set(of(kind)):
        denied = shop.do(command, "order", parameters=MALFORMED[command])
        assert "parameter_invalid" in codes(denied), command
    assert payment(shop) == "authorized"


def test_what_is_for_the_whole_takes_no_amount(shop, kind, authorized):
    for command in WHOLE & set(of(kind)):
        denied = shop.do(command, "order", amount=1000)
        assert "amount_not_taken" in codes(denied), command
    assert payment(shop) == "authorized"


def test_only_a_charge_is_made_under_an_agreement(shop, kind, authorized):
    for command in of(kind):
        denied = shop.do(command, "order", agreement="plan")
        assert "agreement_not_taken" in codes(denied), command
    if kind != "charge":
        command = OPENINGS[kind]
        denied = shop.do(command, "other", lifecycle=kind, amount=1, agreement="plan")
        assert "agreement_not_taken" in codes(denied)


def test_an_opening_takes_no_parameter_unknown_or_beyond_its_limit(apply):
    unknown = apply("order", amount=1, parameters={"colour": "red"})
    assert "parameter_not_taken" in codes(unknown)
    long = apply("order", amount=1, parameters={"note": LONG})
    assert "parameter_invalid" in codes(long)


@pytest.mark.parametrize("kind", ["recurring"])
def test_with_the_consent_alone_nothing_can_be_captured_at_once(shop, apply):
    both = {"consent_only": True, "with_capture": True}
    assert "nothing_to_capture" in codes(apply("order", amount=1, parameters=both))
