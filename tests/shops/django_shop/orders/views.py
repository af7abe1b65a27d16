"""The shop's pages: for consumers, for its people, and for the gateway."""

from functools import wraps
from secrets import token_urlsafe

from django.contrib.admin.views.decorators import staff_member_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from kessai import Command, answer_notification
from kessai.errors import InvalidInput, UnknownTransaction
from orders.models import Order
from orders.payments import Denied, begin, engine


def explains(view):
    """What is refused is answered with the reasons."""

    @wraps(view)
    def explaining(request, **given):
        try:
            return view(request, **given)
        except Denied as reasons:
            return HttpResponse(str(reasons), status=409, content_type="text/plain")
        except (InvalidInput, ValueError) as mistake:
            return HttpResponse(str(mistake), status=400, content_type="text/plain")
        except UnknownTransaction as unknown:
            raise Http404 from unknown

    return explaining


# ── for consumers ───────────────────────────────────────────────────────────────────


@require_GET
def cart(request):
    return render(request, "orders/cart.html")


@require_POST
@explains
def checkout(request):
    """Write the order with the intent to have it paid, and send the consumer to pay."""
    order, total = request.POST["cart"], int(request.POST["total"])
    back = request.build_absolute_uri(reverse("returned", args=[order]))
    pages = dict.fromkeys(["success_url", "cancel_url", "error_url"], back)
    opening = {"lifecycle": "one_time", "amount": total, "parameters": pages}
    with transaction.atomic():
        Order.objects.get_or_create(id=order, defaults={"total": total})
        prepared = begin("authorize", order, **opening)
    page = engine().carry_out(prepared).disclosed.get("page")
    return HttpResponse(page) if page else redirect(back)  # it leads to the gateway's


@require_GET
def returned(request, order):
    """Ask the gateway: that somebody comes to this address proves no payment."""
    engine().recover_transaction(order)
    return redirect("show", order)


# ── for the shop's people ───────────────────────────────────────────────────────────


@require_GET
@explains
def show(request, order):
    given = {"payment": engine().transaction(order), "key": token_urlsafe(9)}
    return render(request, "orders/order.html", given)


@staff_member_required
@require_POST
@explains
def ship(request, order):
    """Capture what was authorized, with the goods on their way."""
    with transaction.atomic():
        Order.objects.filter(id=order).update(shipped=True)
        prepared = begin("capture", order)
    engine().carry_out(prepared)
    return redirect("show", order)


@staff_member_required
@require_POST
@explains
def refund(request, order):
    """Pay back a part; its key came with the page, so a second click is no second one."""
    amount, key = int(request.POST["amount"]), request.POST["key"]
    answer = engine().execute(Command("refund", order, key=key, amount=amount))
    if answer.denial:
        raise Denied(answer.denial)
    return redirect("show", order)


# ── for the gateway ─────────────────────────────────────────────────────────────────


@csrf_exempt
def notified(request):
    answer = answer_notification(engine(), request.headers, request.body)
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
