"""The flows: each command as a generator of effects, written once for all drivers.

Nothing here does I/O. `kessai.driver` drives flows synchronously and asynchronously.
"""

from typing import TYPE_CHECKING

from kessai.on_demand import import_on_demand

if TYPE_CHECKING:
    from kessai.evidence.absence import Missing
    from kessai.evidence.inquiry import Inquiry
    from kessai.flow.abandon import abandon
    from kessai.flow.answer import Answer, Status
    from kessai.flow.ask import existing, possibilities, preview, reconcile, search
    from kessai.flow.begin import Prepared, begin, carry_out_prepared
    from kessai.flow.bills import charge_bill, charge_period
    from kessai.flow.effects import (
        AddBills,
        Advance,
        Append,
        Bill,
        Change,
        ChunkLease,
        Claim,
        Declaration,
        Effect,
        Find,
        FindSubscriber,
        Flow,
        HeldBack,
        History,
        Lease,
        Load,
        Loaded,
        Now,
        Published,
        ReadFeed,
        Recorded,
        Reference,
        Release,
        Scrub,
        Send,
        Subscriber,
        Undelivered,
        WriteBill,
    )
    from kessai.flow.execute import execute
    from kessai.flow.failures import RecoveryFailure
    from kessai.flow.forget import Forgetting, forget
    from kessai.flow.importing import ImportedCommand, import_command
    from kessai.flow.inquiry import Recovery, compare, inquire
    from kessai.flow.notification import (
        NotificationNotConfirmed,
        receive,
        receive_notification,
    )
    from kessai.flow.operator import close_by_hand, resolve_by_hand
    from kessai.flow.recover import recover, recover_all_due, recover_due, sweep
    from kessai.flow.resume import StillUnderWay, resume
    from kessai.flow.search import AmountBounds, Search, SearchResult
    from kessai.flow.steps import Context
else:
    import_on_demand(
        __name__,
        {
            "..evidence.absence": "Missing",
            "..evidence.inquiry": "Inquiry",
            ".abandon": "abandon",
            ".answer": "Answer Status",
            ".ask": "existing possibilities preview reconcile search",
            ".begin": "Prepared begin carry_out_prepared",
            ".bills": "charge_bill charge_period",
            ".effects": (
                "AddBills Advance Append Bill Change ChunkLease Claim Declaration "
                "Effect Find FindSubscriber Flow HeldBack History Lease Load Loaded Now Published ReadFeed "
                "Recorded Reference Release Scrub Send Subscriber Undelivered "
                "WriteBill"
            ),
            ".execute": "execute",
            ".failures": "RecoveryFailure",
            ".forget": "Forgetting forget",
            ".importing": "ImportedCommand import_command",
            ".inquiry": "Recovery compare inquire",
            ".notification": ("NotificationNotConfirmed receive receive_notification"),
            ".operator": "close_by_hand resolve_by_hand",
            ".recover": "recover recover_all_due recover_due sweep",
            ".resume": "StillUnderWay resume",
            ".search": "AmountBounds Search SearchResult",
            ".steps": "Context",
        },
    )

__all__ = [
    "AddBills",
    "Advance",
    "AmountBounds",
    "Answer",
    "Append",
    "Bill",
    "Change",
    "ChunkLease",
    "Claim",
    "Context",
    "Declaration",
    "Effect",
    "Find",
    "FindSubscriber",
    "Flow",
    "Forgetting",
    "HeldBack",
    "History",
    "ImportedCommand",
    "Inquiry",
    "Lease",
    "Load",
    "Loaded",
    "Missing",
    "NotificationNotConfirmed",
    "Now",
    "Prepared",
    "Published",
    "ReadFeed",
    "Recorded",
    "Recovery",
    "RecoveryFailure",
    "Reference",
    "Release",
    "Scrub",
    "Search",
    "SearchResult",
    "Send",
    "Status",
    "StillUnderWay",
    "Subscriber",
    "Undelivered",
    "WriteBill",
    "abandon",
    "begin",
    "carry_out_prepared",
    "charge_bill",
    "charge_period",
    "close_by_hand",
    "compare",
    "execute",
    "existing",
    "forget",
    "import_command",
    "inquire",
    "possibilities",
    "preview",
    "receive",
    "receive_notification",
    "reconcile",
    "recover",
    "recover_all_due",
    "recover_due",
    "resolve_by_hand",
    "resume",
    "search",
    "sweep",
]
