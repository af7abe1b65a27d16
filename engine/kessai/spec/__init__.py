"""Lifecycle files: TOML in, frozen objects out, or every mistake with its place.

This package owns what a lifecycle file may say. It knows nothing of transactions: what
a declaration does to one is `kessai.machine`'s business.
"""

from typing import TYPE_CHECKING

from kessai.on_demand import import_on_demand

if TYPE_CHECKING:
    from kessai.spec.expression import AmountEffect, Expression
    from kessai.spec.load import load_file, load_shipped, rebuild, shipped_names
    from kessai.spec.model import (
        Agreement,
        AmountRange,
        CommandSpec,
        Deadline,
        Guard,
        Identifier,
        Invariant,
        Lifecycle,
        Move,
        Opening,
        Rule,
        Track,
        rule_codes,
    )
    from kessai.spec.parameters import (
        FlagParameter,
        FrequencyParameter,
        Parameter,
        TextParameter,
    )
    from kessai.spec.places import Mistake, Place
    from kessai.words import LANGUAGES, Text
else:
    import_on_demand(
        __name__,
        {
            ".expression": "AmountEffect Expression",
            ".load": "load_file load_shipped rebuild shipped_names",
            ".model": (
                "Agreement AmountRange CommandSpec Deadline Guard Identifier "
                "Invariant Lifecycle Move Opening Rule Track rule_codes"
            ),
            ".parameters": ("FlagParameter FrequencyParameter Parameter TextParameter"),
            ".places": "Mistake Place",
            "..words": "LANGUAGES Text",
        },
    )

__all__ = [
    "LANGUAGES",
    "Agreement",
    "AmountEffect",
    "AmountRange",
    "CommandSpec",
    "Deadline",
    "Expression",
    "FlagParameter",
    "FrequencyParameter",
    "Guard",
    "Identifier",
    "Invariant",
    "Lifecycle",
    "Mistake",
    "Move",
    "Opening",
    "Parameter",
    "Place",
    "Rule",
    "Text",
    "TextParameter",
    "Track",
    "load_file",
    "load_shipped",
    "rebuild",
    "rule_codes",
    "shipped_names",
]
