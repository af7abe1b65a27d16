"""Django's settings; of kessai's, `KESSAI_DB` alone stands here."""

import os

from psycopg.conninfo import conninfo_to_dict

SHOP_DB = os.environ.get("SHOP_DB", "shop.db")
KESSAI_DB = os.environ.get("KESSAI_DB", SHOP_DB)

if SHOP_DB.startswith("postgresql://"):
    server = conninfo_to_dict(SHOP_DB, options="-csearch_path=public,kessai")
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": server.pop("dbname"),
            "OPTIONS": server,
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": SHOP_DB,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE"
            },  # waits, instead of MustRollBack
        }
    }

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "to try it by hand")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "orders.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "orders",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
TIME_ZONE = "UTC"
