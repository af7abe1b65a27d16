"""Amazon Pay through VeriTrans4G, as an adapter of pure functions over bytes.

It owns the wire format and nothing else: no connection, no clock, no state, and no rule
of a lifecycle. Every rule named in its docstrings (O1, R7, F2, …) is one of Amazon
Pay's, as the shipped lifecycles number them.
"""

from kessai_adapters.veritrans4g.adapter import VeriTrans4G
from kessai_adapters.veritrans4g.credentials import Credentials
from kessai_adapters.veritrans4g.masking import exchange_for_log, mask
from kessai_adapters.veritrans4g.redirect import check_redirect

__all__ = [
    "Credentials",
    "VeriTrans4G",
    "check_redirect",
    "exchange_for_log",
    "mask",
]
