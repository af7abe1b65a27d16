"""What Stripe answers instead of a result, and the exception that carries it."""

from typing import Any

from kessai_adapters.emulators.errors import EmulatorError


class ApiError(EmulatorError):
    """The error that a request is answered with.

    `is_kept` is false for what fails before the endpoint begins to execute: under the
    same idempotency key such a request can still succeed.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        is_kept: bool = True,
        **members: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_kept = is_kept
        self.body = {"error": {"type": kind, "message": message, **members}}


def invalid(message: str, *, code: str = "", param: str = "") -> ApiError:
    """A parameter is not well-formed, or nothing that the endpoint takes."""
    return _refusal(400, message, code, param, is_kept=False)


def not_possible(message: str, *, code: str = "", param: str = "") -> ApiError:
    """The request is well-formed, and cannot be carried out as things stand."""
    return _refusal(400, message, code, param)


def missing(what: str, name: str, param: str = "") -> ApiError:
    """There is no such object."""
    status = 400 if param else 404
    return _refusal(status, f"No such {what}: '{name}'", "resource_missing", param)


def _refusal(
    status: int, message: str, code: str, param: str, *, is_kept: bool = True
) -> ApiError:
    members = {"code": code, "param": param}
    given = {name: value for name, value in members.items() if value}
    return ApiError(status, "invalid_request_error", message, is_kept=is_kept, **given)
