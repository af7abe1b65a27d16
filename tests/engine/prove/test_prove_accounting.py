"""What is asked for is accounted once, and nothing of it is left over: or a story."""

import pytest

from kessai.prove import Replay, prove
from kessai.spec import load_file

SPENT = 'commit    = ["spending -= amount", "spent += amount"]'
TOPPED = 'commit    = ["topping -= amount", "topped += amount"]'
STORED = {
    "what is spent is only no longer reserved": (
        (SPENT, 'commit    = ["spending -= amount"]'),
        ("accounted", "spend"),
    ),
    "what is spent is credited": (
        (SPENT, 'commit    = ["spending -= amount", "topped += 2 * amount"]'),
        ("accounted", "spend"),
    ),
    "what is spent counts twice": (
        (SPENT, 'commit    = ["spending -= amount", "spent += amount", "spent += amount"]'),
        ("accounted", "spend"),
    ),
    "what is spent is given back as well": (
        (SPENT, 'commit    = ["spending -= amount", "spent += amount", "returned += amount"]'),
        ("accounted", "spend"),
    ),
    "what is topped up is never credited": (
        (TOPPED, 'commit    = ["topping -= amount"]'),
        ("accounted", "top_up"),
    ),
    "closing returns nothing": (
        ('commit = ["returned += topped - spent"]', "commit = []"),
        ("moved", "returned"),
    ),
}  # fmt: skip
SHIPPED = {
    "an authorization credits a hundredfold": (
        ('"authorized += authorizing"', '"authorized += 100 * authorizing"'),
        ("accounted", "authorize"),
    ),
    "a cancelled authorization is not released": (
        ('optional = ["reason"]\nmoves    = [{ from = "payment.authorized", to = "payment.cancelled", rule = "O3" }]\ncommit   = ["released += authorized"]',
         'optional = ["reason"]\nmoves    = [{ from = "payment.authorized", to = "payment.cancelled", rule = "O3" }]'),
        ("left_over", "authorized"),
    ),
    "an expired authorization is not released": (
        ('commit = ["released += authorized"]\ncode', "code"),
        ("left_over", "authorized"),
    ),
    "a cancel captures": (
        ('rule = "O3" }]\ncommit   = ["released += authorized"]', 'rule = "O3" }]\ncommit   = ["captured += authorized"]'),
        ("give_back", "refund"),
    ),
    "a capture ends where nothing can be refunded": (
        ('from = "payment.authorized", to = "payment.captured", rule = "O2"', 'from = "payment.authorized", to = "payment.cancelled", rule = "O2"'),
        ("give_back", "refund"),
    ),
}  # fmt: skip
CARDS = {
    "a void releases nothing": (
        ('commit = ["released += authorized"]', "commit = []"),
        ("left_over", "authorized"),
    ),
    "closing releases nothing": (
        ('commit = ["released += authorized - captured"]', "commit = []"),
        ("left_over", "authorized"),
    ),
}


@pytest.mark.parametrize(
    ("file", "change", "wrong"),
    [
        pytest.param(file, *mistake, id=name)
        for file, mistakes in (
            ("stored", STORED),
            ("one_time", SHIPPED),
            ("cards", CARDS),
        )
        for name, mistake in mistakes.items()
    ],
)
def test_what_loses_money_is_refuted(file, change, wrong, mistaken):
    lifecycle = mistaken(file, change)
    refuted = {(f.property, f.subject): f.story for f in prove(lifecycle).refuted}
    assert wrong in refuted
    if story := refuted[wrong]:
        assert wrong in Replay(lifecycle).run(story.steps).wrong
    else:
        assert wrong[0] == "moved"


def test_the_story_of_a_lost_payment_spends_and_has_all_there_was(mistaken):
    change, _ = STORED["what is spent is only no longer reserved"]
    story = next(
        f.story
        for f in prove(mistaken("stored", change)).refuted
        if (f.property, f.subject) == ("accounted", "spend")
    )
    *_, begun, spent = story.replayed
    assert (begun.step.kind, spent.step.kind) == ("begins", "succeeds")
    assert spent.refused == ()
    assert spent.amounts["spent"] == 0


# ── what is right, though it looks unusual ──────────────────────────────────────────


@pytest.mark.parametrize("file", ["stored", "invoice", "parts"])
def test_what_is_right_is_proved(file, mistaken):
    """A wallet; an invoice with credit notes; a void that ends as refunds have shown.

    The wallet's ids are digits only, and so are those of its stories.
    """
    proof = prove(mistaken(file))
    assert proof.holds, proof.refuted or proof.open


def test_all_of_an_invoice_can_be_paid_once_credit_notes_exist(mistaken):
    pairs = {
        f.subject
        for f in prove(mistaken("invoice")).findings
        if f.property == "give_back"
    }
    assert pairs == {"pay", "credit"}
    mistake = (
        "invoiced - paid - paying - credited",
        "invoiced - paid - paying - credited - 1",
    )
    refuted = {
        (f.property, f.subject) for f in prove(mistaken("invoice", mistake)).refuted
    }
    assert ("give_back", "pay") in refuted


def test_a_deadline_may_deny_nothing(mistaken):
    nothing = ('denies = ["capture", "update_authorization"]', "denies = []")
    proof = prove(mistaken("one_time", nothing))
    assert proof.holds, proof.refuted or proof.open


@pytest.mark.parametrize(
    ("file", "left_open", "story"),
    [
        # `refunded` above `captured` is unreachable, whether an invariant says so or not.
        ("cards", 'refunded_within_captured   = { holds = "refunded + refunding <= captured", rule = "C4" }', None),
        ("cards", "refunded == captured", "refunded == captured and captured < authorized"),
    ],
)  # fmt: skip
def test_conditions_may_leave_open_what_amounts_never_reach(
    file, left_open, story, mistaken
):
    proof = prove(mistaken(file, (left_open, story or "")))
    refuted = {(f.property, f.subject) for f in proof.refuted}
    assert (("choice", "refund") in refuted) is (story is not None)
    assert proof.holds is (story is None), proof.open


def test_a_wallet_with_ids_of_digits_that_loses_money_is_refuted(planted, kessai):
    path = planted("stored", (SPENT, 'commit    = ["spending -= amount"]'))
    assert 'characters = "0-9"' in path.read_text("utf-8")
    result = kessai("prove", path, "--lang", "en")
    assert result.code == 5
    assert (
        "Refuted: a success of spend accounts for the amount asked for, once"
        in result.out
    )
    assert load_file(path).identifier.sample == "0"
