"""Runs a shop whose process dies at orders with certain names, and is replaced.

dying.py -m MODULE … APP

At one that ends in `-before` it dies before the shop's commit, at one that ends in
`-after` between the commit and the call of the gateway.
"""

import os
import runpy
import sys
from importlib import import_module
from pathlib import Path

from kessai import AsyncEngine, Engine

DIED = 70


def die_at(command, ending):
    if command.transaction.endswith(ending):
        os._exit(DIED)


def make_mortal():
    begin, begin_async = Engine.begin, AsyncEngine.begin

    def begin_or_die(self, command, *, connection):
        prepared = begin(self, command, connection=connection)
        die_at(command, "-before")
        return prepared

    async def begin_or_die_async(self, command, *, connection):
        prepared = await begin_async(self, command, connection=connection)
        die_at(command, "-before")
        return prepared

    Engine.begin, AsyncEngine.begin = begin_or_die, begin_or_die_async
    for kind in (Engine, AsyncEngine):
        kind.carry_out = dying_first(kind.carry_out)


def dying_first(carry_out):
    def carry_out_or_die(self, prepared):
        die_at(prepared.command, "-after")
        return carry_out(self, prepared)

    return carry_out_or_die


def main():
    make_mortal()
    sys.argv = sys.argv[2:]
    sys.path.insert(0, str(Path.cwd()))
    import_module(sys.argv[-1].partition(":")[0])  # once, for all that are forked
    while child := os.fork():
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != DIED:
            return
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
