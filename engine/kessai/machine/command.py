"""What an order system asks for, checked for shape before anything looks at it.

This module refuses what is not well-formed at all (a float for money, a lone surrogate).
What a lifecycle refuses is a denial, and `kessai.machine.decide`'s business.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from kessai.errors import InvalidCommand
from kessai.money import AMOUNT_LIMIT, is_amount

MAX_ID = 255
MAX_TEXT = 16_384

_NAME = re.compile(r"[a-z][a-z_]{0,63}")
_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")
_TEXT = re.compile(r"[^\x00\ud800-\udfff]*")
_canonical = msgspec.json.Encoder(order="sorted").encode


def _plain(parameters: Any) -> Any:
    """Plain dicts and texts, copied; what is no mapping is left for the checks."""
    if not isinstance(parameters, Mapping):
        return parameters
    return {name: _plain_value(value) for name, value in parameters.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, str):
        return str.__str__(value)  # an enumerated text is its value, not its name
    return dict(value) if isinstance(value, Mapping) else value


@attrs.frozen
class Command:
    """A request to carry one transaction one step further.

    `amount` is in minor units of the lifecycle's currency; None means the default that
    the lifecycle declares. `lifecycle` is needed by `authorize`, `agreement` by
    `reauthorize`. `parameters` are those that the lifecycle names: flags are booleans,
    `frequency` is `{"unit": "Month", "value": 1}`, the rest is text. `key` makes the
    command idempotent: one key, one request, one effect.

    Raises:
        InvalidCommand: a field is missing, or not of its shape.

    """

    name: str
    transaction: str
    key: str = attrs.field(kw_only=True)
    lifecycle: str | None = attrs.field(default=None, kw_only=True)
    agreement: str | None = attrs.field(default=None, kw_only=True)
    amount: int | None = attrs.field(default=None, kw_only=True)
    parameters: Mapping[str, Any] = attrs.field(
        factory=dict[str, Any],
        kw_only=True,
        repr=False,
        # A copy: what was asked for stays what it was, whatever the caller does next.
        converter=_plain,
    )

    def __attrs_post_init__(self) -> None:
        _check_text("command", self.name, _NAME, "a name such as 'capture'")
        _check_text("transaction", self.transaction, _ID, _ID_SHAPE)
        _check_text("key", self.key, _ID, _ID_SHAPE)
        if self.lifecycle is not None:
            _check_text("lifecycle", self.lifecycle, _NAME, "a name")
        if self.agreement is not None:
            _check_text("agreement", self.agreement, _ID, _ID_SHAPE)
        if self.amount is not None and not is_amount(self.amount):
            message = f"amount: a whole number of minor units below {AMOUNT_LIMIT:,}"
            raise InvalidCommand(message)
        if self.parameters:
            _check_parameters(self.parameters)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything asked for, the key left out."""
        request = (
            self.name,
            self.transaction,
            self.lifecycle,
            self.agreement,
            self.amount,
            self.parameters,
        )
        return hashlib.sha256(_canonical(request)).hexdigest()


_ID_SHAPE = f"a text of 1 to {MAX_ID} characters without control characters"


def _check_text(field: str, value: object, shape: re.Pattern[str], what: str) -> None:
    if type(value) is not str or shape.fullmatch(value) is None:
        message = f"{field}: must be {what}"
        raise InvalidCommand(message)


def _check_parameters(parameters: object) -> None:
    if not isinstance(parameters, Mapping):
        message = "parameters: must be a mapping from names to values"
        raise InvalidCommand(message)
    for name, value in parameters.items():
        _check_text("parameters", name, _NAME, "named like 'note'")
        if isinstance(value, str):
            if len(value) > MAX_TEXT or _TEXT.fullmatch(value) is None:
                message = f"{name}: a text of at most {MAX_TEXT} characters without NUL"
                raise InvalidCommand(message)
        elif not isinstance(value, bool) and not _is_frequency(value):
            message = f"{name}: a text, true or false, or a frequency (unit, value)"
            raise InvalidCommand(message)


def _is_frequency(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"unit", "value"}
        and type(value["unit"]) is str
        and _ID.fullmatch(value["unit"]) is not None
        and is_amount(value["value"])
    )
