"""A month's billing: agreements are planned, and each is charged once in a period."""

from kessai.on_demand import TYPE_CHECKING, import_on_demand

if TYPE_CHECKING:
    from kessai.billing.chunks import (
        BillRunner,
        ChunkBusy,
        ChunkDone,
        ChunkLost,
        next_chunk,
        run_bills,
        run_chunk,
    )
    from kessai.billing.ladder import RetryLadder, read_ladder
    from kessai.billing.plan import BilledAgreement, PlanReport
    from kessai.billing.schedule import BillingSchedule, BusinessDays
else:
    import_on_demand(
        __name__,
        {
            ".chunks": "BillRunner ChunkBusy ChunkDone ChunkLost next_chunk run_bills run_chunk",
            ".ladder": "RetryLadder read_ladder",
            ".plan": "BilledAgreement PlanReport",
            ".schedule": "BillingSchedule BusinessDays",
        },
    )

__all__ = [
    "BillRunner",
    "BilledAgreement",
    "BillingSchedule",
    "BusinessDays",
    "ChunkBusy",
    "ChunkDone",
    "ChunkLost",
    "PlanReport",
    "RetryLadder",
    "next_chunk",
    "read_ladder",
    "run_bills",
    "run_chunk",
]
