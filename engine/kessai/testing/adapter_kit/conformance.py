"""What every adapter promises, a sentence each: the list that the kit checks."""

from collections.abc import Callable, Mapping

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
from kessai.testing.adapter_kit.kit import Check, Kit, found_by
from kessai.testing.adapter_kit.samples import AdapterSamples
from kessai.testing.adapter_kit.stories import shown_together

PROMISES: Mapping[str, Check] = {
    # Purity
    "the_same_call_gives_the_same_bytes": purity.same_bytes,
    "it_does_nothing_but_turn_values_into_values": purity.nothing_but_bytes,
    "it_keeps_nothing_between_calls": purity.nothing_is_kept,
    "it_changes_nothing_that_it_is_given": purity.nothing_given_is_changed,
    "the_order_of_questions_changes_no_answer": purity.any_order,
    "every_process_gives_the_same_answers": purity.any_process,
    # Recorded bytes
    "recorded_calls_become_the_recorded_bytes": records.requests,
    "recorded_replies_are_the_evidence_of_their_samples": records.replies,
    "every_command_is_on_record": records.every_command,
    # Redaction
    "its_secrets_are_named_so_that_they_can_be_looked_for": redaction.secrets_are_named,
    "no_repr_shows_a_secret": redaction.in_no_repr,
    "no_evidence_holds_a_secret_or_personal_data": redaction.in_no_evidence,
    "no_text_for_people_gets_into_evidence": redaction.free_text_is_dropped,
    "a_refusal_names_a_parameter_and_not_its_value": redaction.in_no_error,
    "the_refusal_of_a_notification_shows_nothing_of_it": redaction.in_no_refused_notification,
    "a_wrong_setting_is_named_and_not_shown": redaction.in_no_setting,
    "what_is_logged_is_masked": redaction.in_no_log,
    # Keys
    "a_resend_is_the_same_request": keys.resend,
    "another_operation_is_another_request": keys.another_operation,
    "all_of_a_call_is_sent": keys.what_is_asked_is_sent,
    "a_strange_id_or_text_stays_in_its_place": keys.one_message,
    # Exchanges of several requests, and the seal of each
    "a_recorded_exchange_goes_as_it_went": exchanges.recorded,
    "an_exchange_that_is_replayed_is_the_same": exchanges.replayed,
    "every_request_of_an_exchange_has_a_key_of_its_own": exchanges.keys,
    "an_exchange_that_breaks_off_is_unknown": exchanges.broken_off,
    "asking_for_the_page_again_moves_nothing": exchanges.pages,
    "the_same_moment_and_nonce_seal_to_the_same_bytes": exchanges.sealed,
    "what_a_notification_mentions_is_reported_elsewhere": exchanges.mentions,
    # Outcomes
    "every_outcome_is_reached": outcomes.every_outcome,
    "a_reply_is_evidence_of_the_call_it_answers": outcomes.about_what_was_asked,
    "a_success_under_a_server_error_is_unknown": malformed.another_status,
    "a_reply_that_is_cut_off_is_unknown": malformed.cut_off,
    "a_page_or_nothing_or_nonsense_is_unknown": malformed.something_else,
    "the_reply_to_another_transaction_is_unknown": malformed.another_transaction,
    "a_verdict_that_is_there_twice_is_unknown": malformed.two_of_a_member,
    "no_bytes_whatever_raise_or_are_believed": malformed.any_bytes,
    "nothing_like_a_reply_raises": malformed.anything_like_a_reply,
    # Notifications
    "the_ways_of_notifications_are_on_record": notifications.on_record,
    "recorded_notifications_are_the_evidence_of_their_samples": notifications.recorded,
    "header_names_count_in_any_case": notifications.names_in_any_case,
    "a_notification_with_a_flipped_bit_is_refused": notifications.any_bit,
    "a_notification_without_its_own_signature_is_refused": notifications.forged,
    "signatures_are_compared_in_constant_time": notifications.constant_time,
    "any_notification_whatever_is_read_or_refused": notifications.any_body,
    "an_adapter_without_notifications_refuses_them": notifications.from_nobody,
    # Inquiries
    "an_inquiry_lists_what_happened": inquiries.lists,
    "an_inquiry_states_that_a_transaction_is_not_known": inquiries.not_known,
    "not_known_is_never_concluded_from_what_is_missing": inquiries.replies_are_no_lists,
    # Time-outs
    "a_call_that_broke_off_is_unknown": outcomes.broken_off,
    "a_call_that_never_left_is_marked_so": outcomes.never_left,
    # Commands
    "every_command_is_carried_or_refused": commands.carried_or_refused,
    "a_command_that_does_not_exist_is_refused": commands.never_heard_of,
    "it_has_a_name": commands.name,
}
"""What finds that a promise is broken, by the promise."""


class NotConforming(AssertionError):
    """An adapter breaks the contract; the text has the finding, the words, and a test."""


class AdapterConformance:
    """Subclass it as `Test…`, give `make_adapter` and `make_samples`, and run pytest.

    It has a test for each of `PROMISES`.
    """

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


def _test_of(check: Check) -> Callable[[AdapterConformance, Kit], None]:
    def test(_: AdapterConformance, kit: Kit) -> None:
        __tracebackhide__ = True
        _hold(kit, check)

    test.__doc__ = check.__doc__
    return test


for _promise, _check in PROMISES.items():
    setattr(AdapterConformance, f"test_{_promise}", _test_of(_check))


def _hold(kit: Kit, check: Check) -> None:
    __tracebackhide__ = True
    findings = list(found_by(check, kit))
    if findings:
        raise NotConforming(shown_together(findings, kit.samples.secrets))


def names_of_tests() -> list[str]:
    """The kit's tests, in their order."""
    return [f"test_{promise}" for promise in PROMISES]


def run_test(name: str, kit: Kit) -> None:
    """Run one of the kit's tests.

    Raises:
        NotConforming: the adapter breaks it.

    """
    _hold(kit, PROMISES[name.removeprefix("test_")])


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
