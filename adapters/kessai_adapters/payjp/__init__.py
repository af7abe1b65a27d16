"""PAY.JP's API v2 (payment flows), as an adapter of pure functions over bytes.

For the lifecycles `card`, `saved_card` and `saved_card_charge`. A payment method that is
named with its customer is charged by this server; else the answer to `authorize`
discloses the flow's `client_secret`, and the shop's page pays with it. Where the issuer
or PayPay asks the consumer, the answer discloses `next_action` as the gateway gave it.

What PAY.JP's pages leave open, and what is done about it here:

- For how long an idempotency key is known is not stated. So nothing is sent again to
  learn its answer; the gateway is asked what it has.
- A flow whose id is not known (the reply to `authorize` was lost) is looked for by its
  metadata among the newest 100 flows of the account. Is it not among them, and are
  there more, then the outcome stays unknown until an operator resolves it.
- `expired_at` is taken as the end of an authorization only while one is held; without it
  the lifecycle's own duration counts.
- The form of `next_action` is not stated: it is handed on unread.
- Disputes are not asked about: no page says how one of a given flow is found.
- Webhooks are not signed: one is a reason to ask the gateway, and proves nothing.
- A flow that the consumer has not paid when the lifecycle gives it up may be paid later;
  a discrepancy shows it then.
- A flow that began in another system and was imported has no metadata of ours: it is known
  by its id. Webhooks about it are passed over, but for refunds; `kessai reconcile` asks.
- An order id is taken more than once: what a restored store does not know, and is opened
  once more, is another payment.
- Sent again under a key that the gateway has forgotten (`missing=resend`), a payment that
  is confirmed here becomes another flow. It is paid once, but its other id is a
  discrepancy for an operator.

Not there, and refused: several captures, saving a payment method by paying, currencies
other than yen, a reason to cancel or refund that PAY.JP has no word for.
"""

from kessai_adapters.payjp.adapter import PayJp
from kessai_adapters.payjp.credentials import Credentials

__all__ = ["Credentials", "PayJp"]
