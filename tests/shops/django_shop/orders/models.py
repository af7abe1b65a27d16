"""Orders, and kessai's views of their payments."""

from django.db import models


class Order(models.Model):
    """An order; its id is its payment's, too. `total` is in yen."""

    id = models.CharField(primary_key=True, max_length=100)
    total = models.PositiveIntegerField()
    shipped = models.BooleanField(default=False)
    payment = models.CharField(max_length=100, default="", editable=False)
    event = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        db_table = "orders"

    def __str__(self):
        return self.id


class Payment(models.Model):
    """A transaction of kessai's, to look at. Amounts are in yen."""

    id = models.CharField(primary_key=True, max_length=255, db_column="transaction_id")
    status = models.CharField(max_length=255)
    authorized = models.BigIntegerField()
    captured = models.BigIntegerField()
    refunded = models.BigIntegerField()
    changed_at = models.DateTimeField()
    discrepancies = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "kessai_transactions"

    def __str__(self):
        return self.id
