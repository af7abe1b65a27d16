"""Exit codes: what a script can tell from a command without reading its words."""

from kessai.errors import KessaiError, ResendWithSameKey, TrailBroken

DONE = 0
USAGE = 2  # wrong usage, or input that cannot be carried out
DENIED = 3  # refused by the lifecycle, or declined by the gateway
UNKNOWN = 4  # an outcome is unknown and left open
AUDIT = 5  # the trail does not hold
UNSHOWN = 6  # done, but standard output could not be written
STOPPED = 130  # a shell's code for a program that Ctrl-C ended


def exit_code_of(error: KessaiError) -> int:
    """The exit code for an error that ended a command."""
    if isinstance(error, TrailBroken):
        return AUDIT
    return UNKNOWN if isinstance(error, ResendWithSameKey) else USAGE
