"""The report as one HTML file that asks for nothing else: no script, no request.

Its style sheets are inline and allowed by their hashes, and by nothing else. What comes
from a store is text, wherever it stands: the template escapes all of it. Pictures are
this package's own and the diagram's.
"""

import base64
import hashlib
import html
import re
from importlib import resources
from typing import Any

from kessai.audit.reporting import pictures
from kessai.audit.reporting.facts import Facts
from kessai.audit.reporting.plain import plain
from kessai.audit.reporting.words import length, moment, word
from kessai.audit.verification.report import MOST
from kessai.diagram.words import duration
from kessai.errors import StoreUnsuitable
from kessai.money import Currency, show_amount
from kessai.words import printable

SHOWN = 50
"""How many finds of a kind the page lists; the JSON has more."""

_TEMPLATES = resources.files("kessai.audit.reporting").joinpath("templates")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def as_html(facts: Facts, language: str) -> str:
    """The page, in `language`.

    Raises:
        StoreUnsuitable: Jinja is not installed.

    """
    environment = _environment()
    template = environment.get_template("report.html.j2")
    data = plain(facts, language)
    drawn = [
        _markup(pictures.diagram(figures, language, f"l{number}-"))
        for number, figures in enumerate(facts.lifecycles, 1)
    ]
    style = _TEMPLATES.joinpath("report.css").read_text("utf-8")
    page: str = template.render(
        data=data,
        diagrams=drawn,
        periods=pictures.periods(facts.days),
        style=_markup(style),
        policy=_policy(style, *drawn),
        language=language,
        **_helpers(facts, language),
    )
    return page


def _environment() -> Any:
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        message = "an HTML report needs Jinja: install kessai[report]"
        raise StoreUnsuitable(message) from error
    return Environment(
        loader=FunctionLoader(
            lambda name: _TEMPLATES.joinpath(name).read_text("utf-8")
        ),
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - drawn or written by kessai, never a store's text


def _policy(style: str, *drawn: str) -> str:
    """A content security policy: inline styles by their hash, and nothing else at all."""
    # Within a picture a style sheet is read as any text is: escapes mean characters.
    own = (html.unescape(found) for one in drawn for found in _STYLE.findall(one))
    inline = [f"\n{style}", *own]
    hashes = dict.fromkeys(f"'sha256-{_digest(one)}'" for one in inline)
    return (
        f"default-src 'none'; style-src {' '.join(hashes)}; base-uri 'none';"
        " form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _helpers(facts: Facts, language: str) -> dict[str, Any]:
    def say(name: str, **values: object) -> str:
        return word(name, language, **values)

    currencies: dict[str, Currency] = {}
    for figures in facts.lifecycles:
        currencies.update(figures.lifecycle.currencies)

    def money(amount: int | None, code: str) -> str:
        return "–" if amount is None else show_amount(amount, currencies.get(code))

    return {
        "say": say,
        "money": money,
        "count": lambda number: f"{number:,}",
        "span": lambda seconds: length(seconds, language),
        "lasts": lambda seconds: duration(seconds, language),
        "moment": moment,
        "heat": pictures.heat,
        "columns": pictures.columns,
        "share": pictures.share,
        "shown": SHOWN,
        "most": MOST,
    }
