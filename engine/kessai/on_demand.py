"""Packages whose names are imported when they are first used, and not before.

A command that only lists needs no machine, and whoever makes an engine needs no audit.
Nor does this import `typing`, or what imports it: that takes as long as starting Python.
"""

import sys
from types import ModuleType

TYPE_CHECKING = False
"""True to type checkers, who know this name wherever it stands."""

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class OnDemand(ModuleType):
    """A package that imports a name when it is asked for it.

    `decide`, say, is a function and the module that it stands in: the package has the
    function under that name, whichever of the two was imported first.
    """

    _places: "Mapping[str, str]"
    """Each name's module, as in a relative import."""

    def __getattr__(self, name: str) -> "Any":
        from importlib import import_module

        places = vars(self)["_places"]
        if name not in places:
            message = f"module {self.__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        if (place := places[name]) == ".":
            value: Any = import_module(f".{name}", self.__name__)
        else:
            value = getattr(import_module(place, self.__name__), name)
        vars(self)[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        if name not in vars(self)["_places"] or not isinstance(value, ModuleType):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *vars(self)["_places"]})


def import_on_demand(package: str, names: "Mapping[str, str]") -> None:
    """Have `package` import its `names`, given by module, when they are used.

    Those of `.` are modules of its own.
    """
    module: Any = sys.modules[package]
    module._places = {  # noqa: SLF001 - it is about to be its own
        name: place for place, found in names.items() for name in found.split()
    }
    module.__class__ = OnDemand
