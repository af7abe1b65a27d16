"""Amazon Pay itself (API version 2), as an adapter of pure exchanges over bytes.

It owns the wire format and nothing else: no connection, no clock, no state, and no rule
of a lifecycle. Its lifecycles are `amazon_pay`, `amazon_pay_recurring` and
`amazon_pay_charge`.

What no document that was read says, and a sandbox must show before it is relied on:

- whether a new session states its page at once; else it comes from `page` later, and the
  shop's button opens the session by its id, which is disclosed as well;
- whether a recurring session is completed without an amount, as here;
- whether a charge's `refundedAmount` counts refunds that are under way: while one that is
  known is, that total is left out;
- the HTTP statuses of refusals: what decides is their reason code;
- chargebacks: no call tells of them. Their notification causes an inquiry, which may show
  nothing.
"""

from kessai_adapters.amazon_pay.adapter import AmazonPay
from kessai_adapters.amazon_pay.credentials import AmazonCredentials

__all__ = ["AmazonCredentials", "AmazonPay"]
