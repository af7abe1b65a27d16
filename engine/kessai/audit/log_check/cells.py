"""How the cells of a field are read, which may be in several columns."""

from collections.abc import Callable, Sequence

from kessai.audit.log_check.columns import Places

Cells = Sequence[str]
ReadText = Callable[[Cells], str]
ReadTexts = Callable[[Cells], list[str]]

_FORMULA = ("=", "+", "-", "@")


def text_reader(places: Places, join: str = " ") -> ReadText:
    """What reads a field as one text: the first group that is not empty, joined."""
    if len(places) == len(places[0]) == 1:
        ((place,),) = places
        return lambda cells: cells[place].strip()
    read = texts_reader(places)
    return lambda cells: join.join(read(cells))


def texts_reader(places: Places) -> ReadTexts:
    """What reads a field as the texts of the first group that is not empty."""
    if len(places) == len(places[0]) == 1:
        ((place,),) = places
        return lambda cells: [cells[place].strip()]

    def read(cells: Cells) -> list[str]:
        texts: list[str] = []
        for group in places:
            texts = [cells[place].strip() for place in group]
            if any(texts):
                break
        return texts

    return read


def id_reader(places: Places) -> ReadText:
    """What reads an id, or several that are one together: empty if one of them is.

    `A` and `B/C` are another id than `A/B` and `C`. An apostrophe that spreadsheets put
    before what looks like a formula is not part of an id.
    """
    if len(places) == len(places[0]) == 1:
        ((place,),) = places
        return lambda cells: _unquoted(cells[place].strip())
    read = texts_reader(places)

    def joined(cells: Cells) -> str:
        texts = [_unquoted(text) for text in read(cells)]
        if len(texts) == 1:
            return texts[0]
        escaped = (text.replace("\\", "\\\\").replace("/", "\\/") for text in texts)
        return "/".join(escaped) if all(texts) else ""

    return joined


def _unquoted(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text
