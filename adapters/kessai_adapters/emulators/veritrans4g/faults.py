"""What goes wrong at this gateway besides what does at any.

`SHIFT_JIS` malforms a reply; the other two `operations` plays.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs

from kessai_adapters.emulators.faults import FaultRule
from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.veritrans4g.words import READS


class OwnFault(StrEnum):
    """What goes wrong with an exchange at this gateway."""

    SHIFT_JIS = "shift_jis"
    """Carried out, answered in Shift_JIS where UTF-8 is announced."""

    PENDING = "pending"
    """Accepted and answered `pending`, final when the test asks for that."""

    REFUSE = "refuse"
    """Refused by Amazon Pay: a `failure` that changes nothing."""


def _in_shift_jis(reply: EmulatorReply) -> EmulatorReply:
    encoded = reply.body.decode().encode("shift_jis", "replace")
    return attrs.evolve(reply, body=encoded)


OWN: Final[Mapping[str, FaultRule]] = {
    OwnFault.SHIFT_JIS: FaultRule(spoil=_in_shift_jis),
    OwnFault.PENDING: FaultRule(spoil=None, spares=READS),
    OwnFault.REFUSE: FaultRule(spoil=None),
}
"""How each of them goes."""
