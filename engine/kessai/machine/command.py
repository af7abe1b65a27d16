"""What an order system asks for, checked for shape before anything else reads it.

This module refuses what is malformed (a float for money, a lone surrogate), and card
numbers in any field: requests are stored, and card numbers must not be.
What a lifecycle refuses is a denial, and `kessai.machine.decide`'s business.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from kessai.card_numbers import SHORTEST, has_card_number
from kessai.errors import InvalidCommand
from kessai.ids import MAX_ID, ONE_LINE
from kessai.money import AMOUNT_LIMIT, is_amount
from kessai.spec.model import NAME
from kessai.spec.parameters import TextParameter, misshapen, texts_in

MAX_PARAMETERS = 64
"""Far more than any lifecycle declares: a denial names each one that is not taken."""

_CODE = re.compile(r"[A-Z]{3}")
_canonical = msgspec.json.Encoder(order="sorted").encode


def _plain(parameters: Any) -> Any:
    """Plain dicts and texts, copied; anything but a mapping is left for the checks."""
    if not isinstance(parameters, Mapping):
        return parameters
    return {name: _plain_value(value) for name, value in parameters.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, str):
        return str.__str__(value)  # an enumerated text is its value, not its name
    return dict(value) if isinstance(value, Mapping) else value


@attrs.frozen(slots=False)  # see `of_fields`
class Command:
    """A request to carry one transaction one step further.

    `amount` is in minor units of the transaction's currency; None means the default
    that the lifecycle declares. `currency` (an ISO 4217 code) is needed by an opening
    command if the lifecycle has several; later commands may repeat it. `lifecycle` is
    needed by `authorize`, `agreement` by `reauthorize`. `account` is whose payments
    these are (`Adapter.account`): needed by an opening command if the engine has
    several; later commands may repeat it. `parameters` are those that the
    lifecycle names: flags are booleans, `frequency` is `{"unit": "Month", "value": 1}`,
    the rest is text. `key` makes the command idempotent: one key, one request, one
    effect.

    Raises:
        InvalidCommand: a field is missing, has the wrong shape, or holds a card number.
            The message names the field and never shows its value.

    """

    name: str
    transaction: str
    key: str = attrs.field(kw_only=True)
    lifecycle: str | None = attrs.field(default=None, kw_only=True)
    agreement: str | None = attrs.field(default=None, kw_only=True)
    amount: int | None = attrs.field(default=None, kw_only=True)
    currency: str | None = attrs.field(default=None, kw_only=True)
    account: str | None = attrs.field(default=None, kw_only=True)
    parameters: Mapping[str, Any] = attrs.field(
        factory=dict[str, Any],
        kw_only=True,
        repr=False,
        # A copy, so that the caller cannot change the command afterwards.
        converter=_plain,
    )

    def __attrs_post_init__(self) -> None:
        _check_text("command", self.name, NAME, "a name such as 'capture'")
        _check_text("transaction", self.transaction, ONE_LINE, _ID_SHAPE)
        _check_text("key", self.key, ONE_LINE, _ID_SHAPE)
        if self.lifecycle is not None:
            _check_text("lifecycle", self.lifecycle, NAME, "a name such as 'one_time'")
        if self.agreement is not None:
            _check_text("agreement", self.agreement, ONE_LINE, _ID_SHAPE)
        if self.amount is not None:
            _check_amount(self.amount)
        if self.currency is not None:
            _check_text("currency", self.currency, _CODE, "a code such as 'JPY'")
        if self.account is not None:
            _check_text("account", self.account, ONE_LINE, _ID_SHAPE)
        if self.parameters:
            _check_parameters(self.parameters)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything asked for, without the key."""
        request = (
            self.name,
            self.transaction,
            self.lifecycle,
            self.agreement,
            self.amount,
            self.currency,
            self.parameters,
            self.account,
        )
        return fingerprint(request)


def fingerprint(request: object) -> str:
    """SHA-256 (hex) of the canonical JSON of what was asked for."""
    return hashlib.sha256(_canonical(request)).hexdigest()


def checked_resumption(parameters: object) -> dict[str, str]:
    """What a consumer came back with, copied: texts under names of any kind.

    They are sent on and stored nowhere, so only the gateway judges what they hold.

    Raises:
        InvalidCommand: they are not such a mapping; no value is shown.

    """
    message = f"parameters: must be at most {MAX_PARAMETERS} texts by their names"
    if not isinstance(parameters, Mapping) or len(parameters) > MAX_PARAMETERS:
        raise InvalidCommand(message)
    for text in (*parameters, *parameters.values()):
        if type(text) is not str or not TextParameter.is_shaped(text):
            raise InvalidCommand(message)
    return dict(parameters)


_ID_SHAPE = (
    f"a text of 1 to {MAX_ID} characters, without control characters or half a"
    " surrogate pair"
)


def _check_text(field: str, value: object, shape: re.Pattern[str], what: str) -> None:
    if type(value) is not str or shape.fullmatch(value) is None:
        message = f"{field}: must be {what}"
        raise InvalidCommand(message)
    _refuse_card(field, value)


def _refuse_card(field: str, text: str) -> None:
    if has_card_number(text):
        message = (
            f"{field}: a card number, or what looks like one; text without it is right,"
            " and for an id letters between its digits"
        )
        raise InvalidCommand(message)


def _check_amount(amount: object) -> None:
    if not is_amount(amount):
        message = f"amount: a whole number of minor units below {AMOUNT_LIMIT:,}"
        raise InvalidCommand(message)
    # A card number in place of an amount: its 15 digits are still below the limit.
    if amount >= _SMALLEST_CARD:
        _refuse_card("amount", str(amount))


_SMALLEST_CARD = 10 ** (SHORTEST - 1)


def _check_parameters(parameters: object) -> None:
    if not isinstance(parameters, Mapping):
        message = "parameters: must be a mapping from names to values"
        raise InvalidCommand(message)
    if len(parameters) > MAX_PARAMETERS:
        message = f"parameters: must be at most {MAX_PARAMETERS}"
        raise InvalidCommand(message)
    for name, value in parameters.items():
        _check_text("parameters", name, NAME, "named like 'note'")
        if right := misshapen(value):
            message = f"{name}: {right}"
            raise InvalidCommand(message)
        for text in texts_in(value):
            _refuse_card(name, text)
