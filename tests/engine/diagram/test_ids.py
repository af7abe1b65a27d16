"""What pages may find in a picture: ids, classes, titles. They are a lasting contract."""

import itertools
import re

import attrs
import pytest

from kessai.diagram import render
from kessai.diagram.arrows import arrow_classes, every_arrow, state_classes, state_id
from kessai.diagram.titles import condition
from kessai.spec import Expression, load_shipped, shipped_names

NAMES = r"[a-z][a-z0-9_]*"
STATE = rf"{NAMES}\.{NAMES}"
EDGE = rf"(?:{STATE}|{NAMES})--{NAMES}(?:\.declined|\.deadline|\.reversed)?--{STATE}(?:--\d+)?"
CASES = list(itertools.product(shipped_names(), ("en", "ja")))
every_case = pytest.mark.parametrize(("name", "language"), CASES)


def test_the_ids_of_a_charge_are_these(parse):
    """Pages are styled by them: an id that changes here breaks somebody's page."""
    drawn = parse(render(load_shipped("charge"), "svg"))
    assert sorted(drawn.classes) == [
        "payment",
        "payment--reauthorize--payment.requested",
        "payment--track",
        "payment.authorized",
        "payment.authorized--authorization.deadline--payment.expired",
        "payment.authorized--cancel--payment.cancelled",
        "payment.authorized--capture--payment.captured",
        "payment.cancelled",
        "payment.captured",
        "payment.captured--refund--payment.partially_refunded",
        "payment.captured--refund--payment.refunded",
        "payment.expired",
        "payment.failed",
        "payment.partially_refunded",
        "payment.partially_refunded--refund--payment.partially_refunded",
        "payment.partially_refunded--refund--payment.refunded",
        "payment.refunded",
        "payment.requested",
        "payment.requested--reauthorize--payment.authorized",
        "payment.requested--reauthorize--payment.captured",
        "payment.requested--reauthorize.declined--payment.failed",
    ]


@every_case
def test_every_state_and_every_arrow_has_its_id_and_its_classes(name, language, parse):
    lifecycle = load_shipped(name)
    picture = render(lifecycle, "svg", language)
    drawn = parse(picture)
    expected = {}
    for track in lifecycle.tracks.values():
        expected[f"{track.name}--track"] = {"cluster", "track"}
        expected[track.name] = {"node", "start"}
        for state in track.states:
            classes = state_classes(lifecycle, track, state)
            expected[state_id(track.name, state)] = {"node", *classes}
    for arrow in every_arrow(lifecycle, language):
        expected[arrow.id] = {"edge", *arrow_classes(arrow)}
    assert drawn.classes == expected
    ids = re.findall(r' id="([^"]*)"', picture)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", shipped_names())
def test_ids_and_classes_are_the_same_in_both_languages(name, parse):
    lifecycle = load_shipped(name)
    english, japanese = (parse(render(lifecycle, "svg", x)) for x in ("en", "ja"))
    assert english.classes == japanese.classes


@every_case
def test_an_id_says_what_it_is(name, language, parse):
    for named, classes in parse(
        render(load_shipped(name), "svg", language)
    ).classes.items():
        shape = {
            "edge": EDGE,
            "state": STATE,
            "start": NAMES,
            "track": rf"{NAMES}--track",
        }
        (kind,) = shape.keys() & classes
        assert re.fullmatch(shape[kind], named)


def test_classes_say_what_an_arrow_comes_from(parse):
    drawn = parse(render(load_shipped("one_time"), "svg"))
    kinds = ("opening", "command", "read", "decline", "deadline")
    edges = [drawn.of(kind) for kind in kinds]
    assert sum(map(len, edges)) == len(drawn.of("edge")) == len(set().union(*edges))
    assert drawn.of("decline") == {
        "payment.requested--authorize.declined--payment.failed"
    }
    assert drawn.of("deadline") == {
        "payment.authorized--authorization.deadline--payment.expired"
    }
    assert drawn.of("loop") - drawn.of("read") == {
        "payment.requested--update_authorization--payment.requested",
        "payment.authorized--update_authorization--payment.authorized",
        "payment.partially_refunded--refund--payment.partially_refunded",
    }
    # The gateway cannot begin what only we can apply for, and a read leaves no trace.
    assert drawn.of("external-possible") == (
        drawn.of("command") | drawn.of("deadline")
    ) - {i for i in drawn.classes if "--authorize" in i}


def test_classes_say_what_a_state_is_for(parse):
    drawn = parse(render(load_shipped("recurring"), "svg"))
    assert drawn.of("initial") == {"consent.requested", "payment.requested"}
    assert drawn.of("final") == drawn.of("ended") | drawn.of("failed")
    assert drawn.of("failed") == {"consent.failed", "payment.failed", "payment.expired"}


