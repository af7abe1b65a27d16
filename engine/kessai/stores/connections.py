"""The database driver's own connection, behind what a shop has of SQLAlchemy or Django.

Neither is imported: whoever hands one in has it.
"""

import inspect
from typing import Any

from kessai.errors import InvalidInput


def driver_connection(connection: object) -> Any:
    """The driver's connection behind a shop's `connection`; else `connection` itself.

    It is SQLAlchemy's (a Core connection or an ORM session), whose transaction is begun
    if it is not, as its own statements would, or Django's.

    Raises:
        InvalidInput: it is SQLAlchemy's for asyncio.

    """
    shop: Any = connection
    if _is_of(shop, "django") and hasattr(shop, "ensure_connection"):
        shop.ensure_connection()
        return shop.connection
    if not _is_of(shop, "sqlalchemy"):
        return shop
    if _is_of(shop, "sqlalchemy.ext.asyncio"):
        message = (
            f"connection: SQLAlchemy's {type(shop).__name__} is for asyncio; begin on it"
            " with an AsyncEngine"
        )
        raise InvalidInput(message)
    if hasattr(shop, "get_bind"):  # an ORM session, or a scoped one
        shop = shop.connection()
    if hasattr(shop, "get_transaction"):
        _begin(shop)
        return shop.connection.driver_connection
    return shop


async def async_driver_connection(connection: object) -> Any:
    """As `driver_connection`; of SQLAlchemy, an `AsyncConnection` or `AsyncSession`."""
    shop: Any = connection
    if not _is_of(shop, "sqlalchemy.ext.asyncio"):
        return driver_connection(shop)
    if hasattr(shop, "get_bind"):
        shop = await shop.connection()
    if not shop.in_transaction():
        await shop.begin()
    pooled = await shop.get_raw_connection()
    return pooled.driver_connection


def _begin(shop: Any) -> None:
    if not shop.in_transaction():
        shop.begin()


def _is_of(shop: object, package: str) -> bool:
    """Whether `shop` is of a class of `package`, or derived from one."""
    return any(
        f"{kind.__module__}.".startswith(f"{package}.")
        for kind in inspect.getmro(type(shop))
    )
