"""How a log is to be read: what was given about it, and what reads its cells."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import tzinfo
from typing import Literal

import attrs

from kessai.audit.log_check.amounts import Amounts
from kessai.audit.log_check.classifier import (
    Classifier,
    Meaning,
    read_meaning,
    read_outcomes,
)
from kessai.audit.log_check.columns import Columns
from kessai.audit.log_check.entries import Readers
from kessai.audit.log_check.findings import MOST
from kessai.audit.log_check.formats.table import Layout
from kessai.audit.log_check.grouped import IN_MEMORY
from kessai.audit.log_check.ordering import FileOrder
from kessai.audit.log_check.preset import Preset
from kessai.audit.log_check.times import Times
from kessai.errors import InvalidInput
from kessai.machine import Machine


@attrs.frozen(kw_only=True)
class LogReading:
    """How a log is to be read; whatever is not given is found out, or refused.

    `columns` maps fields to columns, `commands` and `outcomes` the log's words to ours.
    `zone` is that of times without an offset. `unit`: amounts are in minor units, or in
    major ones; it must be given where the two differ. `order` is `time`, or `file`
    where the rows of an order stand in order. `first` is which row is the first of the
    file, the `oldest` or the `newest`. The first `keep` violations are kept. `preset`
    says what is known of the system that wrote the log, and what is given goes before.
    """

    columns: Mapping[str, str] = attrs.field(factory=dict[str, str])
    commands: Mapping[str, str] = attrs.field(factory=dict[str, str])
    outcomes: Mapping[str, str] = attrs.field(factory=dict[str, str])
    layout: Layout = attrs.field(factory=Layout)
    encoding: str | None = None
    zone: tzinfo | None = None
    time_format: str | None = None
    unit: Literal["minor", "major"] | None = None
    decimal_comma: bool = False
    negative: tuple[str, ...] = ()
    order: Literal["time", "file"] = "time"
    first: FileOrder | None = None
    any_id: bool = False
    older_agreements: bool = False
    keep: int = MOST
    in_memory: int = IN_MEMORY
    preset: Preset | None = None

    def with_preset(self, commands: Collection[str]) -> "LogReading":
        """The same, filled up from the preset, as far as `commands` are known."""
        preset = self.preset
        if preset is None:
            return self
        negative = tuple(name for name in preset.negative if name in commands)
        return attrs.evolve(
            self,
            layout=attrs.evolve(self.layout, header=preset.header),
            outcomes={**preset.outcomes, **self.outcomes},
            unit=self.unit or preset.unit,
            negative=self.negative or negative,
            any_id=self.any_id or preset.any_id,
        )


def readers_for(
    machines: Mapping[str, Machine], reading: LogReading, columns: Columns
) -> Readers:
    """What reads a log with these `columns`.

    Raises:
        InvalidInput: a word of the log is given a meaning that is not known.

    """
    every = tuple(machines.values())
    declared = {
        name: parameter
        for machine in every
        for name, parameter in machine.lifecycle.parameters.items()
        if name in columns.places
    }
    known = {flag for machine in every for flag in machine.lifecycle.flags}
    flags = tuple(name for name in declared if name in known)
    given: dict[str, Meaning] = {}
    for text, as_ in (reading.preset.commands if reading.preset else {}).items():
        with suppress(InvalidInput):  # not of these lifecycles: such rows are reported
            given[text] = read_meaning(as_, every)
    given |= {text: read_meaning(as_, every) for text, as_ in reading.commands.items()}
    return Readers(
        classifier=Classifier(every, given, read_outcomes(reading.outcomes), flags),
        times=Times(reading.zone, reading.time_format),
        amounts={
            code: Amounts(
                currency,
                in_major_units=reading.unit == "major",
                decimal_comma=reading.decimal_comma,
                negative=reading.negative,
            )
            for machine in every
            for code, currency in machine.lifecycle.currencies.items()
        },
        parameters={n: p for n, p in declared.items() if n not in known},
        flags=flags,
    )
