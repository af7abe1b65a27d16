"""A log record for each event, and for each flow that broke off.

The logger is `kessai.events`. What a person should look at is a warning; all else is
information, and an intent is for debugging. A record's `kessai` holds the same as a
span: `kessai.transaction.id`, `kessai.operation.id`, `kessai.account`, …
"""

import logging
from typing import Any

from kessai.driver import Observer
from kessai.flow import Flow
from kessai.gateway import Outcome
from kessai.machine import Begun, Discrepancy, External, Reported, Reversed
from kessai.machine.chain import AppliedEvent
from kessai.telemetry import attributes

_log = logging.getLogger("kessai.events")


class LogObserver(Observer):
    """Writes to the logger `kessai.events`."""

    def appended(self, step: AppliedEvent) -> None:
        """Write a record of the event."""
        level = _level(step)
        if not _log.isEnabledFor(level):
            return
        about = attributes.of_event(step)
        what = (
            attributes.kind_of(step),
            about.get(attributes.COMMAND),
            about.get(attributes.OUTCOME),
            about.get(attributes.REASON),
        )
        said = " ".join(str(one) for one in what if one)
        name = about.get(attributes.TRANSACTION)
        _log.log(level, "%s: %s", name, said, extra={"kessai": about})

    def broke_off(self, flow: Flow[Any], error: BaseException) -> None:
        """Write which kind of error ended a flow."""
        name, kind = attributes.name_of(flow), attributes.error_type(error)
        about = {attributes.FLOW: name, attributes.ERROR: kind}
        _log.warning("%s broke off: %s", name, kind, extra={"kessai": about})


def _level(step: AppliedEvent) -> int:
    match step.event:
        case Begun():
            return logging.DEBUG
        case Discrepancy() | External() | Reversed():
            return logging.WARNING
        case Reported(outcome=Outcome.UNKNOWN):
            return logging.WARNING
        case _:
            return logging.INFO
