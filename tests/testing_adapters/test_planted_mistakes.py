"""Adapters with one mistake each: the kit finds every one, and names its place."""

import gc
import time

import planted_adapters as planted
import pytest
from kessai_examplepay.adapter import ExamplePay
from kessai_examplepay.samples import ENVIRONMENT, KEY, NOTIFICATION_SECRET, samples

from kessai.testing.adapter_kit.conformance import names_of_tests, run_test
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.public import NotConforming, check_adapter

MISTAKES = [
    # the adapter, what finds it, and words of the text
    ("StampsTheTime", "the_same_call_gives_the_same_bytes", "other bytes"),
    ("LooksAtTheClock", "it_does_nothing_but_turn_values_into_values", "datetime.now"),
    ("NewKeyPerResend", "a_resend_is_the_same_request", "carry it out twice"),
    ("KeyOfTheOrder", "another_operation_is_another_request", "same key on the wire"),
    ("DrawsLots", "it_does_nothing_but_turn_values_into_values", "random.random"),
    ("ReadsTheEnvironment", "it_does_nothing_but_turn_values_into_values", "environ"),
    ("OpensAFile", "it_does_nothing_but_turn_values_into_values", "template"),
    ("Resolves", "it_does_nothing_but_turn_values_into_values", "socket."),
    ("StartsAThread", "it_does_nothing_but_turn_values_into_values", "thread"),
    ("Prints", "it_does_nothing_but_turn_values_into_values", "standard output"),
    ("KeepsAList", "it_keeps_nothing_between_calls", "planted_adapters.SEEN"),
    ("OrdersBySet", "every_process_gives_the_same_answers", "PYTHONHASHSEED"),
    ("InTheMachinesZone", "every_process_gives_the_same_answers", "time zone"),
    ("ChangesItsCall", "it_changes_nothing_that_it_is_given", "parameters of its call"),
    ("ShowsItsKey", "no_repr_shows_a_secret", "repr(adapter) shows a secret"),
    (
        "KeepsTheMessage",
        "no_evidence_holds_a_secret_or_personal_data",
        "capture-declined shows personal data",
    ),
    ("KeepsTheMessage", "no_text_for_people_gets_into_evidence", "message"),
    ("LogsTheBody", "what_is_logged_is_masked", "logged shows personal data"),
    (
        "TellsTheValue",
        "a_refusal_names_a_parameter_and_not_its_value",
        "shows the value",
    ),
    ("TellsTheSetting", "a_wrong_setting_is_named_and_not_shown", "EXAMPLEPAY_HOST"),
    ("TimeOutIsDeclined", "a_call_that_broke_off_is_unknown", "outcome is declined"),
    ("NeverSentIsUnknown", "a_call_that_never_left_is_marked_so", "outcome is unknown"),
    ("TrustsTheStatus", "a_page_or_nothing_or_nonsense_is_unknown", "a proxy's page"),
    ("TrustsTheStatus", "no_bytes_whatever_raise_or_are_believed", "mean nothing"),
    ("IgnoresTheStatus", "a_success_under_a_server_error_is_unknown", "HTTP 500"),
    ("RaisesOnGarbage", "no_bytes_whatever_raise_or_are_believed", "JSONDecodeError"),
    ("RaisesOnGarbage", "a_page_or_nothing_or_nonsense_is_unknown", "JSONDecodeError"),
    ("ReadsTheLastOfTwo", "a_verdict_that_is_there_twice_is_unknown", "two status"),
    ("MendsWhatIsCutOff", "a_reply_that_is_cut_off_is_unknown", "cut off after"),
    ("AnybodysReply", "the_reply_to_another_transaction_is_unknown", "another"),
    (
        "ForgetsWhatItIsAbout",
        "a_reply_is_evidence_of_the_call_it_answers",
        "command is None",
    ),
    (
        "AmountsWithAPoint",
        "recorded_replies_are_the_evidence_of_their_samples",
        "5000.0",
    ),
    ("NoSuchOrderByStatus", "a_page_or_nothing_or_nonsense_is_unknown", "not know"),
    (
        "DropsTheSecond",
        "recorded_notifications_are_the_evidence_of_their_samples",
        "heard: 1, not 2",
    ),
    (
        "HoldsUpTheOthers",
        "recorded_notifications_are_the_evidence_of_their_samples",
        "NotificationPartlyRefused",
    ),
    ("ComparesByEquals", "signatures_are_compared_in_constant_time", "compare_digest"),
    (
        "ComparesTheStart",
        "a_notification_with_a_flipped_bit_is_refused",
        "it was heard",
    ),
    (
        "BelievesEverybody",
        "recorded_notifications_are_the_evidence_of_their_samples",
        "should have been",
    ),
    (
        "BelievesEverybody",
        "a_notification_without_its_own_signature_is_refused",
        "left out",
    ),
    (
        "BelievesEverybody",
        "a_notification_with_a_flipped_bit_is_refused",
        "it was heard",
    ),
    ("OneSpelling", "header_names_count_in_any_case", "lower case"),
    (
        "ShowsTheSignature",
        "the_refusal_of_a_notification_shows_nothing_of_it",
        "stood in",
    ),
    (
        "StumblesOverANotification",
        "recorded_notifications_are_the_evidence_of_their_samples",
        "KeyError",
    ),
    ("AnyCommandGoes", "every_command_is_carried_or_refused", "get_address"),
    ("AnyCommandGoes", "a_command_that_does_not_exist_is_refused", "not exist"),
    ("ForgetsTheCurrency", "all_of_a_call_is_sent", "'USD' is sent as"),
    ("PastesTheId", "a_strange_id_or_text_stays_in_its_place", "address"),
    ("NotesInHeaders", "a_strange_id_or_text_stays_in_its_place", "X-Note"),
    ("LookUpsDecline", "a_call_that_broke_off_is_unknown", "succeeded"),
    ("LearnsFromReplies", "the_order_of_questions_changes_no_answer", "another order"),
    (
        "DecodesBeforeItDoubts",
        "any_notification_whatever_is_read_or_refused",
        "UnicodeDecode",
    ),
    ("AmountsWithAPoint", "nothing_like_a_reply_raises", "no store can keep"),
    (
        "NotListedIsNotThere",
        "not_known_is_never_concluded_from_what_is_missing",
        "read as not knowing",
    ),
    ("HasALongName", "it_has_a_name", "'Example Pay, the gateway'"),
]


