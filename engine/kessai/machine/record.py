"""An event as it is kept: bytes, which only `chain` makes and reads."""

import msgspec


class Record(msgspec.Struct, frozen=True):  # as many are made as there are events
    """An event as it is kept: its number, its canonical bytes, their hash.

    `moved` is what follows from it and those before, for whoever reads no trails: what
    it added to each balance, as `kessai.machine.movements` has it; None if nothing.
    """

    transaction: str
    number: int
    body: bytes
    hash: str
    moved: str | None = None

    def __repr__(self) -> str:
        return f"<event {self.number} of {self.transaction}>"


canonical = msgspec.json.Encoder(order="sorted").encode
"""Plain data as canonical JSON."""

DENIAL = b'},"kind":"denied","lifecycle":"'
"""What stands in the record of a denial: a text in it would have its quotes escaped."""
