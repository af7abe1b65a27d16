"""Amounts as logs write them, to whole minor units. Nothing about money is guessed.

Digits of any width, thousands separators where thousands are, the currency's sign or
code, a minus where a command is given as negative. A fraction is taken only where
amounts are given as major units, and only with as many digits as the currency has.
"""

import re
import unicodedata
from collections.abc import Collection

from kessai.audit.log_check.words import BadValue, shown, words
from kessai.money import AMOUNT_LIMIT, Currency

_NEGATIVE = re.compile(r"[-−▲△](?P<after>.*)|\((?P<inside>.*)\)|(?P<before>.*)-")
_PLAIN = re.compile(r"\d{1,24}", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3}){1,7}", re.ASCII)
_ZEROS = ("0", "00")
_THOUSANDS = 3
_MOST_SURE = 14
"""Digits that are surely below the limit."""


class Amounts:
    """Reads the amounts of one log in `currency`.

    `in_major_units`: amounts are written `12.50` where the currency has two minor
    digits. `negative` names the commands whose amounts are written with a minus.
    """

    def __init__(
        self,
        currency: Currency,
        *,
        in_major_units: bool,
        decimal_comma: bool = False,
        negative: Collection[str] = (),
    ) -> None:
        self._currency = currency.code
        self._digits = currency.digits if in_major_units else 0
        self._takes_zeros = currency.digits == 0
        self._decimal_comma = decimal_comma
        self._negative = frozenset(negative)
        self._signs = (currency.code, *words("signs").get(currency.code, ()))

    def read(self, text: str, command: str) -> int | None:
        """The amount that `text` states for a `command`, None where it is empty.

        Raises:
            BadValue: it states none.

        """
        if text.isdigit() and text.isascii() and len(text) <= _MOST_SURE:
            if not self._negative and not self._digits:
                return int(text)
        elif not text:
            return None
        return self._signed(text, command)

    def _signed(self, text: str, command: str) -> int:
        plain = self._without_sign(unicodedata.normalize("NFKC", text).strip())
        found = _NEGATIVE.fullmatch(plain)
        if found is not None:
            plain = self._without_sign(
                found["after"] or found["inside"] or found["before"] or ""
            )
        amount = self._unsigned(plain, text)
        is_negative = command in self._negative
        if amount and is_negative is (found is None):
            code = "amount_not_negative" if is_negative else "amount_negative"
            raise BadValue(code, value=shown(text), command=command)
        if amount >= AMOUNT_LIMIT:
            raise BadValue(code="amount_too_large", value=shown(text))
        return amount

    def _without_sign(self, text: str) -> str:
        for sign in self._signs:
            text = text.removeprefix(sign).removesuffix(sign).strip()
        return text

    def _unsigned(self, plain: str, text: str) -> int:
        if self._decimal_comma:
            plain = plain.translate({ord(","): ".", ord("."): ","})
        whole, point, fraction = plain.partition(".")
        if _GROUPED.fullmatch(whole):
            whole = whole.replace(",", "")
        if not _PLAIN.fullmatch(whole):
            code = "amount_separators" if _is_grouped(plain) else "amount_unknown"
            raise BadValue(code, value=shown(text))
        if not point:
            return int(whole + "0" * self._digits)
        return int(whole + self._fraction(fraction, text))

    def _fraction(self, fraction: str, text: str) -> str:
        if self._takes_zeros and fraction in _ZEROS:
            return ""  # databases write 1000.00 for yen; nothing else can be meant
        if not _PLAIN.fullmatch(fraction) or len(fraction) > self._digits:
            code = "amount_decimals" if _PLAIN.fullmatch(fraction) else "amount_unknown"
            if len(fraction) == _THOUSANDS and code == "amount_decimals":
                code = "amount_separators"  # perhaps 1.000 for a thousand
            raise BadValue(code, value=shown(text), currency=self._currency)
        return fraction.ljust(self._digits, "0")


def _is_grouped(plain: str) -> bool:
    return "," in plain and plain.replace(",", "").replace(".", "").isdigit()
