"""Pictures and tables of a lifecycle, drawn from its declaration and nothing else.

This package owns how a declaration is shown, and how the path of a transaction is shown
upon it. It repeats no rule: what is not in the lifecycle file is in no picture.

**What can be found in an SVG.** These ids and classes are a lasting contract: pages
that hold a picture may style by them. Ids are made of the declaration's names alone,
are the same in every language, and are unique in a picture (`marked` can put a prefix
before them, for pages with several pictures).

=========================================  ============================================
id                                         what
=========================================  ============================================
`payment.authorized`                       a state: `TRACK.STATE`
`payment`                                  the point where a track begins
`payment--track`                           the box around a track
`payment.authorized--capture--payment.captured`
                                           a command's move: `SOURCE--COMMAND--TARGET`;
                                           where the state stays, the target is the
                                           source: a loop, or, of a command that only
                                           reads, a line in the state's box
`payment--authorize--payment.requested`    an opening command that opens a track
`payment.requested--authorize.declined--payment.failed`
                                           an opening command's decline
`payment.authorized--authorization.deadline--payment.expired`
                                           a deadline that passes
`…--2`, `…--3`                             further arrows that share all of these
=========================================  ============================================

Classes: the root is `kessai-lifecycle`; `node state` and one of `initial normal ended
failed`, with `final`; `edge` and one of `opening command read decline deadline`, with
`loop` and, where the gateway may report it though nobody asked, `external-possible`. A
transaction's picture (its root is `kessai-transaction`, too) has `visited current
allowed denied open due` as well. Every node and edge has a `title` of a few lines. An
arrow's label stands in `labels`, after all arrows, so that none crosses it: in a group
with the arrow's classes and title, and its id as `data-edge`. All of them stand within
`graph`; `legend` holds what explains them, and no id. A page that is light whatever the
reader's system prefers puts `light` on the root. Pictures bring their style along, fetch
nothing and run nothing.
"""

from collections.abc import Callable, Mapping

from kessai.diagram import as_json, dot, markdown, mermaid, svg, transaction
from kessai.diagram.gathered import marks_of
from kessai.diagram.graphviz import GraphvizMissing
from kessai.diagram.marks import Mark, marked
from kessai.diagram.path import TransactionPath
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle
from kessai.words import LANGUAGES

_DRAW: Mapping[str, Callable[[Lifecycle, str], str]] = {
    "markdown": markdown.markdown,
    "mermaid": mermaid.mermaid,
    "dot": dot.dot,
    "svg": svg.svg,
    "json": as_json.as_json,
}

FORMATS = tuple(_DRAW)
"""What `render` can draw: `markdown`, `mermaid`, `dot`, `svg`, `json`."""

_DRAW_TRANSACTION: Mapping[str, Callable[[TransactionPath, str], str]] = {
    "svg": transaction.transaction_svg,
    "mermaid": transaction.transaction_mermaid,
}

TRANSACTION_FORMATS = tuple(_DRAW_TRANSACTION)
"""What `render_transaction` can draw: `svg`, `mermaid`."""

__all__ = [
    "FORMATS",
    "TRANSACTION_FORMATS",
    "GraphvizMissing",
    "Mark",
    "TransactionPath",
    "marked",
    "marks_of",
    "render",
    "render_transaction",
]


def render(
    lifecycle: Lifecycle,
    format: str,  # noqa: A002 (the same word as on the command line)
    language: str = "en",
) -> str:
    """Draw `lifecycle` as text of one of `FORMATS`, in English or Japanese.

    Raises:
        GraphvizMissing: an SVG was asked for that is not shipped, and there is no
            Graphviz here.
        InvalidInput: the format or the language (`en`, `ja`) is not known, or Graphviz
            cannot lay the picture out.

    """
    _check(format, FORMATS, language)
    return _DRAW[format](lifecycle, language)


def render_transaction(
    path: TransactionPath,
    format: str = "svg",  # noqa: A002 (as above)
    language: str = "en",
) -> str:
    """Draw the lifecycle of a transaction with its path upon it, as text.

    What it went over is `visited` and numbered, where it stands is `current`, what it
    may do next is `allowed` or `denied`, what is under way is `open`, and a deadline
    that runs is `due`: as classes, as signs before the labels, and in words in the
    titles. Times are shown in UTC.

    Raises:
        GraphvizMissing: the transaction's lifecycle is not one whose picture is
            shipped, and there is no Graphviz here.
        InvalidInput: the format (`svg`, `mermaid`) or the language is not known, or
            Graphviz cannot lay the picture out.

    """
    _check(format, TRANSACTION_FORMATS, language)
    return _DRAW_TRANSACTION[format](path, language)


def _check(form: str, known: tuple[str, ...], language: str) -> None:
    if form not in known:
        message = f"format {form!r}: known are {', '.join(known)}"
        raise InvalidInput(message)
    if language not in LANGUAGES:
        message = f"language {language!r}: known are {', '.join(LANGUAGES)}"
        raise InvalidInput(message)
