"""Notifications that come through a framework: they arrive, whatever path they have.

A gateway posts to the address it was given, as it was given. It follows no redirect that
a router makes of a slash too many or too few.
"""

import django
import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI

from kessai import MemoryStore, NotificationEndpoint, answer_notification

PATHS = ["/hooks/gateway", "/hooks/gateway/"]


@pytest.fixture
def kind(request):
    return getattr(request, "param", "asgi")


@pytest.fixture
def waiting(make_shop):
    """A shop with an order whose notification is on its way."""
    shop = make_shop(MemoryStore())
    return shop, shop.approved()


@pytest.fixture
def post(serve_one, as_asgi):
    """Posts a notification to a path of an ASGI app; the status it is answered with."""

    def post(app, notification, path, **scope):
        asked, messages = as_asgi(notification)
        asked |= {"path": path, "query_string": b"", "raw_path": path.encode(), **scope}
        return serve_one(app, asked, messages).status

    return post


def shop_pages():
    app = FastAPI()

    @app.get("/cart")
    def cart():
        return "full"

    return app


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("root", ["", "/shop"])
def test_in_front_of_fastapi_they_arrive(waiting, post, path, root):
    shop, notification = waiting
    app = NotificationEndpoint(shop.engine, app=shop_pages(), path="/hooks/gateway")
    assert post(app, notification, root + path, root_path=root) == 200
    assert shop.transaction().status == "payment.authorized"


def test_the_rest_is_left_to_the_app(waiting, post, serve_one):
    shop, notification = waiting
    app = NotificationEndpoint(shop.engine, app=shop_pages(), path="/hooks/gateway")
    assert post(app, notification, "/hooks") == 404
    asked = {"type": "http", "method": "GET", "path": "/cart", "headers": []}
    page = serve_one(app, {**asked, "query_string": b""}, [{"type": "http.request"}])
    assert (page.status, page.body) == (200, b'"full"')


@pytest.mark.parametrize("path", ["/hooks/", "/hooks/gateway"])
def test_mounted_in_fastapi_they_arrive_at_every_path_below(waiting, post, path):
    shop, notification = waiting
    app = shop_pages()
    app.mount("/hooks", NotificationEndpoint(shop.engine))
    assert post(app, notification, path) == 200
    assert shop.transaction().status == "payment.authorized"


def test_an_endpoint_can_be_made_before_its_engine(waiting, post):
    """The application is built when its module is imported, the engine when it starts."""
    shop, notification = waiting
    opened = []
    app = NotificationEndpoint(lambda: next(iter(opened), None))
    assert post(app, notification, "/") == 503
    opened.append(shop.engine)
    assert post(app, notification, "/") == 200


# ── Django ──────────────────────────────────────────────────────────────────────────

urlpatterns = []


@pytest.fixture(scope="module", autouse=True)
def _django():
    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=__name__,
            ALLOWED_HOSTS=["testserver"],
            MIDDLEWARE=[
                "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
            ],
            SECRET_KEY="of a test",
        )
        django.setup()


@pytest.fixture
def view(waiting):
    shop, _ = waiting

    @csrf_exempt
    def view(request):
        answer = answer_notification(shop.engine, request.headers, request.body)
        return HttpResponse(answer.body, status=answer.status)

    urlpatterns[:] = [re_path("^hooks/gateway/?$", view)]
    yield view
    urlpatterns.clear()


@pytest.mark.usefixtures("view")
@pytest.mark.parametrize("kind", ["function"], indirect=True)
@pytest.mark.parametrize("path", PATHS)
def test_in_a_view_of_django_they_arrive(waiting, path):
    from django.test import Client

    shop, notification = waiting
    answer = Client(enforce_csrf_checks=True).post(
        path,
        data=notification.body,
        content_type="application/octet-stream",
        headers=dict(notification.headers),
    )
    assert answer.status_code == 200
    assert shop.transaction().status == "payment.authorized"


@pytest.mark.parametrize("path", PATHS)
def test_in_front_of_django_they_arrive(waiting, post, path):
    shop, notification = waiting
    app = NotificationEndpoint(
        shop.engine, app=get_asgi_application(), path="hooks/gateway"
    )
    assert post(app, notification, path) == 200
    assert shop.transaction().status == "payment.authorized"
