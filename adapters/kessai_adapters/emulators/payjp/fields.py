"""Reads the members of a request's JSON: each checked, none that is not known."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from kessai_adapters.emulators.payjp.problems import refuse_value

LEAST_AMOUNT: Final = 50
MOST_AMOUNT: Final = 9_999_999
MOST_METADATA: Final = 20
LONGEST_METADATA: Final = 500


class Fields:
    """The members of a request; `done` refuses those that nobody asked for."""

    def __init__(self, body: bytes) -> None:
        try:
            members = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            refuse_value("body", "is no JSON")
        if not isinstance(members, dict):
            refuse_value("body", "is no JSON object")
        self._members: Mapping[str, Any] = members
        self._known: set[str] = set()

    def get(self, name: str) -> Any:
        """The member `name`; None if it is not there."""
        self._known.add(name)
        return self._members.get(name)

    def text(self, name: str) -> str | None:
        """A text, or None."""
        value = self.get(name)
        if value is not None and not isinstance(value, str):
            refuse_value(name, "must be text")
        return value

    def needed(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if not value:
            refuse_value(name, "is required")
        return value

    def flag(self, name: str) -> bool:
        """A boolean; false if it is not there."""
        value = self.get(name)
        if not isinstance(value, bool | None):
            refuse_value(name, "must be true or false")
        return value is True

    def among(self, name: str, words: Collection[str]) -> str | None:
        """One of `words`, or None."""
        value = self.text(name)
        if value is not None and value not in words:
            refuse_value(name, f"must be one of {', '.join(sorted(words))}")
        return value

    def amount(self, name: str, least: int = LEAST_AMOUNT) -> int | None:
        """Whole yen from `least`, or None."""
        value = self.get(name)
        if value is None:
            return None
        if type(value) is not int or not least <= value <= MOST_AMOUNT:
            refuse_value(name, f"must be an integer from {least} to {MOST_AMOUNT}")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """A JSON object; empty if it is not there."""
        value = self.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            refuse_value(name, "must be an object")
        return value

    def metadata(self) -> dict[str, Any]:
        """Up to 20 members of up to 500 characters; an empty text deletes one."""
        value = self.mapping("metadata")
        if len(value) > MOST_METADATA:
            refuse_value("metadata", f"has more than {MOST_METADATA} members")
        for one in value.values():
            if not isinstance(one, str | int) or len(str(one)) > LONGEST_METADATA:
                refuse_value("metadata", "has a value that is too long, or no value")
        return {name: one for name, one in value.items() if one != ""}

    def done(self) -> None:
        """Refuse what nobody asked for."""
        if unknown := self._members.keys() - self._known:
            refuse_value(min(unknown), "is not known")
