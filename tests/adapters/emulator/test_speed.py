"""How long an exchange takes in process; run with `--benchmark-only`."""

from urllib.parse import quote_plus

PATH = "/paynow/v2/Capture/amazonpay"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_capture_with_its_hash_is_cheap(benchmark, shop, sign, emulator):
    def authorized_order():
        order_id = f"A-{len(emulator.books)}"
        shop.authorized(order_id)
        body = quote_plus(sign({"orderId": order_id, **shop.common()})).encode()
        return ("POST", PATH, HEADERS, body), {}

    reply = benchmark.pedantic(emulator.handle, setup=authorized_order, rounds=1000)
    assert b'"mstatus":"success"' in reply.body
    assert benchmark.stats.stats.median < 0.001
