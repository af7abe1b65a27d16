"""What the pages of consumers have in common: headers, answers, and a form's field.

A page runs nothing, is kept nowhere, and is framed by nobody.
"""

from typing import Final
from urllib.parse import parse_qs

from kessai_adapters.emulators.reply import EmulatorReply

_NOTHING: Final = "default-src 'none'; "
_STYLE: Final = "style-src 'unsafe-inline'; "
_MOST_FIELDS: Final = 10


def headers_of(*, styled: bool = False) -> dict[str, str]:
    """The headers of a page; a `styled` one has its style inside."""
    allowed = _NOTHING + (_STYLE if styled else "")
    return {
        "Content-Type": "text/html; charset=UTF-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"{allowed}base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def html(text: str, status: int = 200, *, styled: bool = False) -> EmulatorReply:
    """A page."""
    headers = headers_of(styled=styled)
    return EmulatorReply(status=status, headers=headers, body=text.encode())


def field_of(sent: str, name: str) -> str:
    """A field of a query or a form; empty if it is not there, or cannot be read."""
    try:
        return parse_qs(sent, max_num_fields=_MOST_FIELDS).get(name, [""])[0]
    except ValueError:
        return ""
