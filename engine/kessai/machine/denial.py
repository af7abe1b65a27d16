"""Refusals as values: every failed guard by name, what would pass, and why, in words.

A refusal is an answer, not an error: nothing changed, and asking again is harmless.
"""

import re
from collections.abc import Mapping

import attrs

from kessai.money import Currency, show_amount
from kessai.words import Text, Words

Value = str | int

NO_STATES = "-"
"""The value of `states` if no track was opened."""

_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")
_LISTS: Mapping[str, tuple[str, str]] = {
    # the values that are lists of names: how they are stored, and how they are joined
    "command": (", ", "comma"),
    "operations": (", ", "comma"),
    "allowed": (", ", "or"),
    "currencies": (", ", "or"),
    "states": (" ", "and"),
}
_joining = Words("joining")

STRUCTURAL = Words("denials")
"""The sentences that no lifecycle needs to repeat, by denial code."""


@attrs.frozen
class Bounds:
    """The amounts that would pass, in minor units, and the default when none is given.

    Nothing passes when `maximum` is below `minimum`.
    """

    minimum: int
    maximum: int
    default: int | None = None


@attrs.frozen
class Reason:
    """One failed guard: its code, the rule it comes from, and the values it checked.

    Whole numbers among `values` are amounts in minor units, except `most`.
    """

    code: str
    rule: str
    values: Mapping[str, Value] = attrs.field(factory=dict[str, Value])


@attrs.frozen(kw_only=True)
class Denial:
    """A refused command with all its reasons, in declared order.

    `currency` is that of its amounts; None where the request left it open.
    """

    command: str
    transaction: str
    reasons: tuple[Reason, ...]
    bounds: Bounds | None = None
    currency: Currency | None = attrs.field(default=None, eq=False)
    texts: Mapping[str, Text] = attrs.field(default=STRUCTURAL, repr=False, eq=False)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all failed guards."""
        return tuple(reason.code for reason in self.reasons)

    def sentences(self, language: str = "en") -> tuple[str, ...]:
        """One sentence per reason, in `language`, `en` or `ja`."""
        return tuple(self._sentence(reason, language) for reason in self.reasons)

    def rules(self, language: str = "en") -> Mapping[str, str]:
        """The rules that the reasons name: the sentence of each code, in `language`.

        A code without a sentence in the lifecycle file is left out.
        """
        from kessai.spec import rule_codes  # who keeps or lists a denial asks for none

        codes = (code for reason in self.reasons for code in rule_codes(reason.rule))
        found = {code: self.texts.get(f"rule {code}") for code in codes}
        return {code: t.in_language(language) for code, t in found.items() if t}

    def __str__(self) -> str:
        return " ".join(self.sentences())

    def _sentence(self, reason: Reason, language: str) -> str:
        text = self.texts.get(reason.code)
        if text is None:  # recorded under a lifecycle file that has changed since
            return reason.code
        template = text.in_language(language)
        values = {
            name: self._shown(name, value, language)
            for name, value in reason.values.items()
        }
        return template.format_map({"transaction": self.transaction, **values})

    def _shown(self, name: str, value: Value, language: str) -> Value:
        """A value as a sentence shows it: amounts with currency, names as titles."""
        if isinstance(value, int):
            return value if name == "most" else show_amount(value, self.currency)
        if name == "limit":
            kind, _, most = value.partition(" ")
            return self.texts[f"limit_{kind}"].in_language(language).format(most=most)
        if value == NO_STATES and name == "states":
            return self.texts["states_none"].in_language(language)
        if name not in _LISTS:
            return value
        separator, joined = _LISTS[name]
        parts = (self._title(part, language) for part in value.split(separator))
        return _joining(joined, language).join(parts)

    def _title(self, name: str, language: str) -> str:
        def title(found: re.Match[str]) -> str:
            text = self.texts.get(f"title {found[0]}")
            text = text or self.texts.get(f"phase_{found[0]}")
            return text.in_language(language) if text else found[0]

        return _NAME.sub(title, name)
