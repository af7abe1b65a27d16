"""A history, a command, the answer: every command in every state of each lifecycle.

The tables are written from the rules O1-O6 and R1-R9 of the source. `ok` is allowed; a
letter a reason, in the order in which they are given.
"""

from datetime import timedelta

import attrs
import pytest

from kessai import Denial, Operation, load_shipped
from kessai.machine import Begun, evolve
from kessai.machine.decide import opened_tracks
from kessai.spec.expression import Expression

REASONS = {
    "X": "transaction_exists",
    "S": "state_not_allowed",
    "P": "confirmation_page_not_the_merchants",
    "B": "operation_open",
    "A": "amount_above_maximum",
}
ASKED = 700
"""What is asked for where the command takes an amount: less than the 1000 at hand."""

ONE_TIME = """
                                  | authorize update_authorization capture cancel refund get_address
                                  | ok        S                    SA      S      SA     S
authorize? 1000                   | X         P                    SBA     SB     SBA    P
authorize? 1000 merchant_page     | X         ok                   SBA     SB     SBA    ok
authorize 1000                    | X         ok                   ok      ok     SA     ok
authorize 1000, capture           | X         S                    S       S      ok     ok
authorize 1000, capture, refund 1 | X         S                    S       S      ok     ok
authorize 1000, capture, refund   | X         S                    S       S      SA     ok
authorize 1000, cancel            | X         S                    S       S      SA     S
authorize 1000, expire            | X         S                    S       S      SA     S
authorize! 1000                   | X         S                    SA      S      SA     S
"""
RECURRING = """
                                       | authorize update_authorization capture cancel refund get_address update_consent terminate
                                       | ok        S                    SA      S      SA     S           S              S
authorize? 1000                        | X         P                    SBA     SB     SBA    P           SB             SB
authorize? 1000 merchant_page          | X         ok                   SBA     SB     SBA    ok          SB             SB
authorize? 1000 consent_only           | X         S                    SBA     SB     SBA    P           SB             SB
authorize 1000                         | X         S                    ok      ok     SA     ok          ok             ok
authorize 1000, capture                | X         S                    S       S      ok     ok          ok             ok
authorize 1000, capture, refund 1      | X         S                    S       S      ok     ok          ok             ok
authorize 1000, capture, refund        | X         S                    S       S      SA     ok          ok             ok
authorize 1000, cancel                 | X         S                    S       S      SA     ok          ok             ok
authorize 1000, expire                 | X         S                    S       S      SA     ok          ok             ok
authorize! 1000                        | X         S                    SA      S      SA     S           S              S
authorize 1000 consent_only            | X         S                    SA      S      SA     ok          ok             ok
authorize 1000 consent_only, terminate | X         S                    SA      S      SA     ok          S              S
authorize 1000, terminate              | X         S                    ok      ok     SA     ok          S              S
"""
CHARGE = """
                                    | reauthorize capture cancel refund
                                    | ok          SA      S      SA
reauthorize? 1000                   | X           SBA     SB     SBA
reauthorize 1000                    | X           ok      ok     SA
reauthorize 1000, capture           | X           S       S      ok
reauthorize 1000, capture, refund 1 | X           S       S      ok
reauthorize 1000, capture, refund   | X           S       S      SA
reauthorize 1000, cancel            | X           S       S      SA
reauthorize 1000, expire            | X           S       S      SA
reauthorize! 1000                   | X           SA      S      SA
"""
TABLES = {"one_time": ONE_TIME, "recurring": RECURRING, "charge": CHARGE}


def cells():
    """One case a cell: lifecycle, history, command, expected codes."""
    for lifecycle, table in TABLES.items():
        head, *rows = table.strip("\n").splitlines()
        commands = head.split("|")[1].split()
        for row in rows:
            history, _, marks = row.partition("|")
            for command, mark in zip(commands, marks.split(), strict=True):
                yield lifecycle, history.strip(), command, mark


def ask(past, lifecycle, command, story):
    takes = past.machine.commands[command].spec.amount is not None
    more = {}
    if command == "reauthorize":
        more["under"] = story("recurring", "authorize 500 consent_only", "agreement-1")
    return past.ask(command, ASKED if takes else None, **more)


