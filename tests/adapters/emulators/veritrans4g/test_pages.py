"""The consumer's pages, as a person's browser sees them."""

import re
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

import pytest

EVIL = "\"><script>alert('x')</script>&amp;"


class Form(HTMLParser):
    """The buttons and the hidden fields of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.actions = []
        self.fields = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "button":
            self.actions.append(found["formaction"])
        if tag == "input":
            self.fields[found["name"]] = found["value"]


@pytest.fixture
def open_page(emulator):
    """Return a function that opens an order's page as the browser would."""
    emulator.approve = "ask"

    def open_page(order_id):
        parts = urlsplit(emulator.consumer.page_url(order_id))
        return emulator.handle("GET", f"{parts.path}?{parts.query}", {}, b"")

    return open_page


@pytest.fixture
def press(emulator, open_page):
    """Return a function that presses a button of an order's page."""

    def press(order_id, action):
        form = Form(open_page(order_id).body.decode())
        (target,) = [one for one in form.actions if one.endswith(f"/{action}")]
        return emulator.handle("POST", target, {}, urlencode(form.fields).encode())

    return press


def test_the_page_shows_what_is_asked_in_both_languages(shop, open_page):
    shop.consented("R-1", 12345, noteToBuyer="お茶の定期便")
    reply = open_page("R-1")
    text = reply.body.decode()
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    for shown in ("R-1", "¥12,345", "お茶の定期便", "1か月ごと", "every 1 month"):
        assert shown in text
    assert "支払う / Approve" in text


def test_the_page_of_a_consent_alone_says_that_nothing_is_paid_now(shop, open_page):
    shop.consented("R-1", consentAuthType="0")
    assert "承諾のみ / consent only" in open_page("R-1").body.decode()


def test_nothing_of_an_order_becomes_part_of_the_page(shop, open_page):
    shop.authorized("A-1", noteToBuyer=EVIL)
    text = open_page("A-1").body.decode()
    assert "script" not in Form(text).tags
    assert EVIL not in text
    assert "&lt;script&gt;" in text


def test_the_first_reply_sends_the_browser_on_without_scripts(
    shop, emulator, open_page
):
    emulator.base_url = 'https://gateway.example/"><script>'
    contents = shop.authorized("A-1")["responseContents"]
    assert "script" not in Form(contents).tags
    assert re.search(r'http-equiv="refresh"', contents)


def test_a_person_approves_and_is_sent_back_to_the_shop(shop, press, open_page):
    shop.authorized("A-1", successUrl="https://shop.example/done")
    reply = press("A-1", "approve")
    assert reply.status == 303
    assert reply.headers["Location"].startswith("https://shop.example/done?")
    assert shop.status("A-1") == "authorized"
    assert Form(open_page("A-1").body.decode()).actions == []


@pytest.mark.parametrize(
    ("action", "name"), [("decline", "cancelUrl"), ("refuse-card", "errorUrl")]
)
def test_a_person_declines_or_has_the_card_refused(shop, press, action, name):
    shop.authorized("A-1", **{name: "https://shop.example/back"})
    assert press("A-1", action).headers["Location"].startswith("https://shop")
    assert shop.status("A-1") == "failed"


def test_a_person_closes_the_browser_and_comes_back(shop, press):
    shop.authorized("A-1")
    assert press("A-1", "close").status == 200
    assert shop.status("A-1") == "requested"
    reply = press("A-1", "approve")
    assert "/consumer/A-1?session=" in reply.headers["Location"]
    assert shop.status("A-1") == "authorized"


def test_a_person_goes_by_way_of_the_merchants_own_page(shop, press, open_page):
    own = {"payConfirmScreenType": "1", "payConfirmScreenUrl": "https://shop.example/c"}
    shop.authorized("A-1", **own)
    assert press("A-1", "login").headers["Location"] == "https://shop.example/c"
    shop.ok("GetAddress", "A-1")
    press("A-1", "approve")
    assert shop.status("A-1") == "authorized"


def test_a_page_opens_only_with_its_session(shop, emulator, open_page):
    shop.authorized("A-1")
    form = Form(open_page("A-1").body.decode())
    many = "&".join(["a=b"] * 20)
    for method, target, body in (
        ("GET", "/consumer/A-1", b""),
        ("GET", "/consumer/A-1?session=0", b""),
        ("GET", "/consumer/nowhere?session=0", b""),
        ("GET", f"/consumer/A-1?{many}", b""),
        ("POST", "/consumer/A-1/approve", b"session=%ff"),
        ("POST", "/consumer/A-1/steal", urlencode(form.fields).encode()),
        ("DELETE", f"/consumer/A-1?{urlencode(form.fields)}", b""),
        ("GET", f"/consumer/A-1/approve?{urlencode(form.fields)}", b""),
    ):
        assert emulator.handle(method, target, {}, body).status == 404
    assert shop.status("A-1") == "requested"


def test_an_old_page_cannot_act_again(shop, emulator, open_page):
    shop.authorized("A-1")
    form = Form(open_page("A-1").body.decode())
    sent = urlencode(form.fields).encode()
    first = emulator.handle("POST", "/consumer/A-1/approve", {}, sent)
    second = emulator.handle("POST", "/consumer/A-1/decline", {}, sent)
    assert (first.status, second.status) == (303, 409)
    assert shop.status("A-1") == "authorized"
