"""The report as one JSON object, keys in order."""

import msgspec

from kessai.audit.reporting.facts import Facts
from kessai.audit.reporting.plain import plain

_encode = msgspec.json.Encoder(order="sorted").encode


def as_json(facts: Facts, language: str) -> str:
    """The report as JSON: all counts, and the first finds of each kind."""
    return (
        msgspec.json.format(_encode(plain(facts, language)), indent=1).decode() + "\n"
    )
