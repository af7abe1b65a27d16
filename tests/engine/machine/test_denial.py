"""What a denial holds and says, word for word: every reason, both languages, the bounds.

Each case is a history, what was asked, and the whole answer. The sentences are what an
order system shows or logs, so they are compared as they are.
"""

from datetime import timedelta

import attrs
import pytest

from kessai import Bounds, Command, Denial, load_shipped, shipped_names
from kessai.gateway import Outcome
from kessai.machine import Machines, Phase, Reason
from kessai.machine.decide import key_conflict, unknown_transaction
from kessai.machine.denial import STRUCTURAL
from kessai.money import Currency
from kessai.spec import Text

ONE_TIME = Bounds(1, 10_000_000)
UNDER_CONSENT = Bounds(1, 100_000)
URL = "https://shop.example/"

CASES = [
    # lifecycle, history, command, amount, what else is given
    # the bounds, then each reason with its sentences
    (
        ("one_time", "", "capture", 5, {}),
        Bounds(1, 0, 0),
        (
            Reason(
                "state_not_allowed",
                "O2, R3, F3",
                {"command": "capture", "allowed": "payment.authorized", "states": "-"},
            ),
            "capture is possible when payment is authorized, but now nothing has begun.",
            "売上は決済が与信済のときに可能ですが、現在は未開始です。",
        ),
        (
            Reason("amount_above_maximum", "O2", {"amount": 5, "maximum": 0}),
            "The amount 5 JPY is above the largest possible, 0 JPY.",
            "金額 5 JPY は上限 0 JPY を超えています。",
        ),
    ),
    (
        ("one_time", "authorize 1000, capture 600, refund 600", "get_address", 1, {}),
        None,
        (
            Reason("amount_not_taken", "O5, F6", {"command": "get_address"}),
            "get address takes no amount: it is for the whole.",
            "住所情報取得に金額は指定できません（全額が対象です）。",
        ),
    ),
    (
        ("one_time", "authorize 1000, cancel", "refund", 0, {"lifecycle": "charge"}),
        Bounds(1, 0, 0),
        (
            Reason(
                "lifecycle_differs",
                "request",
                {"lifecycle": "one_time", "asked": "charge"},
            ),
            "The transaction order-1 is of lifecycle one_time, not charge.",
            "取引 order-1 のライフサイクルは charge ではなく one_time です。",
        ),
        (
            Reason(
                "state_not_allowed",
                "O4, R5, F5",
                {
                    "command": "refund",
                    "allowed": "payment.captured, payment.partially_refunded",
                    "states": "payment.cancelled",
                },
            ),
            (
                "refund is possible when payment is captured or payment is partially"
                " refunded, but now payment is cancelled."
            ),
            (
                "返金は決済が売上済または決済が一部返金済のときに可能ですが、"
                "現在は決済が取消済です。"
            ),
        ),
        (
            Reason("amount_below_minimum", "O4", {"amount": 0, "minimum": 1}),
            "The amount would be 0 JPY; the smallest possible is 1 JPY.",
            "金額が 0 JPY となり、下限 1 JPY を下回ります。",
        ),
    ),
    (
        ("one_time", "authorize 1000", "authorize", None, {"lifecycle": "recurring"}),
        ONE_TIME,
        (
            Reason("transaction_exists", "O1, F1, F2"),
            "The transaction order-1 exists already; an order id is used once.",
            "取引 order-1 は既に存在します。取引IDは一度しか使えません。",
        ),
        (
            Reason(
                "lifecycle_differs",
                "request",
                {"lifecycle": "one_time", "asked": "recurring"},
            ),
            "The transaction order-1 is of lifecycle one_time, not recurring.",
            "取引 order-1 のライフサイクルは recurring ではなく one_time です。",
        ),
        (
            Reason(
                "amount_missing",
                "limit amount one-time",
                {"minimum": 1, "maximum": 10_000_000},
            ),
            "An amount is needed, from 1 JPY to 10,000,000 JPY.",
            "金額が必要です（1 JPY〜10,000,000 JPY）。",
        ),
    ),
    (
        ("one_time", "authorize 1000", "terminate", None, {}),
        None,
        (
            Reason(
                "not_in_lifecycle",
                "request",
                {"lifecycle": "one_time", "command": "terminate"},
            ),
            "A transaction of lifecycle one_time has no command terminate.",
            "ライフサイクル one_time の取引にコマンド terminate はありません。",
        ),
    ),
    # A guard of a single step; and what else is open.
    (
        (
            "one_time",
            "authorize? 1000",
            "update_authorization",
            5,
            {},
        ),
        ONE_TIME,
        (
            Reason("confirmation_page_not_the_merchants", "F2", {"amount": 5}),
            (
                "Before the authorization this works only with the merchant's own"
                " confirmation page."
            ),
            "与信前は、加盟店の決済確認画面を利用する申込でのみ実行できます。",
        ),
    ),
    (
        ("one_time", "authorize 1000, update_authorization? 900", "cancel", None, {}),
        None,
        (
            Reason(
                "operation_open",
                "O3, R4, F4",
                {"operations": "update_authorization (begun)"},
            ),
            "Another operation has not ended yet: update authorization (begun).",
            "完了していない処理があります: 与信変更 (開始)。",
        ),
    ),
    (
        (
            "one_time",
            "authorize? 1000 merchant_page, update_authorization? 900",
            "capture",
            None,
            {},
        ),
        Bounds(1, 0, 0),
        (
            Reason(
                "state_not_allowed",
                "O2, R3, F3",
                {
                    "command": "capture",
                    "allowed": "payment.authorized",
                    "states": "payment.requested",
                },
            ),
            (
                "capture is possible when payment is authorized, but now payment is"
                " requested."
            ),
            "売上は決済が与信済のときに可能ですが、現在は決済が申込中です。",
        ),
        (
            Reason(
                "operation_open",
                "O2, R3, F3",
                {"operations": "authorize (begun), update_authorization (begun)"},
            ),
            (
                "Another operation has not ended yet: authorize (begun), update"
                " authorization (begun)."
            ),
            "完了していない処理があります: 申込 (開始)、与信変更 (開始)。",
        ),
        (
            Reason("amount_below_minimum", "O2", {"amount": 0, "minimum": 1}),
            "The amount would be 0 JPY; the smallest possible is 1 JPY.",
            "金額が 0 JPY となり、下限 1 JPY を下回ります。",
        ),
    ),
    # Two tracks under one id.
    (
        ("recurring", "authorize? 500", "terminate", None, {}),
        None,
        (
            Reason(
                "state_not_allowed",
                "R8, F8",
                {
                    "command": "terminate",
                    "allowed": "consent.consented",
                    "states": "consent.requested payment.requested",
                },
            ),
            (
                "terminate is possible when consent is consented, but now consent is"
                " requested and payment is requested."
            ),
            (
                "解約は承諾が承諾済のときに可能ですが、"
                "現在は承諾が申込中かつ決済が申込中です。"
            ),
        ),
        (
            Reason("operation_open", "R8, F8", {"operations": "authorize (begun)"}),
            "Another operation has not ended yet: authorize (begun).",
            "完了していない処理があります: 申込 (開始)。",
        ),
    ),
    # Parameters: what is needed first, then what was given, in the order given.
    (
        (
            "recurring",
            "",
            "authorize",
            None,
            {
                "frequency": None,
                "consent_only": True,
                "with_capture": True,
                "agreement": "agreement-1",
            },
        ),
        UNDER_CONSENT,
        (
            Reason(
                "amount_missing",
                "limit amount recurring",
                {"minimum": 1, "maximum": 100_000},
            ),
            "An amount is needed, from 1 JPY to 100,000 JPY.",
            "金額が必要です（1 JPY〜100,000 JPY）。",
        ),
        (
            Reason("agreement_not_taken", "R1, R2, F1, F2", {"command": "authorize"}),
            "authorize is not made under an agreement.",
            "申込に承諾取引は指定できません。",
        ),
        (
            Reason("nothing_to_capture", "R2", {"amount": 0}),
            (
                "With the consent alone nothing is authorized, so nothing can be captured"
                " at once."
            ),
            "承諾のみの申込では与信を行わないため、同時売上はできません。",
        ),
        (
            Reason("parameter_missing", "limit frequency", {"parameter": "frequency"}),
            "'frequency' is needed.",
            "「frequency」が必要です。",
        ),
    ),
    (
        (
            "recurring",
            "",
            "authorize",
            700,
            {
                "note": "x" * 256,
                "success_url": URL + "x" * 256,
                "with_capture": "yes",
                "colour": "red",
                "merchant_page_url": URL,
                "frequency": {"unit": "Day", "value": 366},
            },
        ),
        UNDER_CONSENT,
        (
            Reason(
                "parameter_invalid",
                "limit noteToBuyer",
                {"parameter": "note", "limit": "characters 255"},
            ),
            "'note' must be a text of at most 255 characters.",
            "「note」は255文字以内の文字列でなければなりません。",
        ),
        (
            Reason(
                "parameter_invalid",
                "limit URLs",
                {"parameter": "success_url", "limit": "bytes 256"},
            ),
            "'success_url' must be a text of at most 256 bytes of UTF-8.",
            "「success_url」はUTF-8で256バイト以内の文字列でなければなりません。",
        ),
        (
            Reason(
                "parameter_invalid",
                "O1",
                {"parameter": "with_capture", "limit": "flag"},
            ),
            "'with_capture' must be true or false.",
            "「with_capture」はtrue か falseでなければなりません。",
        ),
        (
            Reason(
                "parameter_not_taken",
                "R1, R2, F1, F2",
                {"parameter": "colour", "command": "authorize"},
            ),
            "'colour' cannot be given with authorize.",
            "「colour」は申込では指定できません。",
        ),
        (
            Reason("parameter_missing", "F2", {"parameter": "merchant_page"}),
            "'merchant_page' is needed.",
            "「merchant_page」が必要です。",
        ),
        (
            Reason(
                "parameter_invalid",
                "limit frequency",
                {
                    "parameter": "frequency",
                    "limit": "frequency Year 1-1, Month 1-12, Week 1-52, Day 1-365",
                },
            ),
            (
                "'frequency' must be a frequency, one of Year 1-1, Month 1-12, Week 1-52,"
                " Day 1-365."
            ),
            (
                "「frequency」はYear 1-1, Month 1-12, Week 1-52, Day 1-365"
                " のいずれかの頻度でなければなりません。"
            ),
        ),
    ),
    # A charge without its agreement.
    (
        ("charge", "", "reauthorize", 1, {}),
        UNDER_CONSENT,
        (
            Reason("agreement_missing", "R7, R8"),
            "The agreement to charge under is needed.",
            "元となる承諾取引の指定が必要です。",
        ),
    ),
    (
        ("charge", "", "reauthorize", 1, {"agreement": "nobody"}),
        UNDER_CONSENT,
        (
            Reason("agreement_unknown", "R7, R8", {"agreement": "nobody"}),
            "There is no agreement nobody.",
            "承諾取引 nobody は存在しません。",
        ),
    ),
]


