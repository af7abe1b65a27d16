"""The machine: what a lifecycle allows, decided and replayed without any I/O.

This package reads no clock, draws no random number and opens nothing: time and ids are
arguments. `decide` allows or denies a command, `evolve` applies an event, `chain` binds
it to the trail. What evidence means is decided above, in `kessai.evidence`.
"""

from typing import TYPE_CHECKING

from kessai.on_demand import import_on_demand

if TYPE_CHECKING:
    from kessai.machine.chain import (
        append,
        read_but_denials,
        read_events,
        read_record,
    )
    from kessai.machine.command import Command
    from kessai.machine.compile import Machine, compile_lifecycle
    from kessai.machine.decide import Possibility, as_of, can, decide, possibility
    from kessai.machine.denial import Bounds, Denial, Reason
    from kessai.machine.events import (
        Archived,
        Begun,
        Closed,
        Denied,
        Discrepancy,
        Event,
        External,
        Forgotten,
        Lapsed,
        Learned,
        Reported,
        Resent,
        Resumed,
        Reversed,
        Sent,
    )
    from kessai.machine.evolve import evolve, fold
    from kessai.machine.invariants import broken_invariants
    from kessai.machine.machines import Machines
    from kessai.machine.phase import Phase
    from kessai.machine.record import DENIAL, Record
    from kessai.machine.transaction import Operation, Transaction
else:
    import_on_demand(
        __name__,
        {
            ".chain": "append read_but_denials read_events read_record",
            ".command": "Command",
            ".compile": "Machine compile_lifecycle",
            ".decide": "Possibility as_of can decide possibility",
            ".denial": "Bounds Denial Reason",
            ".events": (
                "Archived Begun Closed Denied Discrepancy Event External Forgotten "
                "Lapsed Learned Reported Resent Resumed Reversed Sent"
            ),
            ".evolve": "evolve fold",
            ".invariants": "broken_invariants",
            ".machines": "Machines",
            ".phase": "Phase",
            ".record": "DENIAL Record",
            ".transaction": "Operation Transaction",
        },
    )

__all__ = [
    "DENIAL",
    "Archived",
    "Begun",
    "Bounds",
    "Closed",
    "Command",
    "Denial",
    "Denied",
    "Discrepancy",
    "Event",
    "External",
    "Forgotten",
    "Lapsed",
    "Learned",
    "Machine",
    "Machines",
    "Operation",
    "Phase",
    "Possibility",
    "Reason",
    "Record",
    "Reported",
    "Resent",
    "Resumed",
    "Reversed",
    "Sent",
    "Transaction",
    "append",
    "as_of",
    "broken_invariants",
    "can",
    "compile_lifecycle",
    "decide",
    "evolve",
    "fold",
    "possibility",
    "read_but_denials",
    "read_events",
    "read_record",
]
