"""Mistakes that authors of lifecycle files make, each refuted by a story."""

from itertools import pairwise

import attrs
import pytest

from kessai.errors import InvalidInput
from kessai.prove import Replay, Verdict, as_test, prove
from kessai.spec import load_file

BOUND = 'max = "captured - refunded - refunding", default = "captured - refunded - refunding"'
SHIPPED = {
    "refunds in flight are forgotten": (
        (BOUND, 'max = "captured - refunded", default = "captured - refunded"'),
        "refunded_within_captured",
    ),
    "refunds made are forgotten": (
        (BOUND, 'max = "captured - refunding", default = "captured - refunding"'),
        "refunded_within_captured",
    ),
    "one unit can never be refunded": (
        (BOUND, 'max = "captured - refunded - refunding - 1"'),
        "payment.captured",
    ),
    "a refund may be of nothing": (
        ('amount    = { min = "1", max = "captured', 'amount    = { min = "0", max = "captured'),
        "refund",
    ),
    "a capture may be of nothing": (
        ('amount  = { min = "1", max = "authorized"', 'amount  = { min = "0", max = "authorized"'),
        "capture",
    ),
    "more may be captured than was authorized": (
        ('max = "authorized", default', 'max = "authorized + 1", default'),
        "captured_within_authorized",
    ),
    "two captures may run at a time": (
        ('rule    = "O2, R3, F3"', 'rule = "O2"\nalongside = ["capture"]'),
        "captured_within_authorized",
    ),
    "a cancel may run beside a capture": (
        ('rule     = "O3, R4, F4"', 'rule = "O3"\nalongside = ["capture"]'),
        "captured_within_authorized",
    ),
    "two cancels may run at a time": (
        ('rule     = "O3, R4, F4"', 'rule = "O3"\nalongside = ["cancel"]'),
        "cancel cancel",
    ),
    "a declined capture stays reserved": (
        ('release = ["capturing -= amount"]', "release = []"),
        "capturing",
    ),
    "a declined refund stays reserved": (
        ('release = ["refunding -= amount"]', "release = []"),
        "refunding",
    ),
    "a captured amount is added twice": (
        ('"captured += amount", "released', '"captured += 2 * amount", "released'),
        "captured_within_authorized",
    ),
    "a refund is never reserved": (
        ('reserve = ["refunding += amount"]', "reserve = []"),
        "refunding",
    ),
    "a refund commits what it should release": (
        ('"refunding -= amount", "refunded += amount"', '"refunding -= amount"'),
        "payment.partially_refunded",
    ),
    "what expires is given back twice": (
        ('commit = ["released += authorized"]\ncode', 'commit = ["released += 2 * authorized"]\ncode'),
        "captured_within_authorized",
    ),
    "a decline gives back what was never taken": (
        ('release  = ["authorizing = 0"]', 'release = ["authorizing -= amount + 1"]'),
        "authorizing",
    ),
    "an opening command forgets what it asked for": (
        ('reserve  = ["authorizing += amount"]', "reserve = []"),
        "authorize",
    ),
    "a capture at once is of something else": (
        ('"captured += authorizing * with_capture"', '"captured += (authorizing + 1) * with_capture"'),
        "captured_within_authorized",
    ),
}  # fmt: skip
CARDS = {
    "parts in flight are forgotten": (
        (
            'max = "authorized - captured - capturing", default = "authorized - captured - capturing"',
            'max = "authorized - captured"',
        ),
        "captured_within_authorized",
    ),
    "closing does not wait for a part": (
        ('rule   = "C3"\nmoves  = [{ from = "payment.partially', 'rule = "C3"\nalongside = ["capture"]\nmoves  = [{ from = "payment.partially'),
        "captured_within_authorized",
    ),
    "closing gives back what was captured": (
        ('"released += authorized - captured"', '"released += authorized"'),
        "captured_within_authorized",
    ),
    "a void is possible after a part": (
        ('from = "payment.authorized", to = "payment.voided"', 'from = ["payment.authorized", "payment.partially_captured"], to = "payment.voided"'),
        "captured_within_authorized",
    ),
    "the last part is forgotten in flight": (
        ('commit  = ["capturing -= amount", "captured += amount"]', 'commit  = ["capturing = 0", "captured += amount"]'),
        "capturing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_mistake_in_a_copy_of_a_shipped_file_is_refuted(name, mistaken):
    change, subject = SHIPPED[name]
    _is_refuted(mistaken("one_time", change), subject)


@pytest.mark.parametrize("name", CARDS)
def test_a_mistake_in_a_card_payment_of_several_parts_is_refuted(name, mistaken):
    change, subject = CARDS[name]
    _is_refuted(mistaken("cards", change), subject)


def _is_refuted(lifecycle, subject):
    proof = prove(lifecycle)
    assert not proof.holds
    refuted = {f.subject: f for f in proof.refuted}
    assert subject in refuted, (refuted.keys(), proof.open)
    assert refuted[subject].story is not None
    for finding in proof.refuted:
        if finding.story is None:
            assert finding.property in {"reached", "moved"}
            continue
        replay = Replay(lifecycle).run(finding.story.steps)
        assert (finding.property, finding.subject) in replay.wrong


def test_the_story_of_refunds_in_flight_pays_back_more_than_was_captured(mistaken):
    change, subject = SHIPPED["refunds in flight are forgotten"]
    proof = prove(mistaken("one_time", change))
    story = next(f.story for f in proof.refuted if f.subject == subject)
    begun = [s for s in story.steps if (s.kind, s.name) == ("begins", "refund")]
    captured = story.last.amounts["captured"]
    assert len(begun) == 2
    assert sum(step.amount for step in begun) > captured
    assert story.last.refused == ("invariant_broken",)


def test_the_pasted_test_fails_now_and_passes_once_the_file_is_mended(
    planted, mistaken
):
    change, subject = SHIPPED["refunds in flight are forgotten"]
    path = planted("one_time", change)
    story = next(
        f.story for f in prove(load_file(path)).refuted if f.subject == subject
    )
    pasted = as_test(story, str(path), f"invariant {subject}")
    code = compile(pasted, "pasted.py", "exec")

    def run():
        scope = {}
        exec(code, scope)  # noqa: S102 - it is what a reader would paste
        scope[f"test_invariant_{subject}"]()

    with pytest.raises(AssertionError):
        run()
    mistaken("one_time")
    run()


def test_a_mistake_that_only_a_third_operation_shows_is_shown_or_left_open(mistaken):
    """Ten parts at a time: no short story has them, so it is reported as not proved."""
    lifecycle = mistaken(
        "cards",
        (
            'holds = "refunded + refunding <= captured"',
            'holds = "refunded + refunding <= captured and captured <= 777_777"',
        ),
    )
    found = {f.subject: f for f in prove(lifecycle).findings}
    finding = found["refunded_within_captured"]
    assert finding.verdict in {Verdict.OPEN, Verdict.REFUTED}
    if finding.verdict is Verdict.OPEN:
        assert finding.gap is not None
        assert finding.gap.after


def test_a_state_that_amounts_never_allow_is_not_reached(mistaken):
    lifecycle = mistaken(
        "cards",
        ('when = "captured < authorized",  rule = "C2"', 'when = "captured != authorized", rule = "C2"'),
        ('when = "refunded < captured",  rule = "C4"', 'when = "refunded < 0",  rule = "C4"'),
        ('when = "refunded == captured", rule = "C4"', 'when = "refunded >= 0", rule = "C4"'),
    )  # fmt: skip
    proof = prove(lifecycle)
    found = {f.subject: f for f in proof.findings if f.property == "reached"}
    assert found["payment.partially_refunded"].verdict is Verdict.REFUTED
    assert found["payment.partially_refunded"].story is None
    assert found["payment.refunded"].verdict is Verdict.PROVED


HOLD = """\
[deadlines.hold]
rule   = "C9"
lasts  = "7 days"
from   = "payment.authorized"
to     = "payment.voided"
starts = ["capture"]
denies = ["capture"]
code   = "late"
en     = "It was to be captured until {deadline}."
ja     = "売上の期限は {deadline} でした。"

[commands.refund]"""


def test_a_deadline_that_nothing_starts_is_no_way_out_of_a_state(mistaken):
    """Nothing but the deadline leads on from authorized, and a capture starts it."""
    bound = 'min = "1", max = "authorized - captured - capturing"'
    lifecycle = mistaken(
        "cards",
        ("payment.authorized", "payment.partially_captured"),
        ('to = "payment.partially_captured", rule = "C1"', 'to = "payment.authorized", rule = "C1"'),
        (
            'from = ["payment.partially_captured", "payment.partially_captured"]',
            'from = ["payment.authorized", "payment.partially_captured"]',
        ),
        (bound, 'min = "captured + authorized + 1", max = "authorized"'),
        ("[commands.refund]", HOLD),
    )  # fmt: skip
    refuted = {(f.property, f.subject) for f in prove(lifecycle).refuted}
    assert ("dead_end", "payment.authorized") in refuted


def test_tracks_that_stand_in_too_many_ways_are_refused_with_their_names(mistaken):
    lifecycle = mistaken("cards")
    payment, void = lifecycle.tracks["payment"], lifecycle.commands["void"]
    many = {f"s{n}": payment.title for n in range(300)}
    wide = attrs.evolve(payment, name="wide", states={**payment.states, **many})
    step = attrs.evolve(void.moves[0], track="wide")
    both = attrs.evolve(void, moves=(*void.moves, step))
    changed = attrs.evolve(
        lifecycle,
        tracks={**lifecycle.tracks, "wide": wide},
        commands={**lifecycle.commands, "void": both},
    )
    with pytest.raises(InvalidInput, match=r"tracks payment, wide: .* 2,000 ways"):
        prove(changed)


def test_a_state_that_is_many_commands_away_is_reached(mistaken):
    lifecycle = mistaken("cards")
    void = lifecycle.commands["void"]
    states = [f"s_{letter}" for letter in "abcdefghijkl"]
    payment = lifecycle.tracks["payment"]
    longer = {**payment.states, **dict.fromkeys(states, payment.title)}
    chain = {}
    for source, target in pairwise(["authorized", *states, "voided"]):
        move = attrs.evolve(void.moves[0], sources=(source,), target=target)
        commit = () if target != "voided" else void.commit
        name = f"to_{target}"
        chain[name] = attrs.evolve(void, name=name, moves=(move,), commit=commit)
    changed = attrs.evolve(
        lifecycle,
        tracks={"payment": attrs.evolve(payment, states=longer)},
        commands={**lifecycle.commands, **chain},
    )
    found = {f.subject: f for f in prove(changed).findings if f.property == "reached"}
    assert found["payment.s_l"].verdict is Verdict.PROVED
    assert len(found["payment.s_l"].story.steps) == 26
