"""The audit: proof that every step was allowed, or the first event that was not.

    report = verify(store)
    assert report.holds, report.faults

This package believes nothing that a store says: it reads every chain, replays it under
the lifecycle file it is bound to, decides every step again, and compares what comes out
with the transaction as it stands. It changes nothing.

What it cannot find is a whole chain written anew together with the state that belongs
to it: every part of that agrees with every other.
"""

from kessai.audit.report import Fault, OpenOperation, PutAside, Report
from kessai.audit.verify import verify

__all__ = ["Fault", "OpenOperation", "PutAside", "Report", "verify"]
