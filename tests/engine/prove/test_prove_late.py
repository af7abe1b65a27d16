"""Money that arrives after a payment has expired: declared, proved, and applied."""

import pytest

from kessai.errors import InvalidLifecycle
from kessai.prove import Replay, prove

CAPTURE = (
    'moves   = [{ from = "payment.authorized", to = "payment.captured", rule = "O2" }]'
)
LATE = """moves   = [
  { from = "payment.authorized", to = "payment.captured", rule = "O2" },
  { from = "payment.expired",    to = "payment.captured", rule = "O2", external = true, commit = [
    "capturing -= amount", "captured += amount", "released -= amount",
  ] },
]"""


@pytest.fixture
def late(mistaken):
    """The lifecycle whose captures may arrive after the authorization has expired."""
    return lambda *changes: mistaken("one_time", (CAPTURE, LATE), *changes)


def expired(lifecycle):
    return (
        Replay(lifecycle).begins("authorize", 100).succeeds(1).lapses("authorization")
    )


def test_without_a_declaration_late_money_is_a_discrepancy(mistaken):
    replay = expired(mistaken("one_time")).external("capture", 100)
    assert replay.refused == ("state_not_allowed",)


def test_late_money_that_is_declared_is_applied_and_can_be_refunded(late):
    replay = expired(late()).external("capture", 100)
    assert (replay.refused, replay.wrong) == ((), ())
    assert replay.transaction.status == "payment.captured"
    assert replay.transaction.amounts["captured"] == 100
    assert replay.transaction.amounts["released"] == 0
    replay.begins("refund", 100).succeeds(2)
    assert replay.transaction.status == "payment.refunded"


def test_late_money_is_never_asked_for(late):
    replay = expired(late()).begins("capture", 100)
    assert replay.refused == ("state_not_allowed",)
    assert replay.transaction.status == "payment.expired"


def test_a_lifecycle_with_late_money_is_proved(late):
    """A part of what expired stays released, so one invariant has to go."""
    whole = 'rest_released              = { holds = "captured + released == 0 or captured + released == authorized", rule = "O2, O3, O6" }'
    for changes in ((), ((whole, ""),)):
        proof = prove(late(*changes))
        assert proof.holds, proof.refuted or proof.open


@pytest.mark.parametrize(
    ("commit", "wrong"),
    [
        (
            '"captured += 2 * amount", "released -= 2 * amount"',
            ("accounted", "capture"),
        ),
        ('"released -= amount"', ("dead_end", "payment.captured")),
    ],
)
def test_late_money_that_is_lost_is_refuted(late, commit, wrong):
    right = '"captured += amount", "released -= amount",\n  ] }'
    lifecycle = late((right, f"{commit},\n  ] }}"))
    refuted = {(f.property, f.subject): f.story for f in prove(lifecycle).refuted}
    assert wrong in refuted
    story = refuted[wrong]
    assert story.steps[-1].kind == "external"
    assert wrong in Replay(lifecycle).run(story.steps).wrong


EXPIRED = '{ from = "payment.expired",    '
EXTERNAL = "external = true,"
GUARDED = 'external = true, guards = ["confirmation_page_not_the_merchants"],'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (EXTERNAL, "", "'expired' is final: only a command that reads starts there"),
        (EXPIRED, '{ from = "payment.authorized", ', "'capture' may be asked for in 'payment.authorized'"),
        (EXTERNAL, GUARDED, "it opens nothing, and has no guards"),
        (EXTERNAL, 'external = "yes",', "'external' must be true or false"),
    ],
)  # fmt: skip
def test_what_cannot_be_external_is_refused(late, old, new, words):
    with pytest.raises(InvalidLifecycle) as refused:
        late((old, new))
    assert words in str(refused.value)
