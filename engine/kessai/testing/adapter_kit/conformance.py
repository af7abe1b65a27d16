"""What every adapter promises, a sentence a test: the list that the kit checks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kessai.gateway import AnyAdapter
from kessai.testing.adapter_kit import (
    commands,
    exchanges,
    inquiries,
    keys,
    malformed,
    notifications,
    outcomes,
    purity,
    records,
    redaction,
)
from kessai.testing.adapter_kit.kit import Kit, found_by
from kessai.testing.adapter_kit.samples import AdapterSamples
from kessai.testing.adapter_kit.stories import ConformanceFinding, shown_together


class NotConforming(AssertionError):
    """An adapter breaks the contract; the text has the finding, the words, and a test."""


class AdapterConformance:
    """Subclass it as `Test…`, give `make_adapter` and `make_samples`, and run pytest."""

    def make_adapter(self) -> AnyAdapter:
        """The adapter, with credentials that are made up."""
        raise NotImplementedError

    def make_samples(self) -> AdapterSamples:
        """What is on record of it."""
        raise NotImplementedError

    @pytest.fixture
    def kit(self, request: pytest.FixtureRequest) -> Kit:
        """The adapter and its samples, as the checks ask them."""
        recording = bool(request.config.getoption("--kessai-record", default=False))
        return Kit(self.make_adapter(), self.make_samples(), recording=recording)

    # Purity

    def test_the_same_call_gives_the_same_bytes(self, kit: Kit) -> None:
        """Asked twice, with an equal call."""
        _hold(kit, purity.same_bytes)

    def test_it_does_nothing_but_turn_values_into_values(self, kit: Kit) -> None:
        """No file, connection, clock, random number, thread or environment."""
        _hold(kit, purity.nothing_but_bytes)

    def test_it_keeps_nothing_between_calls(self, kit: Kit) -> None:
        """Neither in the adapter nor in its modules."""
        _hold(kit, purity.nothing_is_kept)

    def test_it_changes_nothing_that_it_is_given(self, kit: Kit) -> None:
        """The parameters of a call are read again when it is sent again."""
        _hold(kit, purity.nothing_given_is_changed)

    def test_the_order_of_questions_changes_no_answer(self, kit: Kit) -> None:
        """All samples, forwards and backwards."""
        _hold(kit, purity.any_order)

    def test_every_process_gives_the_same_answers(self, kit: Kit) -> None:
        """With another hash seed, time zone, locale and working directory."""
        _hold(kit, purity.any_process)

    # Recorded bytes

    def test_recorded_calls_become_the_recorded_bytes(self, kit: Kit) -> None:
        """Byte for byte."""
        _hold(kit, records.requests)

    def test_recorded_replies_are_the_evidence_of_their_samples(self, kit: Kit) -> None:
        """In every field."""
        _hold(kit, records.replies)

    def test_every_command_is_on_record(self, kit: Kit) -> None:
        """With a request and a reply, and so is an inquiry."""
        _hold(kit, records.every_command)

    # Redaction

    def test_its_secrets_are_named_so_that_they_can_be_looked_for(
        self, kit: Kit
    ) -> None:
        """Or all of the following would pass for nothing."""
        _hold(kit, redaction.secrets_are_named)

    def test_no_repr_shows_a_secret(self, kit: Kit) -> None:
        """Of the adapter, or of what it asks."""
        _hold(kit, redaction.in_no_repr)

    def test_no_evidence_holds_a_secret_or_personal_data(self, kit: Kit) -> None:
        """It goes into the trail, for years."""
        _hold(kit, redaction.in_no_evidence)

    def test_no_text_for_people_gets_into_evidence(self, kit: Kit) -> None:
        """Whichever member of a reply it stands in."""
        _hold(kit, redaction.free_text_is_dropped)

    def test_a_refusal_names_a_parameter_and_not_its_value(self, kit: Kit) -> None:
        """Errors are logged."""
        _hold(kit, redaction.in_no_error)

    def test_the_refusal_of_a_notification_shows_nothing_of_it(self, kit: Kit) -> None:
        """Refusals are logged too."""
        _hold(kit, redaction.in_no_refused_notification)

    def test_a_wrong_setting_is_named_and_not_shown(self, kit: Kit) -> None:
        """Each variable of the environment, missing and wrong."""
        _hold(kit, redaction.in_no_setting)

    def test_what_is_logged_is_masked(self, kit: Kit) -> None:
        """What the adapter logs itself, and the form that its package has for logs."""
        _hold(kit, redaction.in_no_log)

    # Keys

    def test_a_resend_is_the_same_request(self, kit: Kit) -> None:
        """Same operation, same key."""
        _hold(kit, keys.resend)

    def test_another_operation_is_another_request(self, kit: Kit) -> None:
        """Two refunds of the same amount are two."""
        _hold(kit, keys.another_operation)

    def test_all_of_a_call_is_sent(self, kit: Kit) -> None:
        """Its transaction, its amount, its currency."""
        _hold(kit, keys.what_is_asked_is_sent)

    def test_a_strange_id_or_text_stays_in_its_place(self, kit: Kit) -> None:
        """In the address, and in the headers."""
        _hold(kit, keys.one_message)

    # Exchanges of several requests, and the seal of each

    def test_a_recorded_exchange_goes_as_it_went(self, kit: Kit) -> None:
        """Each of its requests, and its evidence."""
        _hold(kit, exchanges.recorded)

    def test_an_exchange_that_is_replayed_is_the_same(self, kit: Kit) -> None:
        """Two of them, a step of the one and a step of the other."""
        _hold(kit, exchanges.replayed)

    def test_every_request_of_an_exchange_has_a_key_of_its_own(self, kit: Kit) -> None:
        """Of its operation and its step."""
        _hold(kit, exchanges.keys)

    def test_an_exchange_that_breaks_off_is_unknown(self, kit: Kit) -> None:
        """After any reply but the last."""
        _hold(kit, exchanges.broken_off)

    def test_the_same_moment_and_nonce_seal_to_the_same_bytes(self, kit: Kit) -> None:
        """And nothing else is looked at."""
        _hold(kit, exchanges.sealed)

    def test_what_a_notification_mentions_is_reported_elsewhere(self, kit: Kit) -> None:
        """As a reference, or nothing would be found by it."""
        _hold(kit, exchanges.mentions)

    # Outcomes

    def test_every_outcome_is_reached(self, kit: Kit) -> None:
        """Succeeded, declined, pending, unknown."""
        _hold(kit, outcomes.every_outcome)

    def test_a_reply_is_evidence_of_the_call_it_answers(self, kit: Kit) -> None:
        """Source, transaction, command."""
        _hold(kit, outcomes.about_what_was_asked)

    def test_a_success_under_a_server_error_is_unknown(self, kit: Kit) -> None:
        """And so is a decline, or either under a redirection."""
        _hold(kit, malformed.another_status)

    def test_a_reply_that_is_cut_off_is_unknown(self, kit: Kit) -> None:
        """Wherever it is cut."""
        _hold(kit, malformed.cut_off)

    def test_a_page_or_nothing_or_nonsense_is_unknown(self, kit: Kit) -> None:
        """Whatever its status, and however long."""
        _hold(kit, malformed.something_else)

    def test_the_reply_to_another_transaction_is_unknown(self, kit: Kit) -> None:
        """Where it names its transaction."""
        _hold(kit, malformed.another_transaction)

    def test_a_verdict_that_is_there_twice_is_unknown(self, kit: Kit) -> None:
        """Two readers may take different ones."""
        _hold(kit, malformed.two_of_a_member)

    def test_no_bytes_whatever_raise_or_are_believed(self, kit: Kit) -> None:
        """Made up by Hypothesis."""
        _hold(kit, malformed.any_bytes)

    def test_nothing_like_a_reply_raises(self, kit: Kit) -> None:
        """Recorded replies, changed by Hypothesis in one place."""
        _hold(kit, malformed.anything_like_a_reply)

    # Notifications

    def test_the_ways_of_notifications_are_on_record(self, kit: Kit) -> None:
        """One that is heard, one of several items, and how they are signed."""
        _hold(kit, notifications.on_record)

    def test_recorded_notifications_are_the_evidence_of_their_samples(
        self, kit: Kit
    ) -> None:
        """Every item of them."""
        _hold(kit, notifications.recorded)

    def test_header_names_count_in_any_case(self, kit: Kit) -> None:
        """Servers hand them on in lower case."""
        _hold(kit, notifications.names_in_any_case)

    def test_a_notification_with_a_flipped_bit_is_refused(self, kit: Kit) -> None:
        """Of its body, or of its signature."""
        _hold(kit, notifications.any_bit)

    def test_a_notification_without_its_own_signature_is_refused(
        self, kit: Kit
    ) -> None:
        """None, an empty one, or another body's."""
        _hold(kit, notifications.forged)

    def test_signatures_are_compared_in_constant_time(self, kit: Kit) -> None:
        """By hmac.compare_digest."""
        _hold(kit, notifications.constant_time)

    def test_any_notification_whatever_is_read_or_refused(self, kit: Kit) -> None:
        """Made up by Hypothesis, signed and unsigned."""
        _hold(kit, notifications.any_body)

    def test_an_adapter_without_notifications_refuses_them(self, kit: Kit) -> None:
        """Where none is on record."""
        _hold(kit, notifications.from_nobody)

    # Inquiries

    def test_an_inquiry_lists_what_happened(self, kit: Kit) -> None:
        """One that lists several exchanges is on record."""
        _hold(kit, inquiries.lists)

    def test_an_inquiry_states_that_a_transaction_is_not_known(self, kit: Kit) -> None:
        """One is on record."""
        _hold(kit, inquiries.not_known)

    def test_not_known_is_never_concluded_from_what_is_missing(self, kit: Kit) -> None:
        """The reply to a command is no list."""
        _hold(kit, inquiries.replies_are_no_lists)

    # Time-outs

    def test_a_call_that_broke_off_is_unknown(self, kit: Kit) -> None:
        """By a time-out, a reset, or whatever else happens after sending."""
        _hold(kit, outcomes.broken_off)

    def test_a_call_that_never_left_is_marked_so(self, kit: Kit) -> None:
        """No connection was made."""
        _hold(kit, outcomes.never_left)

    # Commands

    def test_every_command_is_carried_or_refused(self, kit: Kit) -> None:
        """Of every lifecycle that the adapter is for."""
        _hold(kit, commands.carried_or_refused)

    def test_a_command_that_does_not_exist_is_refused(self, kit: Kit) -> None:
        """And not sent as another."""
        _hold(kit, commands.never_heard_of)

    def test_it_has_a_name(self, kit: Kit) -> None:
        """The trail keeps it."""
        _hold(kit, commands.name)


