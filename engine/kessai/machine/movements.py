"""When money moved: the difference that an event makes to the amounts of a transaction.

A capture of 900 from 1,000 authorized is recorded as two events, and only the second
moves money:

    begun      capturing 0 → 900                       reserved, nothing has moved
    reported   capturing 900 → 0, captured 0 → 900, released 0 → 100
               moved: captured +900, released +100

An amount that no rule of the lifecycle reads is not a balance, and its changes move
nothing: the amount that a consent agreed to per charge, for instance, is only replaced.
"""

from collections.abc import Mapping

import msgspec

from kessai.machine.compile import Machine

_encode = msgspec.json.Encoder(order="sorted").encode


def moved(
    machine: Machine | None, before: Mapping[str, int], after: Mapping[str, int]
) -> dict[str, int]:
    """What was added to each balance, in minor units, in the lifecycle's order."""
    if machine is None or before == after:
        return {}
    return {
        name: change
        for name in machine.balances
        if (change := after.get(name, 0) - before.get(name, 0))
    }


def moved_as_json(
    machine: Machine | None, before: Mapping[str, int], after: Mapping[str, int]
) -> str | None:
    """The same as JSON, as it is kept beside an event; None for nothing."""
    found = moved(machine, before, after)
    return _encode(found).decode() if found else None
