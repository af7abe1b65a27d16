"""A month's billing: agreements are planned, and each is charged once in a period."""

from kessai.on_demand import TYPE_CHECKING, import_on_demand

if TYPE_CHECKING:
    from kessai.billing.schedule import BillingSchedule, BusinessDays
else:
    import_on_demand(__name__, {".schedule": "BillingSchedule BusinessDays"})

__all__ = ["BillingSchedule", "BusinessDays"]
