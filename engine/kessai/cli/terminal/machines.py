"""The machine to show a transaction by: the one it began under, and no later one."""

from contextlib import suppress

from kessai.errors import TrailBroken
from kessai.machine import Machine, Machines, Transaction
from kessai.stores import Store


def machine_of(
    store: Store, machines: Machines, transaction: Transaction
) -> Machine | None:
    """The machine that `transaction` began under, an older file's from the store.

    None if it never began, or its file is not in the store.

    Raises:
        TrailBroken: the file in the store is damaged, or another one.

    """
    if not transaction.exists:
        return None
    machine = machines.by_hash(transaction.lifecycle_hash)
    if machine is not None:
        return machine
    document = store.declaration(transaction.lifecycle_hash)
    return None if document is None else machines.add(document, transaction)


def machine_if_whole(
    store: Store, machines: Machines, transaction: Transaction
) -> Machine | None:
    """The same for a list, which shows the others too: None for a file that changed."""
    with suppress(TrailBroken):
        return machine_of(store, machines, transaction)
    return None
