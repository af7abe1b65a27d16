"""What evidence states of a transaction beside outcomes: the gateway's ids, deadlines.

An id is learned once and stays. Evidence with another id under the same name is about
something else at the gateway, or something went wrong there: it is a discrepancy. A
deadline that the gateway states takes precedence over the declared duration, and the
last statement over earlier ones.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from kessai.machine.transaction import Transaction

if TYPE_CHECKING:
    from kessai.gateway import Evidence
    from kessai.machine.compile import Machine

REFERENCE_DIFFERS = "reference_differs"
"""The reason of a discrepancy: the gateway stated another id under a known name."""


def differs(transaction: Transaction, evidence: "Evidence") -> bool:
    """Whether `evidence` states another id under a name that has one already."""
    known = transaction.references
    return any(known.get(k, name) != name for k, name in evidence.references.items())


def is_new(machine: "Machine", transaction: Transaction, evidence: "Evidence") -> bool:
    """Whether `evidence` states an id or a deadline that the transaction lacks."""
    if not evidence.references and not evidence.deadlines:
        return False
    return (
        not evidence.references.keys() <= transaction.references.keys()
        or stated(machine, transaction.deadlines, evidence) != transaction.deadlines
    )


def learned(known: Mapping[str, str], evidence: "Evidence") -> Mapping[str, str]:
    """The `known` ids after `evidence`; the first one under a name stays."""
    return {**evidence.references, **known}


def stated(
    machine: "Machine", known: Mapping[str, datetime], evidence: "Evidence"
) -> Mapping[str, datetime]:
    """The `known` deadlines after `evidence`; one that the lifecycle lacks is ignored."""
    named = evidence.deadlines.items()
    return {
        **known,
        **{name: ends for name, ends in named if name in machine.deadlines},
    }
