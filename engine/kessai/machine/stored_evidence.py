"""Evidence as it is stored, in events and under keys."""

from typing import Any

import attrs

from kessai.gateway import Evidence

_STORED_EVIDENCE = tuple(
    (field.name, {} if isinstance(field.default, attrs.Factory) else field.default)  # type: ignore[arg-type]
    for field in attrs.fields(Evidence)
    if field.name not in {"disclosed", "listing"}
)
"""The stored fields of evidence, each with its empty value, which is left out."""


def evidence_data(evidence: Evidence) -> dict[str, Any]:
    """Evidence as stored: without what was disclosed to the caller alone."""
    fields = vars(evidence)
    return {
        name: fields[name] for name, empty in _STORED_EVIDENCE if fields[name] != empty
    }
