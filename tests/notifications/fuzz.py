"""Gives broken notifications to the verifier and the parser, by chance or by coverage.

    python tests/notifications/fuzz.py --inputs 10000000 --seed 1   mutations of a seed
    python tests/notifications/fuzz.py --atheris -- -runs=1000000   guided by coverage

Half of all inputs are signed, so that the parser is reached; the signatures of the
other half are bent. Whatever comes: nothing is raised but `NotificationRefused`,
nothing is heard that was not signed with this merchant's key for this merchant, and
nothing that is heard can carry free text into the trail.
"""

import argparse
import hashlib
import hmac
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random  # noqa: TID251 - a seed makes a run repeatable
from urllib.parse import quote

from kessai.errors import NotificationRefused
from kessai.gateway import NotificationPartlyRefused, Outcome, Source
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

CCID = "A100000000000000000000cc"
OTHER_CCID = "B200000000000000000000cc"
KEY = "4f3c2b1a" * 8
OTHER_KEY = "0a1b2c3d" * 8
ADAPTERS = tuple(
    VeriTrans4G(Credentials(CCID, KEY), dummy=dummy) for dummy in (True, False)
)
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")
NAMES = (
    b"orderId txnType mstatus vResultCode amount centerTransactionId dummy centerOrderId"
).split()
VALUES = (
    *(b"", b" ", b"0", b"1", b"-1", b"01", b"1e3", b"9" * 15, b"9" * 16, b"NaN"),
    *("１".encode(), "花子".encode("shift_jis"), b"%00", b"%ff%fe", b"%F0%9F", b"%zz"),
    *(b"success", b"failure", b"pending", b"Success", b"perhaps", b"NH02000000000000"),
    *(b"Authorize", b"Capture", b"Refund", b"Cancel", b"Terminate", b"Chargeback"),
    *(b"order-1", b"x" * 100, b"x" * 101, b"' OR 1=1 --", b"<script>", b"..%2f.."),
    *(b"20240301003502", b"99999999999999", b"00000000000000", b"4111111111111111"),
)
TOKENS = (*b"& = ; % + %00 %26 %3d \r\n \xff".split(b" "), b"numberOfNotify=", *NAMES)


def signature(body, key=KEY, ccid=CCID):
    """The header that the gateway would send with `body`, made without the adapter."""
    proof = hmac.new(bytes.fromhex(key), body, hashlib.sha256).hexdigest()
    return f"h=HmacSHA256;s={ccid};v={proof}"


# ── the judge ───────────────────────────────────────────────────────────────────────


def judge(headers, body, adapter):
    """`heard`, `partly heard` or `refused`; fails on any other end."""
    try:
        read, verdict = adapter.notification(headers, body), "heard"
    except NotificationPartlyRefused as refusal:
        read, verdict = refusal.readable, "partly heard"
    except NotificationRefused:
        return "refused"
    assert is_true(headers, body), "heard without this merchant's signature"
    assert read or verdict == "partly heard"
    for evidence in read:
        assert_plain(evidence)
    return verdict


def is_true(headers, body):
    """Whether the one signature is the one that only the key can make."""
    given = [value for name, value in headers.items() if name.lower() == "content-hmac"]
    return given == [signature(body)]


def assert_plain(evidence):
    """All that goes on is an id, a name, a number or a time."""
    assert evidence.source is Source.NOTIFICATION
    assert isinstance(evidence.outcome, Outcome)
    assert PLAIN.fullmatch(evidence.transaction)
    assert PLAIN.fullmatch(evidence.command)
    assert evidence.code == "" or re.fullmatch(r"[A-Za-z0-9]{16}", evidence.code)
    assert evidence.exchange is None or PLAIN.fullmatch(evidence.exchange)
    amount = evidence.amount
    assert amount is None or (type(amount) is int and 0 <= amount < 10**15)
    assert evidence.reported_at is None or evidence.reported_at.tzinfo is not None
    assert evidence.needs_inquiry == (evidence.outcome is Outcome.UNKNOWN)
    kept_empty = (evidence.disclosed, evidence.listing, evidence.actor, evidence.note)
    assert not any(kept_empty)


# ── by chance ───────────────────────────────────────────────────────────────────────


def well_formed(chance):
    """A body such as the gateway sends, of one to three items."""
    count = chance.choice((1, 1, 1, 2, 3))
    pairs = [
        (b"numberOfNotify", b"%d" % count),
        (b"pushTime", b"20240301003502"),
        (b"pushId", b"%08d" % chance.randrange(10**8)),
    ]
    dummy = chance.choice((b"0", b"1"))
    for number in range(count):
        values = (
            b"order-%d" % chance.randrange(100),
            chance.choice((b"Authorize", b"Capture", b"Refund", b"Cancel")),
            chance.choice((b"success", b"failure", b"pending")),
            chance.choice((b"A001000000000000", b"NH02000000000000")),
            b"%d" % chance.randrange(10**6),
            b"S03-1234567-1234567-A%06d" % chance.randrange(10**6),
            dummy,
            b"S03-1234567-1234567",
        )
        named = zip(NAMES, values, strict=True)
        pairs += [(b"%s%04d" % (name, number), value) for name, value in named]
    return pairs


def bend_pairs(chance, pairs):
    """Change the fields of a form: a value, a name, their number, their order."""
    place = chance.randrange(len(pairs))
    name, value = pairs[place]
    match chance.randrange(6):
        case 0:
            pairs[place] = (name, chance.choice(VALUES))
        case 1:
            del pairs[place]
        case 2:
            pairs.insert(chance.randrange(len(pairs)), (name, chance.choice(VALUES)))
        case 3:
            pairs[place] = (chance.choice(NAMES) + chance.choice(VALUES), value)
        case 4:
            chance.shuffle(pairs)
        case _:
            pairs[place] = (
                name,
                quote(chance.randbytes(chance.randrange(40))).encode(),
            )


