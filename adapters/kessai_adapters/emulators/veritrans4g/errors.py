"""What this gateway's emulator raises besides what every one does.

EmulatorError
├── Refused       the gateway says no; on the wire it becomes `mstatus=failure`
└── BooksBroken   the emulator contradicts itself: a bug here
"""

# Names state what happened; an Error at the end would add nothing.

from kessai_adapters.emulators.errors import EmulatorError
from kessai_adapters.emulators.veritrans4g.codes import MESSAGES, Code


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

    def __str__(self) -> str:
        return f"{self.code.value}: {self.message}"

    @property
    def message(self) -> str:
        """The message for people, as `merrMsg` carries it."""
        text = MESSAGES[self.code]
        return f"{text} [{self.detail}]" if self.detail else text


class BooksBroken(EmulatorError):
    """An order's amounts and states contradict each other."""
