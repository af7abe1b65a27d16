"""A transaction on the picture of its lifecycle: its path, where it is, what may follow."""

import re

import pytest

from kessai.diagram import TransactionPath, marks_of, render, render_transaction
from kessai.diagram.path import steps
from kessai.errors import InvalidInput
from kessai.spec import load_shipped

BEGIN = "payment--authorize--payment.requested"
AUTHORIZE = "payment.requested--authorize--payment.authorized"
AT_ONCE = "payment.requested--authorize--payment.captured"
CAPTURE = "payment.authorized--capture--payment.captured"
CANCEL = "payment.authorized--cancel--payment.cancelled"
UPDATE = "payment.authorized--update_authorization--payment.authorized"
LAPSE = "payment.authorized--authorization.deadline--payment.expired"
PARTLY = "payment.captured--refund--payment.partially_refunded"
AGAIN = "payment.partially_refunded--refund--payment.partially_refunded"
FULLY = "payment.partially_refunded--refund--payment.refunded"


def path(shop, transaction="order"):
    """The numbered arrows of a transaction, in their order."""
    found = steps(shop.path(transaction), "en")
    return [(step.number, step.arrow.id) for step in found]


def test_an_opening_that_waits_is_open(shop):
    shop.apply()
    drawn = shop.drawn()
    assert path(shop) == [(1, BEGIN)]
    assert drawn.of("current") == {"payment.requested"}
    assert drawn.of("visited") == {"payment", BEGIN, "payment.requested"}
    assert drawn.of("open") == {AUTHORIZE, AT_ONCE}
    assert drawn.labels[AUTHORIZE] == "… authorize"
    assert "under way since 2026-01-01 00:01:00 UTC: pending" in drawn.titles[AUTHORIZE]


def test_partial_refunds_go_round_their_loop(shop):
    shop.authorized()
    shop.do("capture", amount=900)
    shop.do("refund", amount=200)
    shop.do("refund", amount=300)
    assert path(shop) == [
        (1, BEGIN),
        (2, AUTHORIZE),
        (3, CAPTURE),
        (4, PARTLY),
        (5, AGAIN),
    ]
    drawn = shop.drawn()
    assert drawn.of("current") == {"payment.partially_refunded"}
    assert drawn.labels[PARTLY] == "④ refund"
    assert drawn.labels[AGAIN] == "⑤▸ refund"
    assert drawn.of("allowed") == {
        AGAIN,
        FULLY,
        "payment.partially_refunded--get_address--payment.partially_refunded",
    }
    assert drawn.titles[PARTLY][-1] == ("④ event 7, 2026-01-01 00:04:00 UTC, 200 JPY")
    assert drawn.titles[AGAIN][-2:] == [
        "⑤ event 9, 2026-01-01 00:05:00 UTC, 300 JPY",
        "allowed now: 1 JPY to 400 JPY",
    ]
    assert drawn.of("visited") & {AT_ONCE, CANCEL, LAPSE, FULLY} == set()


def test_in_japanese_the_same_is_marked_and_shown_in_japanese(shop):
    shop.authorized()
    shop.do("capture", amount=900)
    english, japanese = shop.drawn(), shop.drawn(language="ja")
    assert japanese.classes == english.classes
    assert japanese.labels[CAPTURE] == "③ 売上"
    assert japanese.titles[CAPTURE][-1] == (
        "③ イベント 5、2026-01-01 00:03:00 UTC、900 JPY"
    )
    assert "現在実行可: 1 JPY〜900 JPY" in japanese.titles[PARTLY]
    assert "現在の状態" in japanese.titles["payment.captured"]
    for word in ("次に実行可", "現在は拒否", "処理中", "期限進行中"):
        assert word in japanese.text
    assert "決済: 売上済 · 与信額 1,000 JPY · 売上額 900 JPY" in japanese.text


def test_a_capture_at_once_goes_straight_there(shop):
    shop.authorized(with_capture=True)
    assert path(shop) == [(1, BEGIN), (2, AT_ONCE)]


def test_a_refused_card_ends_in_failed(shop):
    shop.apply()
    shop.emulator.consumer.decline("order")
    shop.notification()
    declined = "payment.requested--authorize.declined--payment.failed"
    assert path(shop) == [(1, BEGIN), (2, declined)]
    assert shop.drawn().of("current") == {"payment.failed"}


def test_a_deadline_is_due_then_denies_then_passes(shop):
    shop.authorized()
    drawn = shop.drawn()
    assert drawn.of("due") == {LAPSE}
    assert "passes at 2026-01-31 00:02:00 UTC" in drawn.titles[LAPSE]
    assert {CAPTURE, CANCEL, UPDATE} <= drawn.of("allowed")

    shop.later(days=30)
    drawn = shop.drawn()
    assert drawn.of("denied") == {CAPTURE, UPDATE}
    assert drawn.labels[CAPTURE] == "✕ capture"
    assert drawn.titles[CAPTURE][-2:] == [
        "denied now",
        "The authorization expired at 2026-01-31T00:02:00Z.",
    ]

    shop.engine.sweep("order")
    assert path(shop)[-1] == (3, LAPSE)
    drawn = shop.drawn()
    assert drawn.of("current") == {"payment.expired"}
    assert drawn.of("due") == set()
    assert drawn.of("denied") == drawn.of("allowed") == set()


