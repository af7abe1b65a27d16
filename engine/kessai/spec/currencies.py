"""The minor digits of a lifecycle's currencies, read once: when its file is read.

From then on they are part of the declaration. So a stored declaration stays the same
when ISO 4217 drops a currency or changes its digits. A file states the digits of a
currency that the table does not have:

    currencies = ["JPY", "USD"]          # digits from the table
    currencies = { BGN = 2, EUR = 2 }    # BGN is no longer in the table
"""

from collections.abc import Mapping
from typing import Any

from kessai.errors import InvalidInput
from kessai.money import minor_digits
from kessai.spec.shapes import is_list, is_table
from kessai.spec.table import Notebook

_WHERE = ("lifecycle", "currencies")


def with_digits(document: Mapping[str, Any], notebook: Notebook) -> Mapping[str, Any]:
    """`document` with the digits of each currency; note those that are not known."""
    head: object = document.get("lifecycle")
    if not is_table(head) or "currencies" not in head:
        return document
    digits = _digits(head["currencies"], notebook)
    return {**document, "lifecycle": {**head, "currencies": digits}}


def _digits(currencies: object, notebook: Notebook) -> Mapping[str, Any]:
    if is_table(currencies):
        for code, stated in currencies.items():
            _check_stated(code, stated, notebook)
        return currencies
    if not is_list(currencies) or not all(isinstance(c, str) for c in currencies):
        message = f"'currencies' must be a list of codes, not {currencies!r}"
        notebook.wrong(_WHERE, message)
        return {"XXX": 0}  # so that the rest of the file is not reported as wrong, too
    digits: dict[str, int] = {}
    for code in currencies:
        if code in digits:
            notebook.wrong(_WHERE, f"{code!r} is listed twice in 'currencies'")
        digits[code] = 0
        try:
            digits[code] = minor_digits(code)
        except InvalidInput as error:
            message = "; one that is no longer listed is given its digits: { BGN = 2 }"
            notebook.wrong(_WHERE, f"{error}{message}")
    return digits


def _check_stated(code: str, stated: object, notebook: Notebook) -> None:
    """Digits may be stated only as the table has them, or where it has none."""
    try:
        known = minor_digits(code)
    except InvalidInput:
        return
    if stated != known:
        message = f"{code} has {known} minor digits in ISO 4217, not {stated!r}"
        notebook.wrong((*_WHERE, code), message)
