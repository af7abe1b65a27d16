"""The conformance kit, asked of the adapter and what is on record of it."""

from kessai.testing.adapter_kit.public import AdapterConformance
from kessai_adapters.stripe import Stripe
from kessai_adapters.stripe.samples import samples


class TestStripe(AdapterConformance):
    def make_adapter(self):
        return Stripe.from_environment(samples().environment)

    def make_samples(self):
        return samples()
