"""What Stripe's stand-ins are asked, ours and those of others, each in turn."""

from differences import Asked

VISA = "pm_card_visa"


def _authorize(name, keeps=None, key=None, **more):
    fields = {
        "amount": 1000,
        "currency": "jpy",
        "payment_method": VISA,
        "capture_method": "manual",
        "confirm": "true",
        "expand": {"0": "latest_charge"},
        **more,
    }
    return Asked(name, "POST", "payment_intents", fields, keeps or {}, key)


def _post(name, path, keeps=None, key=None, **fields):
    return Asked(name, "POST", path, fields, keeps or {}, key)


def _get(name, path, **fields):
    return Asked(name, "GET", path, fields)


INTENT = {"intent": "id", "charge": "latest_charge.id"}


def about_intents(*, theirs):
    """A payment's whole way, and all that is refused on it."""
    full = {"expand": {"0": "latest_charge"}}
    return [
        _authorize("authorize 1000", INTENT, metadata={"order": "7"}),
        _get("the intent", "payment_intents/{intent}", **full),
        _post(
            "capture 1001", "payment_intents/{intent}/capture", amount_to_capture=1001
        ),
        _post(
            "capture 400",
            "payment_intents/{intent}/capture",
            amount_to_capture=400,
            **full,
        ),
        _post("capture again", "payment_intents/{intent}/capture"),
        _post("cancel what is captured", "payment_intents/{intent}/cancel"),
        _get("refunds after the capture", "refunds", payment_intent="{intent}"),
        _post(
            "refund 150",
            "refunds",
            {"refund": "id"},
            payment_intent="{intent}",
            amount=150,
            metadata={"order": "7"},
        ),
        _get("the refund", "refunds/{refund}"),
        _post("refund the rest", "refunds", payment_intent="{intent}"),
        _post("refund 1 more", "refunds", payment_intent="{intent}", amount=1),
        _get("the charge", "charges/{charge}"),
        _authorize("another payment", INTENT),
        _post("refund what is not captured", "refunds", payment_intent="{intent}"),
        _authorize("another payment", INTENT),
        _get("the newest payment", "payment_intents", limit=1),
        _post(
            "cancel for a reason",
            "payment_intents/{intent}/cancel",
            cancellation_reason="abandoned",
        ),
        _authorize("another payment", INTENT),
        _post("cancel", "payment_intents/{intent}/cancel", **full),
        _post("cancel again", "payment_intents/{intent}/cancel"),
        _get("refunds after the cancel", "refunds", payment_intent="{intent}"),
        _authorize("a key", {"first": "id"}, key="k-1"),
        _authorize("the same key with another amount", key="k-1", amount=999),
        _authorize("metadata with a capture", INTENT),
        _post(
            "metadata with a capture",
            "payment_intents/{intent}/capture",
            metadata={"order": "7"},
        ),
        _post(
            "a refund for a reason",
            "refunds",
            payment_intent="{intent}",
            reason="duplicate",
        ),
        _authorize(
            "a card that is declined", payment_method="pm_card_visa_chargeDeclined"
        ),
        _authorize("an amount of 10", amount=10),
        _authorize("an amount in letters", amount="x"),
        _authorize("no currency", currency=""),
        _authorize("a currency in capitals", currency="JPY"),
        _authorize("an unknown member", colour="red"),
        _authorize("a page to return to", return_url="https://shop.example/"),
        _authorize("an unknown payment method", payment_method="pm_none"),
        _get("no such payment", "payment_intents/pi_none"),
        _post("a customer", "customers", {"customer": "id"}, description="7"),
        _post(
            "attach a card",
            "payment_methods/pm_card_visa/attach",
            {"card": "id"},
            customer="{customer}",
        ),
        _post(
            "attach a card that is declined",
            "payment_methods/pm_card_visa_chargeDeclined/attach",
            customer="{customer}",
        ),
        _post(
            "attach a card that is declined later",
            "payment_methods/pm_card_chargeCustomerFail/attach",
            {"fails": "id"},
            customer="{customer}",
        ),
        _authorize(
            "charge a card that is declined later",
            payment_method="{fails}",
            customer="{customer}",
            off_session="true",
        ),
        _get("cards of a customer", "customers/{customer}/payment_methods"),
        _authorize(
            "charge a saved card",
            INTENT,
            payment_method="{card}",
            customer="{customer}",
            off_session="true",
        ),
        _authorize("charge another's card", payment_method="{card}"),
        _post("detach a card", "payment_methods/{card}/detach"),
        _post("detach it again", "payment_methods/{card}/detach"),
        _authorize("charge a detached card", payment_method="{card}"),
        _post(
            "a setup intent", "setup_intents", {"setup": "id"}, customer="{customer}"
        ),
        _post(
            "confirm the setup intent",
            "setup_intents/{setup}/confirm",
            payment_method=VISA,
        ),
        _post("cancel what is set up", "setup_intents/{setup}/cancel"),
        _post(
            "set up with a card", "setup_intents", payment_method=VISA, confirm="true"
        ),
    ]


