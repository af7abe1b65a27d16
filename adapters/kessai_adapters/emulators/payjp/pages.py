"""The consumer's page, for a person: what is asked, and a button for each answer.

HTML without scripts, in Japanese and English. It opens only with the flow's secret.
"""

import hmac
from html import escape
from typing import Final

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.html import field_of, headers_of, html
from kessai_adapters.emulators.payjp.books import Kept
from kessai_adapters.emulators.payjp.consumer import Consumer
from kessai_adapters.emulators.reply import EmulatorReply

PREFIX: Final = "/consumer/"

_LABELS: Final = {
    "approve": "支払う / Approve",
    "refuse_card": "カードを拒否させる / Let the card be refused",
    "decline": "やめる / Decline",
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="UTF-8"><title>{title}</title></head>
<body><main><h1>{title}</h1>{content}
<small>決済の模擬画面です。実際の支払いは行われません。<br>
A stand-in: no real payment is made here.</small></main></body></html>"""


def _page(title: str, content: str, status: int = 200) -> EmulatorReply:
    return html(_PAGE.format(title=escape(title), content=content), status)


def _not_found() -> EmulatorReply:
    text = "<p>ページがありません。 / There is no such page.</p>"
    return _page("見つかりません / Not found", text, 404)


class Pages:
    """Serves the consumer's pages."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._acts = {
            "approve": consumer.approve,
            "refuse_card": consumer.refuse_card,
            "decline": consumer.decline,
        }

    def handle(self, method: str, target: str, body: bytes) -> EmulatorReply:
        """Answer a request for `/consumer/…`."""
        path, _, query = target.partition("?")
        id_, _, action = path.removeprefix(PREFIX).partition("/")
        sent = body.decode(errors="replace") if method == "POST" else query
        try:
            flow = self._consumer.find(id_)
        except OutOfPlay:
            return _not_found()
        secret = str(flow["client_secret"])
        if not hmac.compare_digest(secret.encode(), field_of(sent, "secret").encode()):
            return _not_found()
        if method == "POST" and action in self._acts:
            return self._act(flow, action)
        return _not_found() if action else self._show(flow)

    def _show(self, flow: Kept) -> EmulatorReply:
        asked = f"<p>¥{flow['amount']:,}</p>" if "amount" in flow.shown else ""
        text = "<p>手続きは済んでいます。 / There is nothing left to do.</p>"
        if self._consumer.is_awaited(flow):
            buttons = "".join(
                f'<button formaction="{PREFIX}{flow.id}/{act}">{escape(label)}</button>'
                for act, label in _LABELS.items()
            )
            hidden = (
                f'<input type="hidden" name="secret" value="{flow["client_secret"]}">'
            )
            text = f'<form method="post">{hidden}{buttons}</form>'
        return _page("お支払いの確認 / Confirm your payment", asked + text)

    def _act(self, flow: Kept, action: str) -> EmulatorReply:
        back = flow["return_url"]
        try:
            self._acts[action](flow.id)
        except OutOfPlay:
            text = "<p>この操作は今できません。 / This cannot be done now.</p>"
            return _page("できません / Not possible", text, 409)
        location = back or self._consumer.page_url(flow)
        headers = {**headers_of(), "Location": location}
        return EmulatorReply(status=303, headers=headers, body=b"")
