"""Amazon Pay's stand-in: the API's version 2, from its documents alone.

    with AmazonPayEmulator() as emulator, serve(emulator) as server:
        print(server.url)

It keeps its own books and shares no code with the engine or the adapter. What it assumes,
as no document that was read says it: the page of a session is known at once; a refund
counts in a charge's total once it has succeeded; an error is not kept under its key; the
statuses of some refusals (422 for an object's state).
"""

from kessai_adapters.emulators.amazon_pay.books import (
    AmazonBooks,
    Charge,
    Movement,
    Permission,
    Refund,
    Session,
)
from kessai_adapters.emulators.amazon_pay.emulator import (
    DEFAULT_MERCHANT,
    AmazonPayEmulator,
)
from kessai_adapters.emulators.amazon_pay.errors import AmazonRefused
from kessai_adapters.emulators.amazon_pay.keys import (
    DEFAULT_KEY_ID,
    as_pem,
    merchant_key,
)
from kessai_adapters.emulators.amazon_pay.notifications import TOPIC

__all__ = [
    "DEFAULT_KEY_ID",
    "DEFAULT_MERCHANT",
    "TOPIC",
    "AmazonBooks",
    "AmazonPayEmulator",
    "AmazonRefused",
    "Charge",
    "Movement",
    "Permission",
    "Refund",
    "Session",
    "as_pem",
    "merchant_key",
]