def _pays(name, card=VISA, *, theirs, captures=True, is_compared=False):
    """A card is charged: by a payment intent here, by a charge there."""
    amount = {"amount": 1000, "currency": "jpy"}
    kind = {"name": name, "method": "POST", "is_compared": is_compared}
    if theirs:
        source = card.replace("pm_card_visa_", "tok_").replace("pm_card_", "tok_")
        fields = {**amount, "source": source, "capture": str(captures).lower()}
        return Asked(path="charges", fields=fields, keeps={"charge": "id"}, **kind)
    fields = {
        **amount,
        "payment_method": card,
        "confirm": "true",
        "capture_method": "automatic" if captures else "manual",
    }
    keeps = {"intent": "id", "charge": "latest_charge"}
    return Asked(path="payment_intents", fields=fields, keeps=keeps, **kind)


def _captures(amount, *, theirs):
    kind = {"name": "capture", "method": "POST", "is_compared": False}
    if theirs:
        return Asked(path="charges/{charge}/capture", fields={"amount": amount}, **kind)
    fields = {"amount_to_capture": amount}
    return Asked(path="payment_intents/{intent}/capture", fields=fields, **kind)


def about_charges(*, theirs):
    """A charge and its refunds, keys, and customers."""

    def refund(name, keeps=None, key=None, **more):
        return _post(name, "refunds", keeps, key, charge="{charge}", **more)

    charge = "charges/{charge}"
    return [
        _pays("pay 1000", theirs=theirs),
        _get("the charge", charge),
        refund("refund 150 under a key", {"refund": "id"}, "k-1", amount=150),
        refund("the same again", {"again": "id"}, "k-1", amount=150),
        _get("the charge after one refund", charge),
        refund("the key with another amount", None, "k-1", amount=151),
        _post("the key at another place", "customers", None, "k-1", description="7"),
        _get("the refund", "refunds/{refund}"),
        _get("the refund by the second reply", "refunds/{again}"),
        refund("refund 0", amount=0),
        refund("refund 851", amount=851),
        refund("refund 851 under a key", None, "k-2", amount=851),
        refund(
            "refund the rest", reason="requested_by_customer", metadata={"order": "7"}
        ),
        refund("refund 851 under the key again", None, "k-2", amount=851),
        refund("refund 1 more", amount=1),
        _get("the charge, refunded", charge),
        _pays("authorize 1000", theirs=theirs, captures=False),
        _get("the charge, authorized", charge),
        refund("refund a part of what is not captured", amount=10),
        _captures(400, theirs=theirs),
        _get("the charge, captured in part", charge),
        _get("refunds after the capture", "refunds", charge="{charge}"),
        refund("refund 401 of 400", amount=401),
        refund("refund the captured part"),
        _get("the charge, captured in part and refunded", charge),
        _pays("authorize 1000", theirs=theirs, captures=False),
        refund("refund what is not captured"),
        *(
            _pays(f"pay with {card}", card, theirs=theirs, is_compared=True)
            for card in (
                "pm_card_visa_chargeDeclined",
                "pm_card_visa_chargeDeclinedInsufficientFunds",
                "pm_card_chargeDeclinedExpiredCard",
                "pm_card_chargeDeclinedProcessingError",
            )
        ),
        _post("refund no such charge", "refunds", charge="ch_none"),
        _get("no such charge", "charges/ch_none"),
        _get("no such refund", "refunds/re_none"),
        _post(
            "a customer",
            "customers",
            {"customer": "id"},
            "k-3",
            description="7",
            metadata={"order": "7"},
        ),
        _post(
            "a customer again",
            "customers",
            {"second": "id"},
            "k-3",
            description="7",
            metadata={"order": "7"},
        ),
        _post("more metadata", "customers/{second}", metadata={"shop": "1"}),
        _get("the customer", "customers/{customer}"),
        _post("delete metadata", "customers/{customer}", metadata={"order": ""}),
        _get("no such customer", "customers/cus_none"),
        _post("a key of 256 characters", "customers", None, "k" * 256, description="7"),
    ]
