"""What a store holds, as rows for other programs: transactions, events, movements.

    rows = movements(store, Period(zone, since, until), "en")
    write_csv(rows, file)

Everything comes from the trails, replayed one transaction at a time. So memory stays
flat, and a row states only what its chain proves. Times are in the merchant's zone,
amounts in minor units. Parameters, notes, addresses and operators' names are left out.
"""

from kessai.export.rows import EXPORTS, Rows
from kessai.export.totals import SPANS, Total, totals
from kessai.export.writing import FORMATS, write
from kessai.zones import Period

__all__ = [
    "EXPORTS",
    "FORMATS",
    "SPANS",
    "Period",
    "Rows",
    "Total",
    "totals",
    "write",
]
