from django.contrib import admin
from django.urls import path

from orders import views

urlpatterns = [
    path("", views.cart),
    path("orders", views.checkout),
    path("orders/<str:order>", views.show, name="show"),
    path("orders/<str:order>/return", views.returned, name="returned"),
    path("orders/<str:order>/ship", views.ship),
    path("orders/<str:order>/refund", views.refund),
    path("payments", views.notified),
    path("admin/", admin.site.urls),
]
