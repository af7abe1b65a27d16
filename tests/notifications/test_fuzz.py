"""What CI has time for of `fuzz.py`: broken notifications by the thousand."""

import importlib.util
from pathlib import Path

import pytest

SEED = 1


@pytest.fixture(scope="module")
def fuzz():
    """The script beside this test."""
    path = Path(__file__).with_name("fuzz.py")
    spec = importlib.util.spec_from_file_location("fuzz", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "inputs", [10_000, pytest.param(40_000, marks=pytest.mark.slow)]
)
def test_no_broken_notification_is_heard_and_none_is_an_error(fuzz, inputs):
    verdicts = fuzz.run(inputs, SEED)
    assert verdicts.total() == inputs
    assert {verdict for kind, verdict in verdicts if kind == "forged"} == {"refused"}
    # The parser behind the verifier is reached, and does not refuse all of it.
    for verdict in ("heard", "partly heard", "refused"):
        assert verdicts["signed", verdict] > inputs // 20


def test_the_judge_notices_what_must_not_be_heard(fuzz):
    class Gullible:
        def notification(self, headers, body):
            return fuzz.ADAPTERS[0].notification(
                {"Content-Hmac": fuzz.signature(body)}, body
            )

    body = b"numberOfNotify=1&orderId0000=o-1&txnType0000=Capture&mstatus0000=success"
    true = {"Content-Hmac": fuzz.signature(body)}
    assert fuzz.judge(true, body, Gullible()) == "heard"
    for forged in ({}, {"Content-Hmac": fuzz.signature(body, fuzz.OTHER_KEY)}):
        with pytest.raises(AssertionError, match="without this merchant's signature"):
            fuzz.judge(forged, body, Gullible())