@pytest.fixture(scope="module")
def all_machines():
    """The machines of an engine, by name: each knows the titles of the others."""
    machines = Machines([load_shipped(name) for name in shipped_names()])
    return {machine.name: machine for machine in machines.current}


def compare(denial, command, bounds, expected, transaction="order-1"):
    """The whole denial, and what it says in both languages."""
    reasons, english, japanese = zip(*expected, strict=True)
    assert denial == Denial(
        command=command,
        transaction=transaction,
        reasons=reasons,
        bounds=bounds,
    )
    assert denial.sentences("en") == english
    assert denial.sentences("ja") == japanese
    assert str(denial) == " ".join(english)


@pytest.mark.parametrize(("asked", "bounds", "expected"), [
    (asked, bounds, expected) for asked, bounds, *expected in CASES
])  # fmt: skip
def test_a_denial_holds_every_reason_and_says_it_in_both_languages(
    story, asked, bounds, expected
):
    lifecycle, history, command, amount, given = asked
    denial = story(lifecycle, history).ask(command, amount, **given)
    compare(denial, command, bounds, expected)


UNDER = [
    (
        "authorize? 500",
        (
            Reason(
                "agreement_state",
                "R7, R8",
                {
                    "agreement": "agreement-1",
                    "allowed": "consent.consented",
                    "states": "consent.requested payment.requested",
                },
            ),
            (
                "A charge under agreement-1 is possible when consent is consented, but now"
                " consent is requested and payment is requested."
            ),
            (
                "承諾取引 agreement-1 による決済は承諾が承諾済のときに可能ですが、"
                "現在は承諾が申込中かつ決済が申込中です。"
            ),
        ),
    ),
    (
        "authorize 500 consent_only, terminate?",
        (
            Reason(
                "agreement_operation_open",
                "R7, R8",
                {"agreement": "agreement-1", "operations": "terminate (begun)"},
            ),
            (
                "The agreement agreement-1 has an operation that has not ended yet:"
                " terminate (begun)."
            ),
            "承諾取引 agreement-1 に完了していない処理があります: 解約 (開始)。",
        ),
    ),
]


