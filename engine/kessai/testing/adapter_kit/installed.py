"""An installed adapter by its name, and what its author put on record of it.

The adapter is an entry point of `kessai.adapters`. Its samples are what the function
`samples` of a module `samples` returns, in the package of the adapter's own module.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any

from kessai.errors import AdapterMissing, InvalidInput, KessaiError
from kessai.testing.adapter_kit.kit import Kit
from kessai.testing.adapter_kit.samples import AdapterSamples

GROUP = "kessai.adapters"


def installed_kit(name: str, *, recording: bool = False) -> Kit:
    """The kit of the installed adapter `name`.

    Raises:
        AdapterMissing: no such adapter is installed, or it cannot be imported.
        InvalidInput: its author put nothing on record, or nothing that can be used.

    """
    point = _entry_point(name)
    kind = _loaded(point)
    make, module = _samples_of(point)
    samples = make()
    if not isinstance(samples, AdapterSamples):
        message = f"{module}.samples(): must return AdapterSamples, not {samples!r}"
        raise InvalidInput(message)
    try:
        adapter = kind.from_environment(samples.environment)
    except (AttributeError, KessaiError) as error:
        message = f"{point.value}.from_environment(samples().environment): {error}"
        raise InvalidInput(message) from error
    where, _, what = point.value.partition(":")
    imports = (f"from {where} import {what}", f"from {module} import samples")
    made = f"{what}.from_environment(samples().environment)"
    return Kit(adapter, samples, made=(imports, made), recording=recording)


def _entry_point(name: str) -> EntryPoint:
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        message = f"adapter {name!r} is not installed; installed are: {known}"
        raise AdapterMissing(message)
    return found[name]


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        message = f"adapter {point.name!r} ({point.value}) cannot be imported: {error}"
        raise AdapterMissing(message) from error


def _samples_of(point: EntryPoint) -> tuple[Callable[[], object], str]:
    for module in _modules(point.module):
        if find_spec(module) is not None:
            make = getattr(import_module(module), "samples", None)
            if callable(make):
                return make, module
            message = (
                f"{module}: needs a function samples() that returns AdapterSamples"
            )
            raise InvalidInput(message)
    message = (
        f"adapter {point.name!r} has nothing on record: no module"
        f" {' or '.join(_modules(point.module))}; see kessai.testing.adapter_kit.public"
    )
    raise InvalidInput(message)


def _modules(module: str) -> Iterator[str]:
    """Where samples may be: in the adapter's package, or beside its module."""
    spec = find_spec(module)
    if spec is not None and spec.submodule_search_locations is not None:
        yield f"{module}.samples"
    package, dot, _ = module.rpartition(".")
    if dot:
        yield f"{package}.samples"
