"""The bank's page for 3-D Secure, for a person: pass the check, or fail it.

Self-contained HTML without scripts, in Japanese and English; its address holds the id of
the intent.
"""

from collections.abc import Callable
from html import escape
from typing import Final

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.html import html
from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.stripe.books import Books
from kessai_adapters.emulators.stripe.hands import Consumer

PREFIX: Final = "/redirect/"

_ACTS: Final = {
    "approve": "認証する / Approve",
    "refuse_card": "カードを拒否させる / Let the card be declined",
    "decline": "認証に失敗する / Fail the check",
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>3-D Secure</title></head><body><main><h1>本人認証 / 3-D Secure</h1>
{content}
<p><small>決済の模擬画面です。実際の支払いは行われません。<br>
A stand-in: no real payment is made here.</small></p></main></body></html>"""


class Pages:
    """Answers the browser of a cardholder."""

    def __init__(
        self, books: Books, consumer: Consumer, base_url: Callable[[], str]
    ) -> None:
        self._books = books
        self._consumer = consumer
        self._base_url = base_url

    def url(self, name: str) -> str:
        """Where the page of an intent is."""
        return f"{self._base_url()}{PREFIX}{name}"

    def handle(self, method: str, path: str) -> EmulatorReply:
        """Show the page of an intent, or do what was pressed there."""
        name, _, act = path.removeprefix(PREFIX).partition("/")
        try:
            if method == "POST" and act in _ACTS:
                url: str = getattr(self._consumer, act)(name)
                return _went_on(url)
        except OutOfPlay:
            pass
        return self._show(name)

    def _show(self, name: str) -> EmulatorReply:
        payment = self._books.payments.get(name)
        found = payment.intent if payment is not None else self._books.setups.get(name)
        if found is None or found["status"] != "requires_action":
            text = "<p>手続きは終わっています。 / There is nothing to do here.</p>"
            return _page(text, 404 if found is None else 200)
        asked = [f"{found.get('amount', '')} {found.get('currency', '')}".strip()]
        asked.append(found["description"] or "")
        rows = "".join(f"<p>{escape(row)}</p>" for row in asked if row)
        buttons = "".join(
            f'<p><button formaction="{PREFIX}{escape(name)}/{act}">{label}</button></p>'
            for act, label in _ACTS.items()
        )
        return _page(f'{rows}<form method="post">{buttons}</form>')


def _page(content: str, status: int = 200) -> EmulatorReply:
    return html(_PAGE.format(content=content), status)


def _went_on(url: str) -> EmulatorReply:
    if not url:
        return _page("<p>手続きが完了しました。 / Done.</p>")
    headers = {"Location": url, "Cache-Control": "no-store"}
    return EmulatorReply(status=303, headers=headers, body=b"")