@pytest.mark.parametrize(("agreement", "reason"), UNDER)
def test_a_charge_says_what_keeps_its_agreement_from_being_charged(
    story, all_machines, agreement, reason
):
    """Titles of the agreement's states and commands come from its own lifecycle."""
    past = story("charge")
    past.machine = all_machines["charge"]
    denial = past.ask(
        "reauthorize", 1, under=story("recurring", agreement, "agreement-1")
    )
    compare(denial, "reauthorize", UNDER_CONSENT, [reason])


def test_two_things_that_end_an_agreement_are_both_named(story):
    """An agreement in the wrong state may have an operation open besides."""
    under = story("recurring", "authorize 500, terminate?", "agreement-1")
    first = next(iter(under.transaction.operations.values()))
    second = attrs.evolve(first, id="agreement-1.9", phase=Phase.UNKNOWN)
    under.transaction = attrs.evolve(
        under.transaction,
        states={**under.transaction.states, "consent": "terminated"},
        operations={first.id: first, second.id: second},
    )
    denial = story("charge").ask("reauthorize", 1, under=under)
    assert denial.reasons == (
        Reason(
            "agreement_state",
            "R7, R8",
            {
                "agreement": "agreement-1",
                "allowed": "consent.consented",
                "states": "consent.terminated payment.authorized",
            },
        ),
        Reason(
            "agreement_operation_open",
            "R7, R8",
            {
                "agreement": "agreement-1",
                "operations": "terminate (begun), terminate (unknown)",
            },
        ),
    )


