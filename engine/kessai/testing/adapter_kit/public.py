"""The conformance kit for gateway adapters: what `kessai.gateway` asks.

    pytest --kessai-adapter examplepay          # from anywhere, no test file needed

    class TestExamplePay(AdapterConformance):   # or in the adapter's own test suite
        def make_adapter(self):
            return ExamplePay.from_environment(samples().environment)

        def make_samples(self):
            return samples()

    check_adapter(adapter, samples())           # or as a plain function

An adapter of either form is taken: of exchanges, or of two functions.
`samples()` is the adapter author's: it returns `AdapterSamples`, recorded requests,
replies and notifications with what each is evidence of. The first way looks for it in a
module `samples` beside the adapter's own. A failure shows what is wrong, the
contract's words, what would be right, and a test that can be pasted.
"""

from kessai.testing.adapter_kit.conformance import (
    AdapterConformance,
    NotConforming,
    check_adapter,
)
from kessai.testing.adapter_kit.samples import (
    AdapterSamples,
    ExchangeSample,
    NotificationSample,
    ReplySample,
    RequestSample,
)

__all__ = [
    "AdapterConformance",
    "AdapterSamples",
    "ExchangeSample",
    "NotConforming",
    "NotificationSample",
    "ReplySample",
    "RequestSample",
    "check_adapter",
]
