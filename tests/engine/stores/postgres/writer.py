"""A process of its own that works on a store and tells what it did.

writer.py race URL COUNT     when told to, try to begin COUNT transactions; tell wins
writer.py open URL _         when told to, open the store; tell that it is open
writer.py claim URL _        when told to, claim until nothing is due; tell each
"""

import sys
from datetime import timedelta

from kessai import PostgresStore
from kessai.errors import VersionConflict
from kessai.testing.store_kit.conformance import NOON, OURS, Book


def tell(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def wait():
    tell("ready")
    sys.stdin.readline()


def race(url, count):
    store = PostgresStore(url)
    wait()
    for number in range(int(count)):
        name = f"order-{number}"
        try:
            Book(store, name).begin(key=f"key-{number}")
        except VersionConflict:
            continue
        tell(name)


def open_it(url, _):
    wait()
    Book(PostgresStore(url), f"order-{sys.argv[3]}").begin()
    tell("open")


def claim(url, _):
    store = PostgresStore(url)
    wait()
    now = NOON + timedelta(days=1)
    while (lease := store.claim(now, now + timedelta(hours=1), OURS)) is not None:
        tell(f"{lease.transaction}/{lease.number}")


if __name__ == "__main__":
    _, what, url, more = sys.argv
    {"race": race, "open": open_it, "claim": claim}[what](url, more)
