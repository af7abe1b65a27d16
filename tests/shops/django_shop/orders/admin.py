"""Orders in the admin, each with a link to its payment."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from orders.models import Order, Payment


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["id", "total", "shipped", "payment_link"]
    readonly_fields = ["payment_link"]

    @admin.display(description="payment")
    def payment_link(self, order):
        page = reverse("admin:orders_payment_change", args=[order.pk])
        return format_html(
            '<a href="{}">{}</a>', page, order.payment or "not known yet"
        )


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):
    """Only to look at: what changes a payment is a command."""

    list_display = ["id", "status", "captured", "refunded", "discrepancies"]
    search_fields = ["id"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
