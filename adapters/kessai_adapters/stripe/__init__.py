"""Stripe, as an adapter of pure functions over bytes: card payments by PaymentIntents.

It owns the wire format of API v1 and nothing else: no connection, no clock, no state.
A transaction is one PaymentIntent. Its metadata bear our ids, `kessai_transaction` and
`kessai_operation`, so that an inquiry says of each exchange whose it is. An intent that
began in another system and was imported bears none: it is known by Stripe's id, what was
done with it there by its amounts. Webhooks about it name no transaction of ours and are
passed over, but for refunds that were made here: `kessai reconcile` asks for the rest.

What Stripe's documents leave open, and how it is treated here; try it in a sandbox before
payments are live:

- What a partial capture leaves over appears as a refund. No document says that it bears
  a mark, so the oldest refund of just that amount that is not ours counts as it. One of
  the same amount that was made in the Dashboard is told apart only by being later.
- How an intent stands whose authorization lapses after a part was captured is not
  documented: if it has succeeded without a last capture, the rest counts as lapsed.
- Whether a charge has its intent's metadata is not documented: of a webhook about a
  charge or a refund without ours, the intent is asked.
- Lists cannot be asked for by metadata, and Stripe's search is late. A payment whose reply
  and webhooks were all lost is looked for among the first 600 made within 20 minutes, and
  the first 600 of its day; where there were more, it waits for an operator.
- When a 429 is over is not stated: the command is declined, and may be begun anew.
- How Stripe counts IQD and LYD is not documented: payments in them are refused.

An attempt that the bank declines leaves the intent open for another card at Stripe. Where
the card was given with the command, it has ended here, and the next attempt is another
transaction; where the consumer pays in the browser, it waits for another card.
"""

from kessai_adapters.stripe.adapter import Stripe
from kessai_adapters.stripe.credentials import StripeCredentials

__all__ = ["Stripe", "StripeCredentials"]