def found_in(name, test):
    adapter = getattr(planted, name).from_environment(ENVIRONMENT)
    with pytest.raises(NotConforming) as found:
        run_test(f"test_{test}", Kit(adapter, samples()))
    return str(found.value)


@pytest.mark.parametrize(("name", "test", "words"), MISTAKES)
def test_a_mistake_is_found_and_named(name, test, words):
    text = found_in(name, test)
    assert words in text
    assert "  contract: kessai." in text
    assert "  right:    " in text
    assert KEY not in text
    assert NOTIFICATION_SECRET not in text


def test_every_planted_adapter_is_looked_at():
    classes = {
        name
        for name, value in vars(planted).items()
        if isinstance(value, type) and issubclass(value, ExamplePay)
    }
    assert classes - {"ExamplePay"} == {name for name, _, _ in MISTAKES}


def test_the_adapter_without_a_mistake_passes():
    check_adapter(ExamplePay.from_environment(ENVIRONMENT), samples())


def test_everything_that_is_wrong_is_listed_at_once():
    adapter = planted.BelievesEverybody.from_environment(ENVIRONMENT)
    with pytest.raises(NotConforming) as found:
        check_adapter(adapter, samples())
    text = str(found.value)
    assert "Recorded notifications are the evidence of their samples" in text
    assert "A notification with a flipped bit is refused" in text
    assert "The same call gives the same bytes" not in text


def pasted(text):
    """The test that is printed with the first finding."""
    lines = text.partition("\n\n")[2].partition("\nalso: ")[0].splitlines()
    return "\n".join(line[4:] for line in lines)


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("TimeOutIsDeclined", "a_call_that_broke_off_is_unknown"),
        ("TrustsTheStatus", "a_page_or_nothing_or_nonsense_is_unknown"),
        ("ReadsTheLastOfTwo", "a_verdict_that_is_there_twice_is_unknown"),
        ("KeyOfTheOrder", "another_operation_is_another_request"),
        ("AnybodysReply", "the_reply_to_another_transaction_is_unknown"),
        ("ComparesTheStart", "a_notification_with_a_flipped_bit_is_refused"),
        ("DropsTheSecond", "recorded_notifications_are_the_evidence_of_their_samples"),
        ("LooksAtTheClock", "it_does_nothing_but_turn_values_into_values"),
        ("KeepsAList", "it_keeps_nothing_between_calls"),
        ("ChangesItsCall", "it_changes_nothing_that_it_is_given"),
        ("AnyCommandGoes", "a_command_that_does_not_exist_is_refused"),
        ("AmountsWithAPoint", "nothing_like_a_reply_raises"),
    ],
)
def test_what_is_printed_can_be_pasted_and_fails_until_it_is_mended(name, test):
    story = pasted(found_in(name, test))
    for adapter, failing in ((getattr(planted, name), True), (ExamplePay, False)):
        scope = {"make_adapter": lambda a=adapter: a.from_environment(ENVIRONMENT)}
        exec(compile(story, "pasted", "exec"), scope)  # noqa: S102 - that is the point
        if failing:
            with pytest.raises((AssertionError, pytest.fail.Exception)):
                scope["test_what_the_kit_found"]()
        else:
            scope["test_what_the_kit_found"]()


def test_the_names_of_the_tests_are_sentences():
    names = names_of_tests()
    assert len(names) >= 40
    assert all(name.count("_") >= 3 for name in names)


def test_what_the_collector_of_rubbish_calls_is_not_the_adapters_doing():
    def reads_a_clock(_phase, _info):
        time.perf_counter()

    adapter = ExamplePay.from_environment(ENVIRONMENT)
    thresholds = gc.get_threshold()
    gc.callbacks.append(reads_a_clock)
    gc.set_threshold(1)
    try:
        run_test(
            "test_it_does_nothing_but_turn_values_into_values", Kit(adapter, samples())
        )
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(reads_a_clock)
