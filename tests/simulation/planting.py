"""How a mistake is planted in the engine: a context manager over the real code."""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

DEFECTS = {}
GATEWAYS = {}
"""Whose simulation finds a defect, by the defect's name."""


def defect(function, gateway="emulator"):
    """A generator that plants a defect, under its own name."""
    DEFECTS[function.__name__] = contextmanager(function)
    GATEWAYS[function.__name__] = gateway
    return function


@contextmanager
def planted(*replacements):
    """Each (place, name, new) in force, and afterwards all as it was."""
    with ExitStack() as stack:
        for place, name, new in replacements:
            stack.enter_context(patch.object(place, name, new))
        yield


def begins_under(flow, *replacements):
    """`flow`, with `replacements` in force until it asks for something."""
    with planted(*replacements):
        try:
            effect = next(flow)
        except StopIteration as stop:
            return stop.value
    while True:
        try:
            result = yield effect
        except Exception as error:  # noqa: BLE001 - the flow's own affair
            step = flow.throw, error
        else:
            step = flow.send, result
        try:
            effect = step[0](step[1])
        except StopIteration as stop:
            return stop.value
