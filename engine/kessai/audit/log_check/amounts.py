"""Amounts as logs write them, to whole minor units. Nothing about money is guessed.

Digits of any width, thousands separators where thousands are, the currency's sign or
code, the apostrophe of a spreadsheet's text, a plus, a minus where a command is given as
negative. A fraction is taken only where amounts are given as major units, with as many
digits as the currency has; databases write zeros after them. `1.000` may be a thousand.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable

from kessai.audit.log_check.words import BadValue, shown, words
from kessai.money import AMOUNT_LIMIT, Currency

_NEGATIVE = re.compile(r"[-−▲△](?P<after>.*)|\((?P<inside>.*)\)|(?P<before>.*)-")
_PLAIN = re.compile(r"\d{1,24}", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3}){1,7}", re.ASCII)
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
        self._takes_zeros = in_major_units or currency.digits == 0
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
        return self._checked(self._signed(text), text, command)

    def total(self, texts: Iterable[str], command: str) -> int | None:
        """The sum of all `texts` for a `command`, None where all are empty.

        Raises:
            BadValue: one states no amount, or the sum is none for the command.

        """
        stated = [text for text in texts if text]
        if not stated:
            return None
        amount = sum(self._signed(text) for text in stated)
        return self._checked(amount, " + ".join(stated), command)

    def _checked(self, amount: int, text: str, command: str) -> int:
        is_negative = command in self._negative
        if amount and is_negative is (amount > 0):
            code = "amount_not_negative" if is_negative else "amount_negative"
            raise BadValue(code, value=shown(text), command=command)
        if abs(amount) >= AMOUNT_LIMIT:
            raise BadValue(code="amount_too_large", value=shown(text))
        return abs(amount)

    def _signed(self, text: str) -> int:
        plain = unicodedata.normalize("NFKC", text).strip()
        plain = self._without_sign(plain.removeprefix("'"))
        found = _NEGATIVE.fullmatch(plain)
        if found is not None:
            plain = self._without_sign(
                found["after"] or found["inside"] or found["before"] or ""
            )
            return -self._unsigned(plain, text)
        return self._unsigned(self._without_sign(plain.removeprefix("+")), text)

    def _without_sign(self, text: str) -> str:
        for sign in self._signs:
            text = text.removeprefix(sign).removesuffix(sign).strip()
        return text

    def _unsigned(self, plain: str, text: str) -> int:
        if self._decimal_comma:
            plain = plain.translate({ord(","): ".", ord("."): ","})
        written, point, fraction = plain.partition(".")
        whole = written.replace(",", "") if _GROUPED.fullmatch(written) else written
        if not _PLAIN.fullmatch(whole):
            code = "amount_separators" if _is_grouped(plain) else "amount_unknown"
            raise BadValue(code, value=shown(text))
        if not point:
            return int(whole + "0" * self._digits)
        return int(whole + self._fraction(written, fraction, text))

    def _fraction(self, whole: str, fraction: str, text: str) -> str:
        if not _PLAIN.fullmatch(fraction):
            raise BadValue(code="amount_unknown", value=shown(text))
        exact, more = fraction[: self._digits], fraction[self._digits :]
        if more and len(fraction) == _THOUSANDS and _may_be_thousands(whole):
            raise BadValue(code="amount_separators", value=shown(text))
        if more.strip("0") or (more and not self._takes_zeros):
            code = "amount_decimals"
            raise BadValue(code, value=shown(text), currency=self._currency)
        return exact.ljust(self._digits, "0")


def _may_be_thousands(whole: str) -> bool:
    """Whether what follows may be a group of thousands: in `1.000`, not in `0.000`."""
    return len(whole) <= _THOUSANDS and not whole.startswith("0")


def _is_grouped(plain: str) -> bool:
    return "," in plain and plain.replace(",", "").replace(".", "").isdigit()
