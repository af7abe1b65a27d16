"""The kit as a class to subclass, the way the suite of stores is one."""

import kumo_samples
import pytest
from kessai_examplepay.adapter import ExamplePay
from kessai_examplepay.samples import ENVIRONMENT, samples

from kessai.testing.adapter_kit.public import AdapterConformance


class TestExamplePay(AdapterConformance):
    def make_adapter(self):
        return ExamplePay.from_environment(ENVIRONMENT)

    def make_samples(self):
        return samples()


class TestKumo(AdapterConformance):
    """An adapter of exchanges, with all of the contract's second form."""

    def make_adapter(self):
        return kumo_samples.make()

    def make_samples(self):
        return kumo_samples.samples()


def test_the_class_alone_asks_for_an_adapter_and_for_samples():
    with pytest.raises(NotImplementedError):
        AdapterConformance().make_adapter()
    with pytest.raises(NotImplementedError):
        AdapterConformance().make_samples()