@pytest.mark.parametrize(("lifecycle", "history", "command", "mark"), list(cells()))
def test_each_command_is_allowed_where_the_source_says_and_else_denied_with_reasons(
    story, lifecycle, history, command, mark
):
    verdict = ask(story(lifecycle, history), lifecycle, command, story)
    if mark == "ok":
        assert isinstance(verdict, Operation)
    else:
        assert isinstance(verdict, Denial)
        assert verdict.codes == tuple(REASONS[letter] for letter in mark)


def test_the_tables_have_every_command_and_every_state_of_their_lifecycles(story):
    for name in TABLES:
        lifecycle = load_shipped(name)
        mine = [cell for cell in cells() if cell[0] == name]
        assert {command for _, _, command, _ in mine} == set(lifecycle.commands)
        reached = {
            f"{track}.{state}"
            for history in {history for _, history, _, _ in mine}
            for track, state in story(name, history).transaction.states.items()
        }
        assert reached == {
            f"{track.name}.{state}"
            for track in lifecycle.tracks.values()
            for state in track.states
        }


@pytest.mark.parametrize(("lifecycle", "history", "command", "mark"), list(cells()))
def test_a_denial_changes_nothing_and_says_why_in_both_languages(
    story, lifecycle, history, command, mark
):
    past = story(lifecycle, history)
    before = past.transaction
    verdict = ask(past, lifecycle, command, story)
    assert past.transaction is before
    if isinstance(verdict, Denial):
        english, japanese = verdict.sentences("en"), verdict.sentences("ja")
        assert len(english) == len(japanese) == len(verdict.reasons)
        assert str(verdict) == " ".join(english)
        assert not any("{" in sentence for sentence in (*english, *japanese))
        assert all(reason.rule for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("lifecycle", "command"),
    [
        ("one_time", "reauthorize"),
        ("one_time", "update_consent"),
        ("one_time", "terminate"),
        ("recurring", "reauthorize"),
        ("charge", "authorize"),
        ("charge", "update_authorization"),
        ("charge", "update_consent"),
        ("charge", "terminate"),
    ],
)
@pytest.mark.parametrize("history", ["", "{0} 1000"])
def test_a_command_of_another_lifecycle_is_denied_whatever_the_state(
    story, lifecycle, command, history
):
    begins = "reauthorize" if lifecycle == "charge" else "authorize"
    past = story(lifecycle, history.format(begins))
    assert past.codes(command) == "not_in_lifecycle"
    assert past.ask(command).bounds is None


def test_what_is_allowed_is_an_operation_named_by_its_place_in_the_trail(story, now):
    past = story("one_time", "authorize 1000")
    operation = past.ask("capture", 600, key="pay-1")
    assert isinstance(operation, Operation)
    assert (operation.id, operation.key) == ("order-1.3", "pay-1")
    assert (operation.command, operation.amount) == ("capture", 600)
    assert operation.begun_at == now
    assert operation.phase == "begun"
    assert operation.request == past.command("capture", 600).fingerprint


def test_an_authorization_with_capture_is_captured_at_once(story):
    past = story("one_time", "authorize 1000 with_capture")
    assert past.status == "payment.captured"
    assert past.amounts("authorizing", "authorized", "captured") == (0, 1000, 1000)


def test_a_partial_capture_cannot_be_repeated_and_releases_the_rest(story):
    past = story("one_time", "authorize 1000, capture 600")
    assert past.amounts("captured", "released", "capturing") == (600, 400, 0)
    assert past.codes("capture", 1) == "state_not_allowed"
    assert past.ask("refund").amount == 600


@pytest.mark.parametrize(
    ("history", "states", "amounts"),
    [
        ("authorize 9", "consent.consented payment.authorized", (9, 9, 0)),
        ("authorize 9 with_capture", "consent.consented payment.captured", (9, 9, 9)),
        ("authorize 9 consent_only", "consent.consented", (9, 0, 0)),
    ],
)
def test_a_recurring_opening_gives_a_consent_and_a_payment_unless_it_is_alone(
    story, history, states, amounts
):
    past = story("recurring", history)
    assert past.status == states
    assert past.amounts("agreed", "authorized", "captured") == amounts


