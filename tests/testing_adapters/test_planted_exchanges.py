"""Adapters of exchanges with one mistake each: the kit finds every one."""

import attrs
import kumo_samples
import planted_exchanges as planted
import pytest

from kessai.testing.adapter_kit.conformance import run_test
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.public import NotConforming, check_adapter

KEYS = "every_request_of_an_exchange_has_a_key_of_its_own"
BREAKS_OFF = "an_exchange_that_breaks_off_is_unknown"
PAGE = "asking_for_the_page_again_moves_nothing"
MISTAKES = [
    ("SkipsTheSecond", "a_recorded_exchange_goes_as_it_went", "1 requests for 2"),
    ("RemembersItsStep", "an_exchange_that_is_replayed_is_the_same", "second time"),
    ("OneKeyForBoth", KEYS, "request 2 has the key of one before it"),
    ("NoSecondKey", KEYS, "request 2 carries no key of its operation"),
    ("HalfIsDeclined", BREAKS_OFF, "the outcome is declined"),
    ("StumblesHalfway", BREAKS_OFF, "exchange() raised AssertionError"),
    ("OpensAnotherForThePage", PAGE, "whose keys are known, it sends another POST"),
    ("RepeatsForgottenKeys", PAGE, "whose keys are forgotten, it sends another POST"),
    (
        "SaltsItself",
        "the_same_moment_and_nonce_seal_to_the_same_bytes",
        "gave other bytes",
    ),
    (
        "MentionsTheEvent",
        "what_a_notification_mentions_is_reported_elsewhere",
        "it mentions a 'event'",
    ),
]


def kit_of(name):
    adapter = getattr(planted, name).from_environment(kumo_samples.ENVIRONMENT)
    return Kit(adapter, kumo_samples.samples())


@pytest.mark.parametrize(("name", "test", "said"), MISTAKES)
def test_a_mistake_is_found_and_named(name, test, said):
    with pytest.raises(NotConforming) as found:
        run_test(f"test_{test}", kit_of(name))
    assert said in str(found.value)
    assert "  contract: kessai." in str(found.value)
    assert kumo_samples.KEY not in str(found.value)


def test_without_a_mistake_nothing_is_found():
    check_adapter(kumo_samples.make(), kumo_samples.samples())


def test_an_exchange_that_is_not_on_record_is_named(tmp_path):
    samples = attrs.evolve(kumo_samples.samples(), folder=tmp_path)
    with pytest.raises(NotConforming, match="authorize-1"):
        run_test(
            "test_a_recorded_exchange_goes_as_it_went",
            Kit(kumo_samples.make(), samples),
        )
