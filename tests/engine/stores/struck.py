"""A process whose main thread writes and is interrupted again and again.

struck.py FILE   three other threads write meanwhile; tells what each was acknowledged
"""

import json
import signal
import sys
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

from kessai import SQLiteStore, StoreWarning
from kessai.errors import CommitUnknown
from kessai.testing.store_kit.conformance import Book

warnings.simplefilter("ignore", StoreWarning)
TIMES = 100


def main(path):
    store, stop, acknowledged = SQLiteStore(path), Event(), Counter()

    def write(name):
        book = Book(store, name)
        with suppress(CommitUnknown):  # it was in a group whose leader was struck
            while not stop.is_set():
                book.write(book.denied())
                acknowledged[name] += 1

    # What is imported late is imported now: Python, struck amid an import by several
    # threads, may keep a lock of its own for good.
    Book(store, "before")
    signal.signal(signal.SIGALRM, strike)
    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(write, f"other-{number}") for number in range(3)]
        try:
            for number in range(TIMES):
                write_until_struck(store, number)
        finally:
            stop.set()
        for other in others:
            other.result()
    write_once(Book(store, "after"), acknowledged)
    store.close()
    sys.stdout.write(json.dumps(acknowledged))


STRUCK = Event()
"""Set before the interrupt is raised: Python itself may lose one in a callback."""


def strike(*_):
    STRUCK.set()
    raise KeyboardInterrupt


def write_until_struck(store, number):
    """Each time a little later. The timer may strike as soon as it is set."""
    STRUCK.clear()
    again = 0
    with suppress(KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + number * 0.00005)
        while not STRUCK.is_set():
            again += 1
            with suppress(CommitUnknown):
                write_on(Book(store, f"main-{number}-{again}"))


def write_on(book):
    while not STRUCK.is_set():
        book.write(book.denied())


def write_once(book, acknowledged):
    book.write(book.denied())
    acknowledged["after"] += 1


if __name__ == "__main__":
    main(sys.argv[1])
