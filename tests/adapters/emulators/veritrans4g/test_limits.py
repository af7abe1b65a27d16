"""The Limits table: what the gateway takes, and what it refuses before it looks."""

import pytest

RECURRING = {"accountingType": "1", "frequencyUnit": "Month", "frequencyValue": "1"}


@pytest.mark.parametrize("order_id", ["a" * 100, "A-z_09"])
def test_a_well_formed_order_id_is_taken(shop, order_id):
    shop.authorized(order_id)


@pytest.mark.parametrize("order_id", ["a" * 101, "a b", "注文", "a/b", "a\n"])
def test_a_malformed_order_id_is_refused(shop, order_id):
    assert shop.refused("Authorize", order_id, amount="1") == "NP020000"


@pytest.mark.parametrize(
    ("amount", "params", "code"),
    [
        ("10000001", {}, "NH030000"),
        ("0", {}, "NH030000"),
        ("", {}, "NP010000"),
        ("1.0", {}, "NP020000"),
        ("9" * 5000, {}, "NP020000"),
        ("100001", RECURRING, "NH030000"),
    ],
)
def test_an_application_outside_the_limits_is_refused(shop, amount, params, code):
    assert shop.refused("Authorize", "A-1", amount=amount, **params) == code


def test_the_limits_themselves_are_allowed(shop):
    shop.authorized("A-1", 10_000_000)
    shop.authorized("A-2", 1)
    shop.consented("R-1", 100_000)
    shop.ok("ReAuthorize", "R-2", originalOrderId="R-1", amount="100000")


def test_a_reauthorization_above_the_limit_is_refused(shop):
    shop.consented("R-1")
    ask = {"originalOrderId": "R-1", "amount": "100001"}
    assert shop.refused("ReAuthorize", "R-2", **ask) == "NH030000"


@pytest.mark.parametrize(
    ("unit", "most"), [("Year", 1), ("Month", 12), ("Week", 52), ("Day", 365)]
)
def test_each_frequency_has_its_greatest_value(shop, unit, most):
    shop.consented("R-1", frequencyUnit=unit, frequencyValue=str(most))
    for value in (0, most + 1):
        wrong = {**RECURRING, "frequencyUnit": unit, "frequencyValue": str(value)}
        assert shop.refused("Authorize", "R-2", amount="1", **wrong) == "NP020000"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"consentAuthType": "1"}, "NP030000"),
        ({"frequencyUnit": "Day"}, "NP030000"),
        ({"frequencyValue": "1"}, "NP030000"),
        ({"accountingType": "1"}, "NP010000"),
        ({**RECURRING, "frequencyUnit": "Hour"}, "NP020000"),
        ({**RECURRING, "extendExpiration": "true"}, "NP030000"),
        ({**RECURRING, "consentAuthType": "2"}, "NP020000"),
        ({"accountingType": "2"}, "NP020000"),
        ({"withCapture": "1"}, "NP020000"),
        ({"payConfirmScreenType": "1"}, "NP010000"),
        ({"noteToBuyer": "あ" * 256}, "NP020000"),
        ({"successUrl": "https://shop.example/" + "a" * 240}, "NP020000"),
        ({"successUrl": "javascript:alert(1)"}, "NP020000"),
        ({"cancelUrl": "https://shop.example/\r\nX: 1"}, "NP020000"),
        ({"authorizePushUrl": "http://[shop"}, "NP020000"),
        ({"capturePushUrl": "http://shop.example:x/"}, "NP020000"),
    ],
)
def test_an_application_with_a_wrong_parameter_is_refused(shop, params, code):
    assert shop.refused("Authorize", "A-1", amount="1", **params) == code


def test_a_note_of_255_characters_and_unknown_parameters_are_taken(shop):
    shop.authorized("A-1", noteToBuyer="あ" * 255, extendExpiration="true", later="x")


@pytest.mark.parametrize(
    ("command", "name"),
    [("Cancel", "cancellationReason"), ("Terminate", "closureReason")],
)
def test_a_reason_has_at_most_255_characters(shop, command, name):
    assert shop.refused(command, "A-1", **{name: "x" * 256}) == "NP020000"


def test_a_missing_order_id_is_named(shop):
    reply = shop.send("Capture", "")
    assert reply["vResultCode"].startswith("NP01")
    assert "orderId" in reply["merrMsg"]
