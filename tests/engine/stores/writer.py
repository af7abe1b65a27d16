"""A process of its own that writes to a store and tells each thing that is written.

writer.py trail FILE NAME   append to NAME's trail until killed, telling each number
writer.py quiet FILE NAME   the same, and tell nothing
writer.py race FILE COUNT   when told to, try to begin COUNT transactions; tell wins
"""

import sys
import warnings

from kessai import SQLiteStore, StoreWarning
from kessai.errors import StoreBusy, VersionConflict
from kessai.testing.store_kit.conformance import Book

warnings.simplefilter("ignore", StoreWarning)


def tell(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def patiently(write):
    """Write, again while a disk that is busy elsewhere holds all writers up."""
    while True:
        try:
            return write()
        except StoreBusy:
            continue


def trail(store, name):
    book = Book(store, name)
    while True:
        patiently(lambda: book.write(book.denied()))
        tell(book.transaction.version)


def quiet(store, name):
    book = Book(store, name)
    while True:
        patiently(lambda: book.write(book.denied()))


def race(store, count):
    tell("ready")
    sys.stdin.readline()
    for number in range(int(count)):
        name = f"order-{number}"
        try:
            book = Book(store, name)
            patiently(lambda book=book, key=f"key-{number}": book.begin(key=key))
        except VersionConflict:
            continue
        tell(name)


if __name__ == "__main__":
    _, what, file, more = sys.argv
    {"trail": trail, "quiet": quiet, "race": race}[what](SQLiteStore(file), more)
