"""What any emulator raises, and who is meant to see it.

EmulatorError
├── OutOfPlay     a test asked for something that cannot happen
└── BooksInUse    another process holds the books
Lost              an exchange that the network swallowed, on request
├── NotConnected  nothing was sent
└── NoReply       sent, and no answer came

What a gateway refuses by its own rules is its emulator's own `EmulatorError`.
"""

# Names state what happened; an Error at the end would add nothing.


class EmulatorError(Exception):
    """The root of what goes wrong with the emulator itself."""


class OutOfPlay(EmulatorError):
    """A test or a page asked for something that cannot happen now."""


class BooksInUse(EmulatorError):
    """Another emulator holds the books' file."""


class Lost(Exception):
    """The network swallowed an exchange, because a test asked for it."""


class NotConnected(Lost):
    """The connection was refused: nothing was sent and nothing happened."""


class NoReply(Lost):
    """The request was sent and no reply came; it may or may not have arrived."""