def test_the_denial_of_what_expired_names_the_moment(story):
    past = story("one_time", "authorize 1000")
    past.now += timedelta(days=30)
    expired = (
        Reason("authorization_expired", "O6", {"deadline": "2026-02-01T03:04:05Z"}),
        "The authorization expired at 2026-02-01T03:04:05Z.",
        "与信は 2026-02-01T03:04:05Z に期限切れとなりました。",
    )
    compare(past.ask("capture"), "capture", Bounds(1, 1000, 1000), [expired])


def test_the_denial_of_an_order_id_says_what_it_may_be(story):
    past = story("one_time", name="a.b")
    invalid = (
        Reason(
            "transaction_id_invalid",
            "limit orderId",
            {"most": 100, "characters": "A-Za-z0-9_-"},
        ),
        "The order id a.b must be 1 to 100 of A-Za-z0-9_-.",
        "取引ID a.b は A-Za-z0-9_- の1〜100文字でなければなりません。",
    )
    compare(past.ask("authorize", 1), "authorize", ONE_TIME, [invalid], "a.b")


@pytest.mark.parametrize(
    ("phase", "english", "japanese"),
    [
        (Phase.BEGUN, "begun", "開始"),
        (Phase.PENDING, "pending", "保留"),
        (Phase.UNKNOWN, "unknown", "結果不明"),
    ],
)
def test_what_is_open_is_named_with_how_far_it_is(story, phase, english, japanese):
    past = story("one_time", "authorize 1000, cancel?")
    (operation,) = past.transaction.operations.values()
    if phase is not Phase.BEGUN:
        past.resolve(operation, Outcome(phase))
    busy = (
        Reason("operation_open", "O3, R4, F4", {"operations": f"cancel ({phase})"}),
        f"Another operation has not ended yet: cancel ({english}).",
        f"完了していない処理があります: 取消 ({japanese})。",
    )
    compare(past.ask("cancel"), "cancel", None, [busy])


