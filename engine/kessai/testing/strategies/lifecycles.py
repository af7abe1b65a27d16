"""Which lifecycle is meant: a machine, a lifecycle, a shipped name, or a file's path."""

from pathlib import Path

from kessai.errors import InvalidInput
from kessai.machine import Machine, compile_lifecycle
from kessai.spec import Lifecycle, load_file, load_shipped, shipped_names

AnyLifecycle = Machine | Lifecycle | str | Path
"""A shipped lifecycle goes by its name; a text that is none of them is a path."""


def lifecycle_of(named: AnyLifecycle) -> Lifecycle:
    """The lifecycle that is meant.

    Raises:
        InvalidInput: it is none, or its file cannot be read or has mistakes.

    """
    if isinstance(named, Machine):
        return named.lifecycle
    if isinstance(named, Lifecycle):
        return named
    if named in shipped_names():
        return load_shipped(str(named))
    path = Path(named)
    if isinstance(named, str) and path.suffix != ".toml":
        known = ", ".join(shipped_names())
        message = f"lifecycle: {named!r} is neither shipped ({known}) nor a .toml file"
        raise InvalidInput(message)
    return load_file(path)


def machine_of(named: AnyLifecycle) -> Machine:
    """The machine of the lifecycle that is meant; a compiled one is kept.

    Raises:
        InvalidInput: it is none, or its file cannot be read or has mistakes.

    """
    if isinstance(named, Machine):
        return named
    lifecycle = lifecycle_of(named)
    machine = _COMPILED.get(lifecycle.hash)
    if machine is None:
        machine = _COMPILED[lifecycle.hash] = compile_lifecycle(lifecycle)
    return machine


_COMPILED: dict[str, Machine] = {}
