"""The machine to show a transaction by: the one it began under, and no later one."""

from kessai.machine import Machine, Machines, Transaction
from kessai.stores import Store


def machine_of(
    store: Store, machines: Machines, transaction: Transaction
) -> Machine | None:
    """The machine that `transaction` began under, an older file's from the store.

    None if it never began, or its file is not in the store.
    """
    if not transaction.exists:
        return None
    machine = machines.by_hash(transaction.lifecycle_hash)
    if machine is not None:
        return machine
    document = store.declaration(transaction.lifecycle_hash)
    return None if document is None else machines.add(document)