def test_a_consent_alone_opens_no_payment_track_not_even_when_it_is_declined(story):
    past = story("recurring", "authorize? 900 consent_only")
    assert past.transaction.states == {"consent": "requested"}
    begun = past.events[0]
    assert isinstance(begun, Begun)
    assert begun.opens == ("consent",)
    assert story("recurring", "authorize! 900 consent_only").status == "consent.failed"


@pytest.mark.parametrize(
    ("amount", "opened"), [(0, ("consent",)), (1, ("consent", "payment"))]
)
def test_a_track_may_be_opened_by_the_amount_that_is_asked_for(story, amount, opened):
    """As a lifecycle might do in which a consent for nothing opens no payment."""
    past = story("recurring", "authorize? 900")
    authorize = past.machine.commands["authorize"]
    consent, payment = authorize.spec.opens
    payment = attrs.evolve(payment, when=Expression.parse("amount > 0"))
    spec = attrs.evolve(authorize.spec, opens=(consent, payment))
    rule = attrs.evolve(authorize, spec=spec)
    machine = attrs.evolve(past.machine, commands={"authorize": rule})
    operation = attrs.evolve(past.events[0].operation, amount=amount)
    assert opened_tracks(machine, operation) == opened


def test_a_consent_alone_captures_nothing_at_once(story):
    codes = story("recurring").codes(
        "authorize", 900, consent_only=True, with_capture=True
    )
    assert codes == "nothing_to_capture"


@pytest.mark.parametrize("history", ["terminate", "capture, refund, terminate"])
def test_the_end_of_a_consent_leaves_the_payment_alone_and_the_reverse(story, history):
    past = story("recurring", f"authorize 900, {history}")
    payment = "refunded" if "refund" in history else "authorized"
    assert past.status == f"consent.terminated payment.{payment}"
    still = story("recurring", "authorize 900, capture, refund")
    assert still.status == "consent.consented payment.refunded"


@pytest.mark.parametrize("lifecycle", ["one_time", "recurring", "charge"])
def test_a_declined_operation_returns_to_where_it_came_from(story, lifecycle):
    begins = "reauthorize" if lifecycle == "charge" else "authorize"
    past = story(lifecycle, f"{begins} 900, capture! 600")
    assert "payment.authorized" in past.status
    assert past.amounts("capturing", "captured", "released") == (0, 0, 0)
    past.tell("capture 600")
    past.tell("refund! 600")
    assert "payment.captured" in past.status
    assert past.amounts("refunding", "refunded") == (0, 0)


def test_a_command_may_name_the_lifecycle_but_not_another_one(story):
    past = story("one_time", "authorize 1000")
    assert past.codes("capture", lifecycle="one_time") == "ok"
    assert past.codes("capture", lifecycle="charge") == "lifecycle_differs"
    assert story("one_time").codes("authorize", 1, lifecycle="charge") == (
        "lifecycle_differs"
    )


@pytest.mark.parametrize(
    ("history", "status"),
    [
        ("refund 1", "payment.partially_refunded"),
        ("refund 999", "payment.partially_refunded"),
        ("refund 999, refund 1", "payment.refunded"),
        ("refund 1000", "payment.refunded"),
    ],
)
def test_the_state_after_refunds_follows_from_the_amounts(story, history, status):
    """Hyperswitch #8953: fully captured was shown as partially captured."""
    assert story("one_time", f"authorize 1000, capture, {history}").status == status


def test_begun_events_on_a_foreign_machine_are_noted_and_nothing_else(story):
    past = story("one_time", "authorize 1000")
    stranger = evolve(
        story("charge").machine,
        story("charge").transaction,
        past.events[0],
    )
    assert (stranger.version, stranger.states, stranger.operations) == (1, {}, {})


def test_time_alone_changes_no_state(story):
    past = story("one_time", "authorize? 1000")
    past.now += timedelta(days=10_000)
    assert past.status == "payment.requested"
    assert past.codes("authorize", 1) == "transaction_exists"
