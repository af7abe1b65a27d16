"""Stripe's stand-in: card payments by PaymentIntents, from Stripe's documents alone.

    with StripeEmulator() as emulator, serve(emulator) as server:
        client = stripe.StripeClient(DEFAULT_KEY, base_addresses={"api": server.url})

Payment methods are those that Stripe gives for tests (`pm_card_visa`); no card number is
taken. What the documents leave open is decided so here, and no adapter should lean on it:

- a refund is refused while the charge is disputed, with the code `charge_disputed`;
- what was captured in part and not to its end has succeeded once that lapses;
- an intent that waits for its cardholder waits for ever;
- what is left over of an authorization is a refund without a mark of its own;
- capturing all bit by bit ends a capture that was not said to be the last one.
"""

from kessai_adapters.emulators.stripe.books import ApiObject, Books, Payment
from kessai_adapters.emulators.stripe.cards import CARDS, CardKind
from kessai_adapters.emulators.stripe.emulator import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    StripeEmulator,
)
from kessai_adapters.emulators.stripe.errors import ApiError
from kessai_adapters.emulators.stripe.events import (
    API_VERSION,
    WebhookEndpoint,
    signature,
    signed_headers,
)
from kessai_adapters.emulators.stripe.faults import OwnFault
from kessai_adapters.emulators.stripe.hands import Consumer, Portal

__all__ = [
    "API_VERSION",
    "CARDS",
    "DEFAULT_KEY",
    "DEFAULT_SECRET",
    "ApiError",
    "ApiObject",
    "Books",
    "CardKind",
    "Consumer",
    "OwnFault",
    "Payment",
    "Portal",
    "StripeEmulator",
    "WebhookEndpoint",
    "signature",
    "signed_headers",
]
