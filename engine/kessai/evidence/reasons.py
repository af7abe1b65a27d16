"""The reasons for which evidence is recorded as a discrepancy, as sentences."""

from kessai.words import Words

REASONS = Words("discrepancies")
"""A sentence for each reason, by its name."""


def discrepancy_sentence(reason: str, language: str) -> str:
    """The sentence of a discrepancy's `reason` in `language`, `en` or `ja`.

    A reason that this version does not know, from another version's trail, is given as
    it is.
    """
    return REASONS(reason, language) if reason in REASONS else reason
