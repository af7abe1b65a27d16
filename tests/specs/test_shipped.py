"""The shipped lifecycles say what the source says, rule by rule and limit by limit.

The tables below are written from the source, "VeriTrans4G development guide, payment
sequence diagrams, Amazon Pay", and from the limits of the vendor's client library, not
from the lifecycle files.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import kessai_specs
from kessai.spec import Lifecycle, Text, load_shipped

assert kessai_specs.__file__ is not None
FILES = sorted(Path(kessai_specs.__file__).parent.rglob("*.toml"))
DAY = 24 * 60 * 60

# Who may be asked for what, where; the target after the arrow, `·` where it stays.
ONE_TIME = """
payment.requested           authorize             → payment.authorized     O1
payment.requested           authorize             → payment.captured       O1
payment.requested           get_address           ·                        O5, F2
payment.requested           update_authorization  → payment.requested      O6, F2
payment.authorized          capture               → payment.captured       O2
payment.authorized          cancel                → payment.cancelled      O3
payment.authorized          get_address           ·                        O5
payment.authorized          update_authorization  → payment.authorized     O6
payment.captured            refund                → payment.partially_refunded  O4
payment.captured            refund                → payment.refunded       O4
payment.captured            get_address           ·                        O5
payment.partially_refunded  refund                → payment.partially_refunded  O4
payment.partially_refunded  refund                → payment.refunded       O4
payment.partially_refunded  get_address           ·                        O5
payment.refunded            get_address           ·                        O5
"""
RECURRING = """
consent.requested           authorize             → consent.consented      R1, R2
consent.requested           get_address           ·                        O5, F2
consent.consented           get_address           ·                        R6
consent.consented           update_consent        → consent.consented      R9
consent.consented           terminate             → consent.terminated     R8
consent.terminated          get_address           ·                        R6
payment.requested           authorize             → payment.authorized     R1
payment.requested           authorize             → payment.captured       R1
payment.requested           update_authorization  → payment.requested      O6, F2
payment.authorized          capture               → payment.captured       O2
payment.authorized          cancel                → payment.cancelled      O3
payment.captured            refund                → payment.partially_refunded  O4
payment.captured            refund                → payment.refunded       O4
payment.partially_refunded  refund                → payment.partially_refunded  O4
payment.partially_refunded  refund                → payment.refunded       O4
"""
# The source has capture, cancel and refund act on the new id (R7), and nothing else.
CHARGE = """
payment.requested           reauthorize           → payment.authorized     R7
payment.requested           reauthorize           → payment.captured       R7
payment.authorized          capture               → payment.captured       O2
payment.authorized          cancel                → payment.cancelled      O3
payment.captured            refund                → payment.partially_refunded  O4
payment.captured            refund                → payment.refunded       O4
payment.partially_refunded  refund                → payment.partially_refunded  O4
payment.partially_refunded  refund                → payment.refunded       O4
"""


def rows(table: str) -> list[tuple[str, ...]]:
    lines = table.replace("→ ", "→").strip().splitlines()
    return sorted(tuple(re.split(r"\s+", line, maxsplit=3)) for line in lines)


def declared(lifecycle: Lifecycle) -> list[tuple[str, ...]]:
    return sorted(
        (
            f"{move.track}.{source}",
            command.name,
            "·" if move.target is None else f"→{move.track}.{move.target}",
            move.rule,
        )
        for command, move, source in lifecycle.moves()
    )


@pytest.mark.parametrize(
    ("name", "table"),
    [("one_time", ONE_TIME), ("recurring", RECURRING), ("charge", CHARGE)],
)
def test_each_command_starts_and_leads_where_the_source_says(
    name: str, table: str
) -> None:
    assert declared(load_shipped(name)) == rows(table)


def parts(value: Any) -> Iterator[Any]:
    """A declaration and all that is declared in it, at any depth."""
    yield value
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, tuple):
        inner = list(value)
    elif attrs.has(type(value)):
        inner = [getattr(value, field.name) for field in attrs.fields(type(value))]
    else:
        inner = []
    for one in inner:
        yield from parts(one)


RULES = {
    "one_time": "O1 O2 O3 O4 O5 O6 F1 F2 F3 F4 F5 F6 F10",
    "recurring": "R1 R2 R3 R4 R5 R6 R8 R9 F1 F2 F3 F4 F5 F6 F8 F9",
    "charge": "R3 R4 R5 R7 R8 F3 F4 F5 F7",
}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_of_the_source_is_named_by_a_declaration(name: str) -> None:
    rules = (getattr(part, "rule", "") for part in parts(load_shipped(name)))
    named = {rule for listed in rules for rule in listed.split(", ")}
    assert named >= set(RULES[name].split())


def test_the_rules_cover_the_whole_source() -> None:
    named = set(" ".join(RULES.values()).split())
    assert named == {
        *(f"O{number}" for number in range(1, 7)),
        *(f"R{number}" for number in range(1, 10)),
        *(f"F{number}" for number in range(1, 11)),
    }


@pytest.mark.parametrize(
    ("name", "command", "most", "default"),
    [
        ("one_time", "authorize", 10_000_000, None),
        ("one_time", "update_authorization", 10_000_000, None),
        ("recurring", "authorize", 100_000, None),
        ("recurring", "update_authorization", 100_000, None),
        ("recurring", "update_consent", 100_000, None),
        ("charge", "reauthorize", 100_000, None),
        ("one_time", "capture", 7_000, 7_000),
        ("recurring", "capture", 7_000, 7_000),
        ("charge", "capture", 7_000, 7_000),
        ("one_time", "refund", 650, 650),
        ("recurring", "refund", 650, 650),
        ("charge", "refund", 650, 650),
    ],
)
def test_amounts_lie_within_the_limits_of_the_source(
    name: str, command: str, most: int, default: int | None
) -> None:
    history = {"authorized": 7_000, "captured": 1_000, "refunded": 300, "refunding": 50}
    lifecycle = load_shipped(name)
    names = {**dict.fromkeys(lifecycle.amounts, 0), **history}
    amount = lifecycle.commands[command].amount["JPY"]
    assert amount is not None
    assert amount.minimum.evaluate(names) == 1
    assert amount.maximum.evaluate(names) == most
    assert (amount.default and amount.default.evaluate(names)) == default


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_only_a_whole_authorization_can_be_cancelled(name: str) -> None:
    cancel = load_shipped(name).commands["cancel"]
    assert cancel.amount is None
    assert [str(effect) for effect in cancel.commit] == ["released += authorized"]


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_a_partial_capture_releases_the_rest_of_the_authorization(name: str) -> None:
    lifecycle = load_shipped(name)
    names = {**dict.fromkeys(lifecycle.amounts, 0), "amount": 60, "authorized": 100}
    capture = lifecycle.commands["capture"]
    for effect in (*capture.reserve, *capture.commit):
        names[effect.target] = effect.value.evaluate(names)
    assert (names["captured"], names["released"], names["capturing"]) == (60, 40, 0)


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_refunds_may_overlap_and_all_other_changes_are_exclusive(name: str) -> None:
    commands = load_shipped(name).commands.values()
    overlapping = {c.name: set(c.alongside) for c in commands if c.alongside}
    expected = {"refund": {"refund"}}
    if name != "charge":
        # The consumer is still on the merchant's page: the opening command is open.
        expected["update_authorization"] = {"authorize"}
    assert overlapping == expected


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_only_get_address_reads(name: str) -> None:
    commands = load_shipped(name).commands.values()
    reads = {c.name for c in commands if c.reads}
    assert reads == (set() if name == "charge" else {"get_address"})


@pytest.mark.parametrize(
    ("name", "starts", "denies"),
    [
        (
            "one_time",
            {"authorize", "update_authorization"},
            {"capture", "update_authorization"},
        ),
        ("recurring", {"authorize"}, {"capture"}),
        ("charge", {"reauthorize"}, {"capture"}),
    ],
)
def test_an_authorization_lasts_30_days_from_its_last_taking(
    name: str, starts: set[str], denies: set[str]
) -> None:
    (deadline,) = load_shipped(name).deadlines.values()
    assert deadline.seconds == 30 * DAY
    assert (deadline.track, deadline.state) == ("payment", "authorized")
    assert (deadline.target, deadline.code) == ("expired", "authorization_expired")
    assert set(deadline.starts) == starts
    assert set(deadline.denies) == denies


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_an_order_id_has_1_to_100_of_the_allowed_characters(name: str) -> None:
    identifier = load_shipped(name).identifier
    assert identifier.max_characters == 100
    allowed = re.compile(f"[{identifier.characters}]")
    ascii_ = "".join(map(chr, range(128)))
    assert "".join(allowed.findall(ascii_)) == (
        "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    )
    assert not allowed.findall("é１ｱ一")


def test_a_frequency_is_required_for_recurring_and_refused_for_one_time() -> None:
    recurring = load_shipped("recurring")
    assert recurring.commands["authorize"].required == ("frequency",)
    assert recurring.commands["update_consent"].required == ("frequency",)
    assert recurring.parameters["frequency"].limits == {
        "Year": 1,
        "Month": 12,
        "Week": 52,
        "Day": 365,
    }
    assert "frequency" not in load_shipped("one_time").parameters


@pytest.mark.parametrize(
    ("parameter", "only"),
    [
        ("consent_only", "recurring"),
        ("frequency", "recurring"),
        ("extend_expiration", "one_time"),
    ],
)
def test_a_parameter_of_one_kind_of_payment_is_refused_by_the_others(
    parameter: str, only: str
) -> None:
    takers = {
        name
        for name in RULES
        for command in load_shipped(name).commands.values()
        if parameter in (*command.required, *command.optional)
    }
    assert takers == {only}


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_texts_and_addresses_have_their_limits(name: str) -> None:
    parameters = load_shipped(name).parameters
    assert parameters["note"].limits == {"characters": 255}
    addresses = [p.limits for key, p in parameters.items() if "url" in key]
    assert all(limits == {"bytes": 256} for limits in addresses)
    # The opening command by the consumer has its pages, too.
    assert len(addresses) == (3 if name == "charge" else 7)


@pytest.mark.parametrize("name", ["one_time", "recurring"])
def test_the_merchants_page_needs_its_address_and_guards_the_early_commands(
    name: str,
) -> None:
    lifecycle = load_shipped(name)
    assert lifecycle.parameters["merchant_page"].needs == "merchant_page_url"
    early = {
        command.name: move.guards
        for command, move, source in lifecycle.moves()
        if source == "requested" and not command.is_opening
    }
    guard = ("confirmation_page_not_the_merchants",)
    assert early == {"get_address": guard, "update_authorization": guard}


def test_a_consent_alone_opens_no_payment_and_captures_nothing() -> None:
    authorize = load_shipped("recurring").commands["authorize"]
    opened = {o.track: o.when and o.when.text for o in authorize.opens}
    assert opened == {"consent": None, "payment": "not consent_only"}
    assert authorize.guards == ("nothing_to_capture",)


def test_a_charge_needs_a_consent_that_nobody_is_terminating() -> None:
    agreement = load_shipped("charge").commands["reauthorize"].agreement
    assert agreement is not None
    recurring = load_shipped(agreement.lifecycle)
    assert (agreement.track, agreement.state) == ("consent", "consented")
    assert agreement.state in recurring.tracks[agreement.track].states
    assert agreement.unless_open == ("terminate",)
    assert set(agreement.unless_open) <= recurring.commands.keys()


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_what_moves_never_exceeds_what_it_comes_from_and_the_rest_is_released(
    name: str,
) -> None:
    invariants = {i.rule: i.holds.text for i in load_shipped(name).invariants.values()}
    assert invariants == {
        "O2": "captured + capturing + released <= authorized",
        "O2, O3, O6": "captured + released == 0 or captured + released == authorized",
        "O4": "refunded + refunding <= captured",
    }


@pytest.mark.parametrize("name", ["one_time", "recurring", "charge"])
def test_every_text_is_there_in_english_and_in_japanese(name: str) -> None:
    found = [part for part in parts(load_shipped(name)) if isinstance(part, Text)]
    assert len(found) > 25
    for text in found:
        assert text.en.isascii()
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", text.ja), text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_fits_on_one_screen(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 160
