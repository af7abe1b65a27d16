"""How far an operation is: a machine of its own, declared once and used everywhere.

    prepared ──▶ begun                             its request is sent for the first time
    prepared ──▶ declined                          it never is
    begun ─────▶ pending, unknown, succeeded, declined
    unknown ───▶ pending, succeeded, declined      by evidence, never by time
    unknown ───▶ begun                             its request is sent again
    any open ──▶ begun                             what the consumer brought is sent on
    pending ───▶ succeeded, declined

The triggers are the outcomes that evidence reports, `SENT`, `RESENT` and `RESUMED`. A
trigger that the machine does not list changes no phase. So a pending operation stays pending
when an inquiry fails, since evidence never goes backwards. And no request is sent again
while the first may still be answered, or is known to have arrived.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from transitions import Machine as TransitionsMachine

from kessai.gateway import Outcome
from kessai.machine.phase import Phase

if TYPE_CHECKING:
    from kessai.machine.transaction import Operation

SENT = "sent"
"""The trigger of the first sending of what was only prepared."""

RESENT = "resent"
"""The trigger of a resend: the same request is sent again."""

RESUMED = "resumed"
"""The trigger of a resumption: what the consumer came back with is sent on."""

_ENDS = (Phase.SUCCEEDED, Phase.DECLINED)

PHASES = TransitionsMachine(
    model=None,
    auto_transitions=False,
    initial=Phase.BEGUN.value,
    states=[
        *(phase.value for phase in Phase if phase not in _ENDS),
        *({"name": end.value, "final": True} for end in _ENDS),
    ],
    transitions=[
        ["pending", ["begun", "unknown"], "pending"],
        ["unknown", "begun", "unknown"],
        [SENT, "prepared", "begun"],
        [RESENT, "unknown", "begun"],
        [RESUMED, ["begun", "pending", "unknown"], "begun"],
        ["succeeded", ["begun", "pending", "unknown"], "succeeded"],
        ["declined", ["prepared", "begun", "pending", "unknown"], "declined"],
    ],
)


_NAMED: Mapping[str | None, Phase] = {phase.value: phase for phase in Phase}


def phase_after(phase: Phase, trigger: str) -> Phase | None:
    """The phase that `trigger` leads to, one of those above; None if to none."""
    event = PHASES.events.get(trigger)
    found = None if event is None else event.transitions.get(phase)
    return _NAMED[found[0].dest] if found else None


def may_be_resent(operation: "Operation") -> bool:
    """Whether the request of an open operation may be sent again.

    Not once its consumer has come back: the gateway knew of it before.
    """
    is_unanswered = phase_after(operation.phase, RESENT) is not None
    return is_unanswered and operation.resumed_at is None


def is_final(outcome: Outcome) -> bool:
    """Whether an operation has ended after `outcome`."""
    return outcome.value in PHASES.states and PHASES.states[outcome.value].final


ENDED = frozenset(filter(is_final, Outcome))
"""The outcomes after which an operation is no longer open."""
