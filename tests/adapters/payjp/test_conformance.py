"""The adapter against the whole contract, from its recorded bytes."""

import pytest

from kessai.errors import NotificationRefused
from kessai.gateway import Evidence, Outcome, Source
from kessai.testing import AdapterConformance
from kessai.testing.adapter_kit import notifications
from kessai.testing.adapter_kit.kit import Kit, found_by
from kessai_adapters.payjp import PayJp
from kessai_adapters.payjp.samples import samples


class TestPayJp(AdapterConformance):
    def make_adapter(self):
        return PayJp.from_environment(self.make_samples().environment)

    def make_samples(self):
        return samples()


class Believing(PayJp):
    """Takes a body for true that nothing signs."""

    def received(self, notification):
        yield from super().received(notification)
        return (
            Evidence(
                source=Source.NOTIFICATION,
                transaction="order-7",
                command="capture",
                outcome=Outcome.SUCCEEDED,
            ),
        )


class Hurried(PayJp):
    """Compares the token byte by byte."""

    def received(self, notification):
        token = dict(notification.headers).get("X-Payjp-Webhook-Token")
        if token != self.credentials.webhook_token:
            raise NotificationRefused
        return (yield from super().received(notification))


@pytest.mark.parametrize(
    ("kind", "check", "found"),
    [
        (Believing, notifications.any_bit, "nothing signs its body"),
        (Hurried, notifications.constant_time, "X-Payjp-Webhook-Token was changed"),
    ],
)
def test_the_kit_finds_what_an_unsigned_notification_must_not_do(kind, check, found):
    adapter = kind.from_environment(samples().environment)
    findings = found_by(check, Kit(adapter, samples()))
    assert any(found in str(each) for each in findings)
    honest = PayJp.from_environment(samples().environment)
    assert list(found_by(check, Kit(honest, samples()))) == []
