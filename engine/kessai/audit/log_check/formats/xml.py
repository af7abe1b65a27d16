"""XML piece by piece, without document types: so there are no entities to expand.

No file is held as a tree. What needs a document type declaration is refused, since
entities are declared there; process-mining logs never have one.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

from kessai.errors import InvalidInput

_PIECE = 1 << 16
_LONGEST = 1 << 24
"""A tag or a value with more bytes than this is refused: it would be held whole."""

_SPACE = " "


class Element(NamedTuple):
    """The start of an element, or its end with the text in it; names have no prefix."""

    name: str
    attributes: Mapping[str, str]
    is_start: bool
    text: str = ""


def elements(file: BinaryIO, most: int | None = None) -> Iterator[Element]:
    """Every start and end of an element, as they stand; of the first `most` bytes.

    Raises:
        InvalidInput: it is not well-formed, or has a document type.

    """
    file.seek(0)
    pieces = _Pieces()
    given = 0
    while most is None or given < most:
        piece = file.read(_PIECE)
        given += len(piece)
        yield from pieces.of(piece)
        if not piece:
            return


class _Pieces:
    """Feeds pieces of a file to the parser, and collects what it finds in them."""

    def __init__(self) -> None:
        self._found: list[Element] = []
        self._text: list[str] = []
        self._fed = 0
        parser = self._parser = expat.ParserCreate(namespace_separator=_SPACE)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._refuse

    def of(self, piece: bytes) -> list[Element]:
        """What is in the next piece; an empty one is the end."""
        self._found = []
        try:
            self._parser.Parse(piece, not piece)
        except expat.ExpatError as error:
            message = (
                f"line {error.lineno}: not well-formed XML:"
                f" {expat.ErrorString(error.code)}"
            )
            raise InvalidInput(message) from error
        except (LookupError, ValueError) as error:  # of another encoding's table
            message = f"XML in an encoding that is not read: {error}; UTF-8 is right"
            raise InvalidInput(message) from error
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST:
            self._fail(f"a tag or a value is longer than {_LONGEST:,} bytes")
        return self._found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._text.clear()
        if any(_SPACE in key for key in attributes):
            attributes = {_local(key): value for key, value in attributes.items()}
        self._found.append(Element(_local(name), attributes, is_start=True))

    def _end(self, name: str) -> None:
        text = "".join(self._text)
        self._text.clear()
        self._found.append(Element(_local(name), {}, is_start=False, text=text))

    def _refuse(self, *_: object) -> None:
        self._fail("a document type; it is not read, as it may declare entities")

    def _fail(self, what: str) -> None:
        message = f"line {self._parser.CurrentLineNumber}: {what}"
        raise InvalidInput(message)


def _local(name: str) -> str:
    return name.rpartition(_SPACE)[2]
