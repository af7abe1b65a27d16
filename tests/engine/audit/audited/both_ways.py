"""An audit that takes no short way, to hold the usual one against."""

import pytest

from kessai.audit import verify
from kessai.audit.verification.fast_path.walk import TrailWalk

_in_full = TrailWalk._in_full


def verify_in_full(store, **how):
    """`verify` with every single event read, replayed and decided in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrailWalk, "step", _step)
        return verify(store, **how)


def _step(walk, record):
    return _in_full(walk, record, None)
