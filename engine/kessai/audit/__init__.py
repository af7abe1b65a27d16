"""The audit: proof that every step was allowed, or the first event that was not.

    report = verify(store)
    assert report.holds, report.faults

This package trusts nothing that a store shows: it reads every chain, replays it under
the lifecycle file it is bound to, decides every step again, and compares what comes out
with the transaction as it stands. It changes nothing.

What is found without a seal, because something else in the store contradicts it: an
event edited, deleted, inserted, swapped with another, spliced in from another
transaction; a tail cut off; a state, a column or an answer that is not what the trail
leads to, to the last byte; a due time or a lease that keeps an open operation from
recovery; a gateway's id that leads to another transaction, or to none; a member that
nothing reads, or that stands twice; a trail without its transaction or the reverse; a
transaction gone of which an answer or a charge still speaks; a lifecycle file changed or
gone; a step that was not allowed; a trigger, rule, policy or view that others have put
on the tables.

What is found only with a seal (`kessai.audit.sealing`), because everything in the store
agrees: a chain written anew by someone who knows how events are hashed, with the state
that belongs to it; a transaction gone with everything that speaks of it; a tail cut off
with the state set back; an old backup in the place of the store; a lifecycle file
exchanged together with all chains under it.
"""

from kessai.audit.sealing.seal import Made, write_seal
from kessai.audit.verification.report import (
    AuditFault,
    FoundDiscrepancy,
    OpenOperation,
    Report,
)
from kessai.audit.verification.verify import verify

__all__ = [
    "AuditFault",
    "FoundDiscrepancy",
    "Made",
    "OpenOperation",
    "Report",
    "verify",
    "write_seal",
]
