"""Makes the tables, if the migration is up to date, and somebody who sees the admin."""

import os

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

if __name__ == "__main__":
    django.setup()
    call_command("makemigrations", check_changes=True, dry_run=True)
    call_command("migrate", verbosity=0)
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = os.environ["SHOP_PASSWORD"]
    call_command("createsuperuser", username="sato", email="", interactive=False)
