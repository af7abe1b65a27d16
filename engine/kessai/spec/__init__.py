"""Lifecycle files: TOML in, frozen objects out, or every mistake with its place.

This package owns what a lifecycle file may say. It knows nothing of transactions: what
a declaration does to one is `kessai.machine`'s business.
"""

from kessai.spec.expression import Effect, Expression
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
    Track,
)
from kessai.spec.parameters import (
    FlagParameter,
    FrequencyParameter,
    Parameter,
    TextParameter,
)
from kessai.spec.places import Mistake, Place
from kessai.spec.text import LANGUAGES, Text
from kessai.spec.words import Words

__all__ = [
    "LANGUAGES",
    "Agreement",
    "AmountRange",
    "CommandSpec",
    "Deadline",
    "Effect",
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
    "Text",
    "TextParameter",
    "Track",
    "Words",
    "load_file",
    "load_shipped",
    "rebuild",
    "shipped_names",
]
