"""What Amazon Pay answers when it says no: a status, a reason code and a message."""

from kessai_adapters.emulators import EmulatorError


class AmazonRefused(EmulatorError):
    """Amazon Pay's own rules refuse a request; the message names members, never values."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message


def invalid(member: str) -> AmazonRefused:
    """Return the refusal of a member that is missing or not well-formed."""
    return AmazonRefused(400, "InvalidParameterValue", f"{member} is not valid")


def not_in_state(kind: str, state: str) -> AmazonRefused:
    """Return the refusal of what a `kind` of object does not allow in its state."""
    return AmazonRefused(422, f"Invalid{kind}Status", f"it is {state}")
