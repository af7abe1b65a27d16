"""The adapter against the kit that every adapter is held against."""

from kessai.testing.adapter_kit.public import AdapterConformance
from kessai_adapters.amazon_pay import AmazonPay
from kessai_adapters.amazon_pay.samples import samples


class TestAmazonPay(AdapterConformance):
    def make_adapter(self):
        return AmazonPay.from_environment(samples().environment)

    def make_samples(self):
        return samples()