def bend_bytes(chance, data):
    """Change bytes: flip, cut, repeat, insert."""
    place = chance.randrange(len(data) + 1)
    match chance.randrange(5):
        case 0 if place < len(data):
            flipped = data[place] ^ (1 << chance.randrange(8))
            return data[:place] + bytes([flipped]) + data[place + 1 :]
        case 1:
            return data[:place]
        case 2:
            return data[:place] + data[chance.randrange(len(data) + 1) :]
        case 3:
            return data[:place] + chance.choice(TOKENS) + data[place:]
        case _:
            return data[:place] + chance.randbytes(chance.randrange(9)) + data[place:]


def some_body(chance):
    """A body that is as the gateway's or, more often, is not quite."""
    pairs = well_formed(chance)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        if pairs:
            bend_pairs(chance, pairs)
    body = b"&".join(b"%s=%s" % pair for pair in pairs)
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        body = bend_bytes(chance, body)
    return body


FORGERIES = (
    lambda _, body: [("Content-Hmac", signature(body, OTHER_KEY))],
    lambda _, body: [("Content-Hmac", signature(body, KEY, OTHER_CCID))],
    lambda chance, body: [("Content-Hmac", signature(bend_bytes(chance, body)))],
    lambda chance, body: [
        ("Content-Hmac", signature(body)),
        ("content-hmac", chance.choice((signature(body), "", "x"))),
    ],
    lambda _, body: [("Content-Hmac", ", ".join([signature(body)] * 2))],
    lambda chance, body: [(chance.choice(("", "X-Content-Hmac")), signature(body))],
    lambda chance, body: [
        ("Content-Hmac", signature(body).replace("Hmac", chance.choice(("", "No"))))
    ],
    lambda _, body: [("Content-Hmac", signature(body).upper())],
    lambda chance, body: [
        (
            "Content-Hmac",
            bend_bytes(chance, signature(body).encode()).decode("latin-1"),
        )
    ],
)


def run(inputs, seed):
    """Judge that many inputs of that seed; how often each verdict was given."""
    chance = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    verdicts = Counter()
    for number in range(inputs):
        body = some_body(chance)
        headers = {"Content-Hmac": signature(body)}
        if chance.random() < 0.5:
            headers = dict(chance.choice(FORGERIES)(chance, body))
        try:
            verdict = judge(headers, body, ADAPTERS[number % 2])
        except Exception as error:
            error.add_note(f"seed {seed}, input {number}: {headers!r} {body!r}")
            raise
        kind = "signed" if is_true(headers, body) else "forged"
        verdicts[kind, verdict] += 1
    return verdicts


# ── by coverage ─────────────────────────────────────────────────────────────────────


def run_guided(arguments):
    """Let atheris choose: a byte for the kind of signature, the rest is the body."""
    import atheris

    atheris.enabled_hooks.add("RegEx")
    for name in [name for name in sys.modules if name.startswith("kessai_adapters")]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["kessai_adapters.veritrans4g"]):
        from kessai_adapters.veritrans4g import Credentials as GuidedCredentials
        from kessai_adapters.veritrans4g import VeriTrans4G as GuidedAdapter
    credentials = GuidedCredentials(CCID, KEY)
    adapters = [GuidedAdapter(credentials, dummy=dummy) for dummy in (True, False)]

    def one(data):
        kind, body = (data[0], data[1:]) if data else (0, b"")
        headers, body = guided_headers(kind, body)
        judge(headers, body, adapters[kind >> 1 & 1])

    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder)
        corpus = known / "corpus"
        corpus.mkdir()
        chance = Random(0)  # noqa: S311 - to be repeated, not to be secret
        for number in range(300):
            kind = bytes([number % 4])
            (corpus / str(number)).write_bytes(kind + some_body(chance))
        words = (escaped(word) for word in (*VALUES, *TOKENS) if word)
        (known / "words").write_text("\n".join(words), "ascii")
        more = [f"-dict={known / 'words'}", "-max_len=2000", str(corpus)]
        atheris.Setup([sys.argv[0], *arguments, *more], one)
        atheris.Fuzz()


def escaped(word):
    """A word as libFuzzer's dictionaries have it."""
    return '"' + "".join(rf"\x{byte:02x}" for byte in word) + '"'


def guided_headers(kind, body):
    """A true signature for odd kinds, else one that the beginning of the body bends."""
    if kind % 2:
        return {"Content-Hmac": signature(body)}, body
    split = kind >> 2
    bent = bytearray(signature(body[split:]).encode())
    for place, change in enumerate(body[:split]):
        bent[place % len(bent)] ^= change
    return {"Content-Hmac": bent.decode("latin-1")}, body[split:]


def main():
    """Run as the command line asks; the tally goes to the standard output."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--inputs", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--atheris", action="store_true")
    options.add_argument("rest", nargs="*", help="for libFuzzer, after --")
    given = options.parse_args()
    if given.atheris:
        run_guided(given.rest)
        return
    begun = time.perf_counter()
    verdicts = run(given.inputs, given.seed)
    taken = time.perf_counter() - begun
    for (kind, verdict), count in sorted(verdicts.items()):
        print(f"{kind} and {verdict}: {count:,}")  # noqa: T201
    print(f"{given.inputs:,} inputs of seed {given.seed} in {taken:,.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
