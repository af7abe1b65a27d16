"""What is recorded must suffice to find mistakes: the kit names what is missing."""

import shutil
from pathlib import Path

import attrs
import pytest
from kessai_examplepay.adapter import ExamplePay
from kessai_examplepay.samples import ENVIRONMENT, samples

from kessai.gateway import INQUIRY, Outcome
from kessai.testing.adapter_kit.conformance import names_of_tests, run_test
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.public import NotConforming

ADAPTER = ExamplePay.from_environment(ENVIRONMENT)
WHOLE = samples()


def found_in(poor, test):
    with pytest.raises(NotConforming) as found:
        run_test(f"test_{test}", Kit(ADAPTER, poor))
    return str(found.value)


def without(kind, keep):
    listed = tuple(sample for sample in getattr(WHOLE, kind) if keep(sample))
    return attrs.evolve(WHOLE, **{kind: listed})


@pytest.mark.parametrize(
    ("poor", "test", "words"),
    [
        (
            without("replies", lambda s: s.call.command != "cancel"),
            "every_command_is_on_record",
            "no reply of cancel",
        ),
        (
            without("requests", lambda s: s.call.command != INQUIRY),
            "every_command_is_on_record",
            "no request of inquiry",
        ),
        (
            attrs.evolve(
                without("requests", lambda s: s.call.command != "cancel"),
                replies=[s for s in WHOLE.replies if s.call.command != "cancel"],
            ),
            "every_command_is_carried_or_refused",
            "cancel (one_time) is carried, but not on record",
        ),
        (
            without("replies", lambda s: s.evidence.outcome is not Outcome.UNKNOWN),
            "every_outcome_is_reached",
            "no recorded reply or notification is unknown",
        ),
        (
            without("replies", lambda s: len(s.evidence.listing) < 2),
            "an_inquiry_lists_what_happened",
            "more than one exchange",
        ),
        (
            without("replies", lambda s: s.evidence.found),
            "an_inquiry_states_that_a_transaction_is_not_known",
            "does not know",
        ),
        (
            without("notifications", lambda s: len(s.evidence) < 2),
            "the_ways_of_notifications_are_on_record",
            "several items",
        ),
        (
            attrs.evolve(WHOLE, sign=None),
            "the_ways_of_notifications_are_on_record",
            "cannot sign a notification",
        ),
        (
            attrs.evolve(WHOLE, secrets=()),
            "its_secrets_are_named_so_that_they_can_be_looked_for",
            "name no secret",
        ),
        (
            attrs.evolve(WHOLE, personal=("nobody at all",)),
            "no_evidence_holds_a_secret_or_personal_data",
            "is in no recorded reply",
        ),
        (
            attrs.evolve(WHOLE, key_on_the_wire=False),
            "another_operation_is_another_request",
            "the request changes with it",
        ),
    ],
)
def test_what_is_missing_is_named(poor, test, words):
    assert words in found_in(poor, test)


def test_an_adapter_that_hears_no_notification_must_refuse_all():
    run_test(
        "test_an_adapter_without_notifications_refuses_them",
        Kit(ADAPTER, attrs.evolve(WHOLE, notifications=())),
    )


def test_what_the_gateway_never_says_need_not_be_on_record():
    kept = [s for s in WHOLE.replies if s.evidence.outcome is not Outcome.PENDING]
    never = attrs.evolve(WHOLE, replies=kept, never=frozenset({Outcome.PENDING}))
    run_test("test_every_outcome_is_reached", Kit(ADAPTER, never))


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "recorded"
    shutil.copytree(WHOLE.folder, folder)
    return attrs.evolve(WHOLE, folder=folder)


def test_a_request_that_is_not_on_record_is_recorded_when_asked_for(copied):
    test, file = "recorded_calls_become_the_recorded_bytes", "capture.request.http"
    (copied.folder / file).unlink()
    assert f"no {file} in" in found_in(copied, test)
    kit = Kit(ADAPTER, copied, recording=True)
    run_test(f"test_{test}", kit)
    assert [path.name for path in kit.recorded] == [file]
    recorded = (copied.folder / file).read_bytes()
    assert recorded == (WHOLE.folder / file).read_bytes()
    run_test(f"test_{test}", Kit(ADAPTER, copied))


def test_one_byte_that_is_not_as_recorded_is_named(copied):
    file = copied.folder / "capture.request.http"
    file.write_bytes(file.read_bytes().replace(b"3000", b"3001"))
    words = found_in(copied, "recorded_calls_become_the_recorded_bytes")
    assert "capture: its body differs from what was recorded at byte" in words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "an empty line must stand between"),
        (b"200 OK\n\n{}", "must be like HTTP/1.1 200 OK"),
        (b"HTTP/1.1 200 OK\nContent-Type\n\n{}", "a header must be like"),
    ],
)
def test_a_file_that_is_no_message_is_named(content, words, copied):
    file = copied.folder / "capture.reply.http"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    text = found_in(copied, "recorded_replies_are_the_evidence_of_their_samples")
    assert str(file) in text
    assert words in text


def test_every_test_of_the_kit_has_found_a_mistake():
    here = Path(__file__)
    files = [here, *here.parent.glob("test_planted_*.py")]
    known = "".join(file.read_text(encoding="utf-8") for file in files)
    assert not [n for n in names_of_tests() if n.removeprefix("test_") not in known]
