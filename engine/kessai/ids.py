"""What may be an id: a short text in one line. No store is asked for anything else."""

import re

MAX_ID = 255
"""Characters."""

ONE_LINE = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_ID}}}")
"""A short text without control characters or half a surrogate pair."""


def is_id(text: str) -> bool:
    """Whether `text` can be an id: of a transaction, a key, an account."""
    return ONE_LINE.fullmatch(text) is not None
