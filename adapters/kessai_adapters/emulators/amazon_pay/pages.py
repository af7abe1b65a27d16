"""Amazon's page in a browser: the buyer approves a session there, or declines it."""

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from kessai_adapters.emulators import EmulatorReply

if TYPE_CHECKING:
    from kessai_adapters.emulators.amazon_pay.emulator import AmazonPayEmulator

PREFIX: Final = "/checkout/"
_HTML: Final = {"Content-Type": "text/html; charset=utf-8"}
_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>Amazon Pay (emulator)</title><h1>Amazon Pay (emulator)</h1>
<p>{what}</p><form method="post">
<button name="act" value="approve">Approve / 承認</button>
<button name="act" value="decline">Decline / 拒否</button></form></html>"""


def answer_browser(
    emulator: "AmazonPayEmulator", method: str, path: str, body: bytes
) -> EmulatorReply:
    """Answer a browser: the page, or where it goes once the buyer has decided."""
    session = emulator.books.sessions.get(path.removeprefix(PREFIX))
    if session is None or not session.is_waiting:
        return EmulatorReply(status=404, headers=dict(_HTML), body=b"")
    if method == "GET":
        price = session.price.on_wire() if session.price else {}
        what = escape(f"{session.reference} {' '.join(price.values())}")
        page = _PAGE.format(what=what).encode()
        return EmulatorReply(status=200, headers=dict(_HTML), body=page)
    consumer = emulator.consumer
    act = consumer.approve if body == b"act=approve" else consumer.decline
    act(session.reference)
    web = session.details["webCheckoutDetails"]
    url = web.get("checkoutResultReturnUrl") or web.get("checkoutReviewReturnUrl")
    if not url:
        return EmulatorReply(status=200, headers=dict(_HTML), body=b"")
    joint = "&" if "?" in url else "?"
    query = urlencode({"amazonCheckoutSessionId": session.id})
    headers = {**_HTML, "Location": f"{url}{joint}{query}"}
    return EmulatorReply(status=303, headers=headers, body=b"")
