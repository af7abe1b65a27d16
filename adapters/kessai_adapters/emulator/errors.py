"""What the emulator raises, and who is meant to see it.

EmulatorError
├── Refused       the gateway says no; on the wire it becomes `mstatus=failure`
├── OutOfPlay     a test asked for something that cannot happen
├── BooksBroken   the emulator contradicts itself: a bug here
└── BooksInUse    another process holds the books
Lost              an exchange that the network swallowed, on request
├── NotConnected  nothing was sent
└── NoReply       sent, and no answer came
"""

# Names state what happened; an Error at the end would add nothing.

from kessai_adapters.emulator.codes import MESSAGES, Code


class EmulatorError(Exception):
    """The root of what goes wrong with the emulator itself."""


class Refused(EmulatorError):
    """The gateway's own rules refuse a command; `code` says why.

    `detail` is a parameter's name or empty, never a value.
    """

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.txn_id = ""
        """The exchange in the inquiry's list, if the refusal is in it."""

    @property
    def message(self) -> str:
        """The message for people, as `merrMsg` carries it."""
        text = MESSAGES[self.code]
        return f"{text} [{self.detail}]" if self.detail else text


class OutOfPlay(EmulatorError):
    """A test or a page asked for something that cannot happen now."""


class BooksBroken(EmulatorError):
    """An order's amounts and states contradict each other."""


class BooksInUse(EmulatorError):
    """Another emulator holds the books' file."""


class Lost(Exception):
    """The network swallowed an exchange, because a test asked for it."""


class NotConnected(Lost):
    """The connection was refused: nothing was sent and nothing happened."""


class NoReply(Lost):
    """The request was sent and no reply came; it may or may not have arrived."""
