"""What a stored lifecycle file calls things: for whoever lists transactions by the hundred.

A list applies no rule, so none is read.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from kessai.money import Currency
from kessai.words import Text


class TrackTitles(msgspec.Struct, frozen=True):
    """The titles of a track and of its states."""

    title: Text
    states: Mapping[str, Text]


class _Head(msgspec.Struct, frozen=True):
    title: Text
    currencies: Mapping[str, int]


class LifecycleTitles(msgspec.Struct, frozen=True):
    """The titles in a lifecycle file, by the names that `Lifecycle` has for them."""

    lifecycle: _Head
    amounts: Mapping[str, Text]
    tracks: Mapping[str, TrackTitles]

    @property
    def title(self) -> Text:
        """Of the lifecycle itself."""
        return self.lifecycle.title

    def currency(self, code: str) -> Currency | None:
        """The declared currency called `code`."""
        digits = self.lifecycle.currencies.get(code)
        return None if digits is None else Currency(code, digits)


_decoder = msgspec.json.Decoder(LifecycleTitles)


def stored_titles(document: bytes, digest: str) -> LifecycleTitles | None:
    """The titles in a stored `document`; None if it is not the one of that hash."""
    if hashlib.sha256(document).hexdigest() != digest:
        return None
    try:
        return _decoder.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
