"""The consumer's pages, for a person: what is asked, and a button for each answer.

Self-contained HTML without scripts, in Japanese and English. Everything that comes from
an order is escaped. A page opens only with the checkout session's id in its URL.
"""

import hmac
from html import escape
from typing import Final

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.html import field_of, headers_of, html
from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.veritrans4g.books import Order
from kessai_adapters.emulators.veritrans4g.consumer import Consumer, confirms_here
from kessai_adapters.emulators.veritrans4g.words import Kind, Payment, Step

PREFIX: Final = "/consumer/"

_LABELS: Final = {
    "login": "ログイン / Log in",
    "approve": "支払う / Approve",
    "refuse-card": "カードを拒否させる / Let the card be refused",
    "decline": "やめる / Decline",
    "close": "閉じる / Close the browser",
}
_UNITS: Final = {"Year": "年", "Month": "か月", "Week": "週", "Day": "日"}
_STATE: Final = {
    Payment.CAPTURED: "支払い済みです。 / Paid.",
    Payment.AUTHORIZED: "承認されました。 / Authorized.",
    Payment.NONE: "手続きは完了しました。 / Done.",
    Payment.REQUESTED: "処理中です。 / In progress.",
    Payment.FAILED: "手続きは成立しませんでした。 / Nothing was paid.",
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body{{margin:0;background:#eef0f2;color:#16191d;
font:16px/1.6 system-ui,"Hiragino Sans","Noto Sans JP",sans-serif}}
main{{max-width:26rem;margin:8vh auto;padding:2rem;background:#fff;border-radius:12px;
box-shadow:0 2px 12px #0002}}
h1{{font-size:1.15rem;margin:0 0 1rem}}
dl{{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1rem;margin:0 0 1.5rem}}
dt{{color:#5a636e}}dd{{margin:0;text-align:right;overflow-wrap:anywhere}}
button{{width:100%;padding:.75rem;margin:0 0 .6rem;font:inherit;border-radius:8px;
border:1px solid #b9c0c8;background:#fff;cursor:pointer}}
button.first{{background:#f5c24b;border-color:#d9a520;font-weight:600}}
button:focus-visible{{outline:3px solid #1a6dd6}}
small{{color:#5a636e}}
</style></head><body><main><h1>{title}</h1>
{content}
<small>決済の模擬画面です。実際の支払いは行われません。<br>
A stand-in: no real payment is made here.</small></main></body></html>"""


def page(title: str, content: str, status: int = 200) -> EmulatorReply:
    """Return a page; `content` is HTML already."""
    text = _PAGE.format(title=escape(title), content=content)
    return html(text, status, styled=True)


def _not_found() -> EmulatorReply:
    text = "<p>ページがありません。 / There is no such page.</p>"
    return page("見つかりません / Not found", text, 404)


def _rows(order: Order) -> list[tuple[str, str]]:
    rows = [
        ("注文 / Order", order.order_id),
        ("金額 / Amount", f"¥{order.amount:,}"),
    ]
    if order.terms is not None:
        unit, value = order.terms.frequency_unit, order.terms.frequency_value
        often = f"{value}{_UNITS[unit]}ごと / every {value} {unit.lower()}"
        rows.append(("随時決済 / Recurring", often))
    if order.kind is Kind.RECURRING and order.payment is Payment.NONE:
        rows.append(("今回 / Now", "承諾のみ / consent only"))
    if order.note:
        rows.append(("メモ / Note", order.note))
    return rows


def _summary(order: Order) -> str:
    return "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in _rows(order)
    )


def _actions(order: Order) -> tuple[str, ...]:
    if order.step is Step.FINISHED:
        return ()
    if confirms_here(order):
        return ("approve", "refuse-card", "decline", "close")
    return ("login", "decline", "close")


def _show(order: Order, session: str) -> EmulatorReply:
    actions = _actions(order)
    buttons = "".join(
        f'<button formaction="{PREFIX}{escape(order.order_id)}/{action}"'
        f"{' class=first' if place == 0 else ''}>{escape(_LABELS[action])}</button>"
        for place, action in enumerate(actions)
    )
    if not actions:
        buttons = f"<p>{escape(_STATE.get(order.payment, _STATE[Payment.NONE]))}</p>"
    content = (
        f'<dl>{_summary(order)}</dl><form method="post">'
        f'<input type="hidden" name="session" value="{escape(session)}">'
        f"{buttons}</form>"
    )
    return page("お支払いの確認 / Confirm your payment", content)


class Pages:
    """Serves the consumer's pages."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._acts = {
            "login": consumer.log_in,
            "approve": consumer.approve,
            "refuse-card": consumer.refuse_card,
            "decline": consumer.decline,
        }

    def handle(self, method: str, target: str, body: bytes) -> EmulatorReply:
        """Answer a request for `/consumer/…`."""
        path, _, query = target.partition("?")
        order_id, _, action = path.removeprefix(PREFIX).partition("/")
        sent = body.decode(errors="replace") if method == "POST" else query
        try:
            order = self._consumer.find(order_id)
        except OutOfPlay:
            return _not_found()
        session = self._consumer.session(order)
        if not hmac.compare_digest(
            session.encode(), field_of(sent, "session").encode()
        ):
            return _not_found()
        if method == "POST":
            return self._act(order, action)
        if action or method != "GET":
            return _not_found()
        # A person who opens the page has a browser again.
        order.browser_open = True
        return _show(order, session)

    def _act(self, order: Order, action: str) -> EmulatorReply:
        if action == "close":
            self._consumer.close_browser(order.order_id)
            text = "<p>このページを閉じてください。 / You may close this page now.</p>"
            return page("閉じました / Closed", text)
        act = self._acts.get(action)
        if act is None:
            return _not_found()
        try:
            url = act(order.order_id)
        except OutOfPlay:
            text = "<p>この操作は今できません。 / This cannot be done now.</p>"
            return page("できません / Not possible", text, 409)
        return _see_other(url or self._consumer.page_url(order))


def _see_other(url: str) -> EmulatorReply:
    headers = {**headers_of(styled=True), "Location": url}
    return EmulatorReply(status=303, headers=headers, body=b"")
