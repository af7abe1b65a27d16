"""The shop's payments: one engine a process, on the shop's own database."""

import os
from functools import cache

from django.conf import settings
from django.db import transaction

from kessai import Command, Engine, LogObserver, load_file, open_store
from kessai_adapters.veritrans4g import VeriTrans4G

RULES = os.environ.get("SHOP_LIFECYCLE")  # a file of your own, if any


class Denied(Exception):
    """The rules do not allow it; the text says why."""


@cache
def engine():
    return Engine(
        adapters=[VeriTrans4G.from_environment(os.environ)],
        store=open_store(settings.KESSAI_DB),
        lifecycles=[load_file(RULES)] if RULES else None,
        observer=LogObserver(),
    )


def begin(name, order, **fields):
    """Begin a command in the open transaction; it is carried out after the commit."""
    command = Command(name, order, **{"key": f"{order} {name}", **fields})
    prepared = engine().begin(command, connection=transaction.get_connection())
    if prepared.denial:
        raise Denied(prepared.denial)  # rolls the transaction back
    return prepared