def test_what_nobody_here_asked_for_is_marked(shop):
    shop.authorized()
    shop.emulator.portal.cancel("order")
    shop.notification()
    assert path(shop)[-1] == (3, CANCEL)
    assert shop.drawn().titles[CANCEL][-1].endswith(", not asked for here")


def test_a_read_and_an_update_are_steps_that_stay(shop):
    shop.authorized()
    shop.do("get_address")
    shop.do("update_authorization", amount=1200)
    read = "payment.authorized--get_address--payment.authorized"
    assert path(shop)[2:] == [(3, read), (4, UPDATE)]
    drawn = shop.drawn()
    assert drawn.labels[read] == "③▸ get address"
    assert drawn.labels["payment.authorized"] == "authorized"


def test_both_tracks_of_an_agreement_are_followed(shop):
    shop.authorized("plan", lifecycle="recurring")
    shop.do("terminate", "plan")
    assert path(shop, "plan") == [
        (1, "consent--authorize--consent.requested"),
        (1, BEGIN),
        (2, "consent.requested--authorize--consent.consented"),
        (2, AUTHORIZE),
        (3, "consent.consented--terminate--consent.terminated"),
    ]
    assert shop.drawn("plan").of("current") == {
        "consent.terminated",
        "payment.authorized",
    }


def test_a_consent_alone_leaves_the_payment_untouched(shop):
    shop.authorized("plan", lifecycle="recurring", consent_only=True)
    drawn = shop.drawn("plan")
    assert drawn.of("current") == {"consent.consented"}
    touched = {i for mark in ("visited", "allowed", "open") for i in drawn.of(mark)}
    assert not [named for named in touched if named.startswith("payment")]


def test_a_charge_is_drawn_on_its_own_lifecycle(shop):
    shop.authorized("plan", lifecycle="recurring", consent_only=True)
    shop.do("reauthorize", "charge", agreement="plan", amount=500)
    shop.notification()
    assert path(shop, "charge")[0] == (1, "payment--reauthorize--payment.requested")
    assert "charge under an agreement: charge" in shop.drawn("charge").text


def test_what_was_refused_or_declined_on_the_way_is_no_step(shop):
    shop.authorized()
    shop.do("capture", amount=5000)
    shop.do("refund", amount=1)
    assert len(shop.path().events) > 4
    assert [number for number, _ in path(shop)] == [1, 2]


def test_many_numbers_become_the_first_and_the_last(shop):
    shop.authorized()
    shop.do("capture", amount=1000)
    for _ in range(20):
        shop.do("refund", amount=10)
    drawn = shop.drawn()
    assert drawn.labels[AGAIN] == "⑤…(23)▸ refund"
    shown = [line for line in drawn.titles[AGAIN] if ", 10 JPY" in line]
    assert len(shown) == 19
    assert shown[0].startswith("⑤ ")
    assert shown[-1].startswith("(23) ")


def test_all_that_the_plain_picture_has_is_still_there(shop, parse):
    shop.authorized()
    plain = parse(render(load_shipped("one_time"), "svg"))
    drawn = shop.drawn()
    assert drawn.classes.keys() == plain.classes.keys()
    for named, classes in plain.classes.items():
        assert classes <= drawn.classes[named]
        assert drawn.titles[named][: len(plain.titles[named])] == plain.titles[named]


def test_without_possibilities_nothing_is_allowed_or_denied(shop):
    shop.authorized()
    full = shop.path()
    shown = TransactionPath(
        lifecycle=full.lifecycle, transaction=full.transaction, events=full.events
    )
    classes = {c for mark in marks_of(shown, "en").values() for c in mark.classes}
    assert classes == {"visited", "current", "due"}


def test_an_order_id_is_shown_as_text_and_cut_where_it_is_too_long(shop):
    """The gateway refuses such ids, so nothing but the attempt is ever in the trail."""
    shop.authorized()
    path = shop.path()
    odd = "</text><script>&" + "x" * 200
    hostile = TransactionPath(
        lifecycle=path.lifecycle,
        transaction=type(path.transaction)(
            odd, states=path.transaction.states, currency="JPY"
        ),
    )
    picture = render_transaction(hostile)
    assert "<script>" not in picture
    assert "&lt;/text&gt;&lt;script&gt;&amp;xxx" in picture
    assert re.search(r">&lt;/text[^<]*x…</text>", picture)


def test_mermaid_shows_the_same_by_classes_and_signs(shop):
    shop.authorized("plan", lifecycle="recurring")
    text = render_transaction(shop.path("plan"), "mermaid")
    lines = [line.strip() for line in text.splitlines()]
    assert lines[1].startswith('title: "recurring payment: plan: consent: consented')
    assert "class consent__consented,payment__authorized current" in lines
    assert any(line.startswith("classDef current fill:#1d4ed8") for line in lines)
    # The later class is above the earlier: now is above what the state is for.
    classes = [line.split()[-1] for line in lines if line.startswith("class ")]
    assert classes == ["initial", "normal", "ended", "failed", "visited", "current"]
    assert "payment__authorized --> payment__cancelled : ▸ cancel (O3)" in lines
    assert any("② authorize" in line for line in lines)


@pytest.mark.parametrize(
    ("form", "language", "message"),
    [
        ("dot", "en", "format 'dot': known are svg, mermaid"),
        ("svg", "fr", "language 'fr': known are en, ja"),
    ],
)
def test_an_unknown_format_or_language_is_refused(shop, form, language, message):
    shop.apply()
    with pytest.raises(InvalidInput, match=message):
        render_transaction(shop.path(), form, language)
