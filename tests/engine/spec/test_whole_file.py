"""One of everything that a file may say, and the objects that come of it."""

import hashlib
from pathlib import Path

import attrs
import msgspec
import pytest

from kessai.money import Currency
from kessai.spec import (
    Agreement,
    AmountEffect,
    AmountRange,
    CommandSpec,
    Deadline,
    Expression,
    FlagParameter,
    FrequencyParameter,
    Guard,
    Identifier,
    Invariant,
    Lifecycle,
    Move,
    Opening,
    Text,
    TextParameter,
    Track,
    load_file,
    rebuild,
)

WHOLE = Path(__file__).parent / "data" / "whole.toml"
DAY = 24 * 60 * 60


def when(text: str) -> Expression:
    return Expression.parse(text)


def effects(*texts: str) -> tuple[AmountEffect, ...]:
    return tuple(map(AmountEffect.parse, texts))


TRACKS = {
    "payment": Track(
        name="payment",
        title=Text("payment", "支払"),
        initial="requested",
        declined="failed",
        final=frozenset({"paid", "failed"}),
        states={
            "requested": Text("requested", "申込中"),
            "held": Text("held", "保留"),
            "paid": Text("paid", "支払済"),
            "failed": Text("failed", "失敗"),
        },
    ),
    "parcel": Track(
        name="parcel",
        title=Text("parcel", "荷物"),
        initial="ordered",
        declined="ordered",
        final=frozenset({"ordered"}),
        states={"ordered": Text("ordered", "注文済")},
    ),
}
PARAMETERS = {
    "gift": FlagParameter(
        name="gift", title=Text("gift", "贈り物"), rule="P1", needs="note"
    ),
    "note": TextParameter(
        name="note",
        title=Text("note", "備考"),
        rule="P2",
        limits={"characters": 1, "bytes": 3},
    ),
    "often": FrequencyParameter(
        name="often",
        title=Text("how often", "頻度"),
        rule="P3",
        limits={"Year": 1, "Month": 12, "Week": 52, "Day": 365},
    ),
}
GUARDS = {
    "small": Guard(
        code="small",
        holds=when("amount + held < 100"),
        rule="G1",
        text=Text("{amount} is too much.", "{amount} は多すぎます。"),
    ),
    "kind": Guard(
        code="kind",
        holds=when("gift"),
        rule="G2",
        text=Text("Only gifts in {transaction}.", "{transaction} は贈り物のみ。"),
    ),
}
ORDER = CommandSpec(
    name="order",
    title=Text("order", "注文"),
    rule="C1",
    moves=(
        Move(
            track="payment",
            sources=("requested",),
            target="held",
            rule="C1b",
            when=when("not gift"),
        ),
        Move(
            track="payment",
            sources=("requested",),
            target="paid",
            rule="C1c",
            when=when("gift"),
            commit=effects("paid += amount"),
        ),
    ),
    opens=(Opening(track="payment"), Opening(track="parcel", when=when("gift"))),
    amount={
        "JPY": AmountRange(
            minimum=when("1"), maximum=when("100"), default=None, rule="C1a"
        )
    },
    required=("note",),
    optional=("gift", "often"),
    guards=("small",),
    agreement=Agreement(
        lifecycle="other",
        track="consent",
        state="given",
        unless_open=("leave",),
        rule="C1d",
    ),
    commit=effects("held += amount"),
    reports=when("amount"),
)
PAY = CommandSpec(
    name="pay",
    title=Text("pay", "支払う"),
    rule="C2",
    moves=(
        Move(
            track="payment",
            sources=("held", "requested"),
            target="paid",
            rule="C2b",
            when=when("paid == held"),
        ),
        Move(
            track="payment",
            sources=("held", "requested"),
            target=None,
            rule="C2c",
            when=when("paid != held"),
            guards=("kind",),
        ),
    ),
    amount={
        "JPY": AmountRange(
            minimum=when("1"),
            maximum=when("held - paid"),
            default=when("held"),
            rule="C2a",
        )
    },
    alongside=frozenset({"pay", "look"}),
    reserve=effects("paying += amount"),
    commit=effects("paying -= amount", "paid += amount"),
    release=effects("paying -= amount"),
    reports=when("amount + paid"),
)
LOOK = CommandSpec(
    name="look",
    title=Text("look", "照会"),
    rule="C3",
    moves=(Move(track="payment", sources=("paid",), target=None, rule="C3a"),),
    reads=True,
)
LIFECYCLE = Lifecycle(
    name="whole",
    title=Text("whole", "全部"),
    source="the book",
    currencies={"JPY": Currency("JPY", 0)},
    identifier=Identifier(characters="A-Z0-9_-", max_characters=1, rule="T1"),
    tracks=TRACKS,
    amounts={
        "held": Text("held", "保留額"),
        "paid": Text("paid", "支払額"),
        "paying": Text("paying", "支払中の額"),
    },
    parameters=PARAMETERS,
    guards=GUARDS,
    commands={"order": ORDER, "pay": PAY, "look": LOOK},
    deadlines={
        "lapse": Deadline(
            name="lapse",
            track="payment",
            state="held",
            target="failed",
            seconds=30 * DAY,
            starts=frozenset({"order", "pay"}),
            denies=frozenset({"pay"}),
            code="lapsed",
            rule="D1",
            text=Text("Over since {deadline}.", "{deadline} に終了。"),
            commit=effects("held = 0"),
        )
    },
    invariants={
        "within": Invariant(
            name="within", holds=when("paid + paying <= held"), rule="I1"
        )
    },
)


def test_every_declaration_of_a_file_is_read_as_it_stands() -> None:
    read = load_file(WHOLE)
    assert attrs.evolve(read, hash="", document=b"") == LIFECYCLE
    assert list(read.commands) == ["order", "pay", "look"]
    assert list(read.tracks["payment"].states) == [
        "requested",
        "held",
        "paid",
        "failed",
    ]


def test_the_document_is_what_was_said_and_the_hash_is_of_the_document() -> None:
    read = load_file(WHOLE)
    said = msgspec.json.decode(read.document)
    assert list(said) == sorted(said)
    assert said["lifecycle"]["name"] == "whole"
    assert said["deadlines"]["lapse"]["lasts"] == "30 days"
    assert "include" not in said
    assert read.hash == hashlib.sha256(read.document).hexdigest()
    assert rebuild(read.document) == read


@pytest.mark.parametrize(
    ("lasts", "seconds"),
    [
        ("1 seconds", 1),
        ("2 minutes", 120),
        ("3 hours", 3 * 3600),
        ("90 days", 90 * DAY),
        ("999999 days", 999_999 * DAY),
    ],
)
def test_a_deadline_is_said_in_the_unit_that_suits_it(
    tmp_path: Path, lasts: str, seconds: int
) -> None:
    for name in ("whole.toml", "whole_rules.toml"):
        text = (WHOLE.parent / name).read_text()
        (tmp_path / name).write_text(text.replace("30 days", lasts))
    assert load_file(tmp_path / "whole.toml").deadlines["lapse"].seconds == seconds