@every_case
def test_every_node_and_edge_has_a_title_in_its_language(name, language, parse):
    drawn = parse(render(load_shipped(name), "svg", language))
    for named, lines in drawn.titles.items():
        if drawn.classes[named] & {"state", "edge"}:
            assert len(lines) > 1
            assert all(lines)
            assert (re.search(r"[ぁ-ん一-龥]", lines[0]) is not None) is (
                language == "ja"
            )


def test_titles_hold_what_is_too_long_for_a_label(parse):
    lifecycle = load_shipped("one_time")
    drawn = parse(render(lifecycle, "svg"))
    assert drawn.titles["payment.captured--refund--payment.refunded"] == [
        "refund: captured → refunded",
        "Condition: refunded = captured",
        "Amount: 1 … captured − refunded − being refunded (O4)",
        "Rule: O4",
        "The gateway may report it unasked.",
    ]
    assert drawn.titles[
        "payment.requested--update_authorization--payment.requested"
    ] == [
        "update authorization: requested → requested",
        "Amount: 1 … 10,000,000 (limit amount one-time)",
        lifecycle.guards["confirmation_page_not_the_merchants"].text.en,
        "Rule: O6, F2",
        "The gateway may report it unasked.",
    ]
    assert drawn.titles["payment.authorized"] == [
        "payment: authorized",
        "Lasts: 30 days (O6)",
        "payment.authorized",
    ]
    assert drawn.titles["payment.expired"] == [
        "payment: expired",
        "not as asked for, final",
        "payment.expired",
    ]


def test_labels_are_short(parse):
    for name, language in CASES:
        for label in parse(render(load_shipped(name), "svg", language)).labels.values():
            assert len(label) <= 28


def test_arrows_that_share_all_else_are_numbered():
    lifecycle = load_shipped("charge")
    capture = lifecycle.commands["capture"]
    twice = attrs.evolve(capture, moves=(*capture.moves, *capture.moves))
    lifecycle = attrs.evolve(
        lifecycle, commands={**lifecycle.commands, "capture": twice}
    )
    ids = [
        arrow.id for arrow in every_arrow(lifecycle, "en") if arrow.name == "capture"
    ]
    assert ids == [
        "payment.authorized--capture--payment.captured",
        "payment.authorized--capture--payment.captured--2",
    ]


def test_a_deadline_and_a_command_of_one_name_are_two():
    lifecycle = load_shipped("charge")
    deadline = attrs.evolve(lifecycle.deadlines["authorization"], name="cancel")
    lifecycle = attrs.evolve(lifecycle, deadlines={"cancel": deadline})
    ids = [arrow.id for arrow in every_arrow(lifecycle, "en") if arrow.name == "cancel"]
    assert ids == [
        "payment.authorized--cancel--payment.cancelled",
        "payment.authorized--cancel.deadline--payment.expired",
    ]


@pytest.mark.parametrize(
    ("text", "english", "japanese"),
    [
        ("refunded == captured", "refunded = captured", "返金額 = 売上額"),
        ("not with_capture", "not capture at once", "与信同時売上でない"),
        ("not\twith_capture", "not capture at once", "与信同時売上でない"),
        ("amount <= 10_000", "amount ≤ 10,000", "金額 ≤ 10,000"),
        (
            "not (with_capture or captured != 0) and 2 * amount >= -1",
            "not (capture at once or captured ≠ 0) and 2 × amount ≥ −1",
            "not (与信同時売上 または 売上額 ≠ 0) かつ 2 × 金額 ≥ −1",
        ),
        ("unheard_of < 1", "unheard_of < 1", "unheard_of < 1"),
    ],
)
def test_a_condition_is_shown_in_the_words_of_its_lifecycle(text, english, japanese):
    lifecycle = load_shipped("charge")
    expression = Expression.parse(text)
    assert condition(lifecycle, expression, "en") == english
    assert condition(lifecycle, expression, "ja") == japanese
    assert condition(lifecycle, None, "en") == ""


def test_a_condition_takes_the_first_words_of_a_long_title():
    expression = Expression.parse("not consent_only")
    shown = condition(load_shipped("recurring"), expression, "en")
    assert shown == "not consent only"


def test_guards_of_a_whole_command_are_in_its_titles_too(parse):
    lifecycle = load_shipped("recurring")
    drawn = parse(render(lifecycle, "svg"))
    guard = lifecycle.guards["nothing_to_capture"].text.en
    assert guard in drawn.titles["consent.requested--authorize--consent.consented"]