ASKED = Command("capture", "order-9", key="key-9", amount=5)


def test_a_command_on_nobody_is_denied_without_any_lifecycle():
    nobody = (
        Reason("unknown_transaction", "request"),
        "There is no transaction order-9.",
        "取引 order-9 は存在しません。",
    )
    compare(unknown_transaction(ASKED), "capture", None, [nobody], "order-9")


def test_a_key_that_another_request_used_is_named():
    used = (
        Reason("key_conflict", "request", {"key": "key-9"}),
        "The key key-9 belongs to another request.",
        "キー key-9 は別の要求のものです。",
    )
    compare(key_conflict(ASKED), "capture", None, [used], "order-9")


def test_a_denial_of_another_currency_shows_its_amounts_in_it():
    reason = Reason("amount_below_minimum", "O2", {"amount": -150, "minimum": 100})
    denial = Denial(
        command="capture",
        transaction="a",
        reasons=(reason,),
        currency=Currency("USD", 2),
    )
    assert denial.sentences("en") == (
        "The amount would be -1.50 USD; the smallest possible is 1.00 USD.",
    )


def test_names_with_digits_are_shown_by_their_titles():
    reason = Reason("amount_not_taken", "X1", {"command": "refund_2"})
    texts = {**STRUCTURAL, "title refund_2": Text(en="second refund", ja="再返金")}
    denial = Denial(command="refund_2", transaction="a", reasons=(reason,), texts=texts)
    assert str(denial) == "second refund takes no amount: it is for the whole."


def test_names_without_a_title_are_shown_as_they_are():
    """A denial read back from a trail may speak of a lifecycle that is not at hand."""
    values = {
        "command": "capture",
        "allowed": "payment.authorized, payment.captured",
        "states": "payment.requested consent.requested",
    }
    denial = Denial(
        command="capture",
        transaction="a",
        reasons=(Reason("state_not_allowed", "O2", values),),
    )
    assert denial.sentences("en") == (
        (
            "capture is possible when payment.authorized or payment.captured, but now"
            " payment.requested and consent.requested."
        ),
    )
    assert denial.sentences("ja") == (
        (
            "captureはpayment.authorizedまたはpayment.capturedのときに可能ですが、"
            "現在はpayment.requestedかつconsent.requestedです。"
        ),
    )


def test_a_denial_says_what_each_rule_is_that_its_reasons_name():
    reasons = (Reason("state_not_allowed", "O2, R3"), Reason("amount_missing", "O2"))
    machine = Machines([load_shipped("one_time")]).current[0]
    denial = Denial(command="capture", transaction="a", reasons=reasons)

    said = attrs.evolve(denial, texts=machine.texts).rules("ja")

    assert list(said) == ["O2", "R3"]
    assert said["R3"] == "随時決済の売上は、都度決済と同じ（O2）。"
    assert denial.rules() == {}, "no lifecycle, no sentence"
