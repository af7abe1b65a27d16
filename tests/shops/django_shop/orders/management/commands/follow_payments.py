"""Writes what becomes of payments to their orders, whoever found it out."""

from contextlib import suppress
from time import sleep

from django.core.management.base import BaseCommand

from kessai.errors import SafeToResend
from orders.models import Order
from orders.payments import engine


class Command(BaseCommand):
    help = __doc__

    def handle(self, **_):
        while True:
            with suppress(SafeToResend):  # the store is busy, or another follows, too
                engine().relay("orders", write)
            sleep(1)


def write(event):
    """An event may come twice, and late."""
    orders = Order.objects.filter(id=event.transaction, event__lt=event.number)
    orders.update(payment=event.status, event=event.number)
