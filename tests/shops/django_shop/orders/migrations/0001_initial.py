"""Orders, and kessai's own tables beside them."""

from django.db import migrations, models

from kessai import schema


def make_kessais_tables(_, editor):
    for statement in schema(editor.connection.vendor):
        editor.execute(statement, params=None)


class Migration(migrations.Migration):
    initial = True
    operations = (
        migrations.CreateModel(
            "Order",
            [
                (
                    "id",
                    models.CharField(max_length=100, primary_key=True, serialize=False),
                ),
                ("total", models.PositiveIntegerField()),
                ("shipped", models.BooleanField(default=False)),
                (
                    "payment",
                    models.CharField(max_length=100, default="", editable=False),
                ),
                ("event", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={"db_table": "orders"},
        ),
        migrations.CreateModel(
            "Payment",
            [
                (
                    "id",
                    models.CharField(
                        db_column="transaction_id",
                        max_length=255,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("status", models.CharField(max_length=255)),
                ("authorized", models.BigIntegerField()),
                ("captured", models.BigIntegerField()),
                ("refunded", models.BigIntegerField()),
                ("changed_at", models.DateTimeField()),
                ("discrepancies", models.BigIntegerField()),
            ],
            options={"db_table": "kessai_transactions", "managed": False},
        ),
        migrations.RunPython(make_kessais_tables),
    )
