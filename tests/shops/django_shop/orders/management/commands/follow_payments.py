"""Writes what becomes of payments to their orders, whoever found it out."""

from time import sleep

from django.core.management.base import BaseCommand

from orders.models import Order
from orders.payments import engine


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="What there is now.")

    def handle(self, *, once, **_):
        engine().relay("orders", write)
        while not once:
            sleep(1)
            engine().relay("orders", write)


def write(event):
    """An event may come twice, and late."""
    orders = Order.objects.filter(id=event.transaction, event__lt=event.number)
    orders.update(payment=event.status, event=event.number)
