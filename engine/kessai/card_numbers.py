"""Card numbers, found in any text so that none is ever taken, kept or shown.

This module owns what counts as one. It knows no command and no message: code that takes
a text refuses it, code that shows a text uses `without_card_numbers`.

A card number is 13 to 19 digits of any script that pass the Luhn check, begin as an
issuer's numbers do and have their length. Its digits stand together, or in groups as
cards are printed and typed: by four, by two, one by one, or as their issuer prints
them. The groups matter, because order systems are full of other digits: Amazon's order
ids (3-7-7), UUIDs (8-4-4-4-12) and phone numbers in a list would sometimes pass as a
card. For the same reason a digest or an id in hexadecimal (24 digits and more) is read
whole. 13 digits with the check digit of an article number (JAN, EAN) or of a Japanese
corporate number are that number; no issuer gives out 13 digits today.

One in ten numbers passes the Luhn check by chance. So an order id of 13 or more digits
alone, which begins like a card, is sometimes refused. A year in front (`2026…`) or a
letter in between always prevents that.
"""

import re
from collections.abc import Iterator

SHORTEST = 13
LONGEST = 19
REPLACEMENT = "[card number]"

# A dash of any kind, a space of any kind, a dot, a slash, and invisible characters.
_BETWEEN = r"\s\-_./\u00ad\u00b7\u200b-\u200d\u2010-\u2015\u2060\u2212\ufeff\uff0d"
_LIKELY = re.compile(rf"[\d{_BETWEEN}]{{{SHORTEST}}}")
_RUN = re.compile(rf"\d+(?:[{_BETWEEN}]{{1,3}}\d+)*")
_GROUP = re.compile(r"\d+")

_EVEN_GROUPS = (1, 2, 4)
_PRINTED = {(4, 6, 5), (4, 6, 4), (4, 3, 3, 3), (6, 13), (8, 8)}

# A UUID, or another id or digest in hexadecimal.
_NAME = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24,}",
    re.IGNORECASE | re.ASCII,
)

_ANY = tuple(range(16, 20))
_ISSUERS = (
    # the first four digits, from and to, and how many digits there are in all
    (1800, 1800, (15,)),  # JCB
    (2131, 2131, (15,)),  # JCB
    (2200, 2204, (16,)),  # Mir
    (2221, 2720, (16,)),  # Mastercard
    (3000, 3059, (14, 16, 19)),  # Diners Club
    (3095, 3095, (14, 16, 19)),  # Diners Club
    (3400, 3499, (15,)),  # American Express
    (3528, 3589, _ANY),  # JCB
    (3600, 3699, (14, 16, 19)),  # Diners Club
    (3700, 3799, (15,)),  # American Express
    (3800, 3999, (14, 16, 19)),  # Diners Club
    (4000, 4999, (13, 16, 19)),  # Visa
    (5018, 5018, (13, 14, 15, *_ANY)),  # Maestro
    (5020, 5020, (13, 14, 15, *_ANY)),  # Maestro
    (5038, 5038, (13, 14, 15, *_ANY)),  # Maestro
    (5100, 5599, (16,)),  # Mastercard
    (5893, 5893, (13, 14, 15, *_ANY)),  # Maestro
    (6011, 6011, (16, 19)),  # Discover
    (6200, 6299, _ANY),  # UnionPay
    (6304, 6304, (13, 14, 15, *_ANY)),  # Maestro
    (6440, 6599, (16, 19)),  # Discover
    (6759, 6763, (13, 14, 15, *_ANY)),  # Maestro
    (8100, 8171, _ANY),  # UnionPay
)

_LENGTHS = {
    head: lengths for low, high, lengths in _ISSUERS for head in range(low, high + 1)
}
_HEAD = 4


def has_card_number(text: str) -> bool:
    """Whether a card number stands anywhere in `text`."""
    return _may_hold_one(text) and next(find_card_numbers(text), None) is not None


def without_card_numbers(text: str) -> str:
    """`text` with every card number replaced, so that it may be shown."""
    for start, end in reversed(list(find_card_numbers(text))):
        text = text[:start] + REPLACEMENT + text[end:]
    return text


def find_card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers begin and end in `text`, from left to right."""
    if not _may_hold_one(text):
        return
    names = [found.span() for found in _NAME.finditer(text)]
    for run in _RUN.finditer(text):
        if run.end() - run.start() < SHORTEST:
            continue
        for start, end in _in_run(text, *run.span()):
            if not any(low <= start and end <= high for low, high in names):
                yield start, end


def _may_hold_one(text: str) -> bool:
    """Whether to look closer; nearly every text is too short or has too few digits."""
    return len(text) >= SHORTEST and _LIKELY.search(text) is not None


def _in_run(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The card numbers among groups of digits; each group belongs to one at most."""
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    first = 0
    while first < len(groups):
        number = _card_from(text, groups[first : first + LONGEST])
        if number:
            yield groups[first][0], groups[first + number - 1][1]
        first += number or 1


def _card_from(text: str, groups: list[tuple[int, int]]) -> int:
    """How many of `groups`, from the first on, form the longest card number, or 0."""
    found = 0
    digits = ""
    sizes: tuple[int, ...] = ()
    lengths: tuple[int, ...] | None = None
    for start, end in groups:
        digits += text[start:end]
        sizes = (*sizes, end - start)
        if lengths is None and len(digits) >= _HEAD:
            lengths = _LENGTHS.get(int(digits[:_HEAD]), ())
        if lengths == () or len(digits) > LONGEST:
            break
        if len(digits) in (lengths or ()) and _is_written_so(sizes):
            found = len(sizes) if _is_card(digits) else found
    return found


def _is_written_so(sizes: tuple[int, ...]) -> bool:
    """Whether groups of these sizes are how a card number is printed or typed."""
    *even, last = sizes
    return (
        not even
        or sizes in _PRINTED
        or (even[0] in _EVEN_GROUPS and set(even) == {even[0]} and last <= even[0])
    )


def _is_card(digits: str) -> bool:
    plain = [int(digit) for digit in digits]
    odd, doubled = plain[-1::-2], plain[-2::-2]
    # The digits of twice a digit, summed: 2 × 7 = 14, and 1 + 4 = 5 = 14 - 9.
    luhn = sum(odd) + 2 * sum(doubled) - 9 * sum(digit > 4 for digit in doubled)  # noqa: PLR2004
    return luhn % 10 == 0 and not (len(plain) == SHORTEST and _is_other_number(plain))


def _is_other_number(digits: list[int]) -> bool:
    """Whether 13 digits are an article number (JAN, EAN) or a corporate number."""
    article = (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0
    # Its check digit comes first; the weights are 1 and 2, from the last digit on.
    corporate = digits[0] == 9 - (sum(digits[-1:0:-2]) + 2 * sum(digits[-2:0:-2])) % 9
    return article or corporate