def _hold(kit: Kit, check: Callable[[Kit], Iterator[ConformanceFinding]]) -> None:
    __tracebackhide__ = True
    findings = list(found_by(check, kit))
    if findings:
        raise NotConforming(shown_together(findings, kit.samples.secrets))


def names_of_tests() -> list[str]:
    """The kit's tests, in their order."""
    return [name for name in vars(AdapterConformance) if name.startswith("test_")]


def run_test(name: str, kit: Kit) -> None:
    """Run one of the kit's tests.

    Raises:
        NotConforming: the adapter breaks it.

    """
    test: Any = getattr(AdapterConformance(), name)
    test(kit)


def check_adapter(adapter: AnyAdapter, samples: AdapterSamples) -> None:
    """Hold `adapter` against the whole contract, from `samples` of its bytes.

    Raises:
        NotConforming: it breaks it; the text lists everything that was found.

    """
    kit = Kit(adapter, samples)
    broken: list[str] = []
    for name in names_of_tests():
        try:
            run_test(name, kit)
        except NotConforming as found:
            broken.append(f"{sentence(name)}\n\n{found}")
    if broken:
        raise NotConforming("\n\n".join(["", *broken]))


def sentence(name: str) -> str:
    """A test's name as the sentence that it is."""
    return name.removeprefix("test_").replace("_", " ").capitalize()
