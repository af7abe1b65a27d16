"""A program that forks while it reads; both processes write, and end as programs do.

preloaded.py URL   tells what each process did
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from kessai import open_store
from kessai.testing.store_kit.conformance import Book

ORDERS = 300


def write(store, name):
    book = Book(store, name)
    for _ in range(5):
        book.write(book.denied())
    return book.transaction.version


def tell(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(url):
    store = open_store(url)
    with ThreadPoolExecutor(8) as pool:
        for number in range(ORDERS):
            pool.submit(Book(store, f"order-{number:03}").begin)
    reading = store.trails()
    read = [next(reading)]
    child = os.fork()
    if not child:
        tell(f"child wrote {write(store, 'child')}")
        return 0
    status = os.waitpid(child, 0)[1]
    read += reading
    tell(f"parent read {len(read)} and wrote {write(store, 'parent')}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
