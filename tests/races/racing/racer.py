"""One process among many: given a command, it waits for the signal and carries it out.

racer.py STORE GATEWAY   both are URLs
"""

import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kessai import Engine, StoreWarning, open_store
from racing.persistent import carry_out, from_data
from racing.runners import adapter


def put(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(store, gateway):
    warnings.simplefilter("ignore", StoreWarning)
    with Engine(adapter=adapter(gateway), store=open_store(store)) as engine:
        put("ready")
        for line in sys.stdin:
            command = from_data(json.loads(line))
            put("set")
            sys.stdin.readline()
            put(carry_out(engine, command))


if __name__ == "__main__":
    main(*sys.argv[1:])
