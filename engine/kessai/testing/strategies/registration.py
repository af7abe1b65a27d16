"""The entry point that Hypothesis loads: what `st.from_type` gives for kessai's types.

    st.from_type(kessai.Command)

Hypothesis is imported by many who never use kessai in that run. So nothing is imported
here: the types are registered when `kessai.machine` is imported, or at once if it is.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

TYPES_OF = "kessai.machine"


def register() -> None:
    """Have the types registered once they are there."""
    if TYPES_OF in sys.modules:
        _register_types()
    else:
        sys.meta_path.insert(0, _OnceImported())


class _OnceImported(MetaPathFinder):
    """Waits until one module is imported; finds nothing, and then removes itself."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - importlib's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """What others find; once it is executed, its types are registered."""
        if fullname != TYPES_OF:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _AndThen(spec, spec.loader)
        return spec


class _AndThen(Loader):
    """Has a module executed by its own loader, and the types registered then."""

    def __init__(self, spec: ModuleSpec, own: Loader) -> None:
        self._spec = spec
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """What the module's own loader makes."""
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own loader back, and have that execute it."""
        self._spec.loader = module.__loader__ = self._own
        self._own.exec_module(module)
        _register_types()


def _register_types() -> None:
    from hypothesis import strategies as st

    from kessai.machine import Command, Operation, Transaction
    from kessai.machine.events import KINDS

    for kind in (Command, Operation, Transaction, *KINDS.values()):
        st.register_type_strategy(kind, _values_of)


def _values_of(kind: type) -> Any:
    from kessai.testing.strategies.registered import values_of

    return values_of(kind)
