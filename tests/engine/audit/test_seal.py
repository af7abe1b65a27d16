"""Seals and keys as files: whole or not there, checked against themselves, never shown."""

import hashlib
import json
import re
import stat
import traceback
from datetime import UTC, datetime

import pytest
from audited.shop import opened
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kessai import MemoryStore
from kessai.audit import write_seal
from kessai.audit.sealing import (
    new_private_key,
    read_private_key,
    read_public_key,
    read_seal,
)
from kessai.audit.sealing.merkle import Tree
from kessai.errors import AdapterMissing, InvalidInput, StoreFailed, TrailBroken

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)
PEM = serialization.Encoding.PEM


@pytest.fixture
def key(tmp_path):
    new_private_key(tmp_path / "key")
    return read_private_key(tmp_path / "key")


@pytest.fixture
def shop():
    shop = opened(MemoryStore())
    shop.sells("A-1")
    shop.agrees()
    return shop


@pytest.fixture
def seal(shop, key, tmp_path):
    return write_seal(shop.engine.store, key, tmp_path / "seal", NOON).seal


def test_a_seal_is_lines_of_chains_and_a_signed_line(seal, shop):
    first, *chains, last = seal.path.read_text("utf-8").splitlines()
    assert json.loads(first) == {"format": "kessai seal 1"}
    heads = {t.id: t.head for t in shop.engine.store.transactions()}
    assert [json.loads(line) for line in chains] == [
        ["A-1", 5, heads["A-1"]],
        ["R-1", 3, heads["R-1"]],
    ]
    summary = json.loads(last)
    assert summary["time"] == "2024-07-01T12:00:00Z"
    assert (summary["chains"], summary["events"]) == (2, 8)
    assert len(summary["lifecycles"]) == 2


def test_a_seal_holds_nothing_but_ids_hashes_counts_and_its_time(shop, key, tmp_path):
    note = {"note": "for Hanako"}
    shop.do("authorize", "A-7", lifecycle="one_time", amount=4711, parameters=note)
    made = write_seal(shop.engine.store, key, tmp_path / "seal", NOON)
    text = made.seal.path.read_text("utf-8")
    assert "Hanako" not in text
    assert "4711" not in text
    assert "key-0" not in text


def test_a_seal_of_nothing_can_be_read(key, tmp_path):
    seal = write_seal(MemoryStore(), key, tmp_path / "seal", NOON).seal
    assert list(seal.chains()) == []


def test_the_signature_can_be_checked_without_kessai(seal, key):
    """The last line, without its signature, keys sorted, no spaces."""
    summary = json.loads(seal.path.read_bytes().splitlines()[-1])
    signature = bytes.fromhex(summary.pop("signature"))
    message = json.dumps(summary, sort_keys=True, separators=(",", ":")).encode()
    public = ed25519.Ed25519PublicKey.from_public_bytes(key.public.raw)
    public.verify(signature, message)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 13])
def test_the_tree_is_that_of_the_standard(count):
    def root(leaves):
        if not leaves:
            return hashlib.sha256().digest()
        if len(leaves) == 1:
            return hashlib.sha256(b"\0" + leaves[0]).digest()
        middle = 1 << (len(leaves) - 1).bit_length() - 1
        both = root(leaves[:middle]) + root(leaves[middle:])
        return hashlib.sha256(b"\1" + both).digest()

    leaves = [str(number).encode() for number in range(count)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    assert tree.root() == root(leaves).hex()


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_byte_changed_in_a_seal_is_found(seal, key, data):
    whole = seal.path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    seal.path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    with pytest.raises((InvalidInput, TrailBroken)):
        read_seal(seal.path, key.public)
    seal.path.write_bytes(whole)


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        (rb'(?<="signature":")[0-9a-f]+', bytes.upper),
        (rb'(?<="time":")[^"]+', bytes.lower),
        (rb'(?<="time":")[^"]+', lambda time: time.replace(b"Z", b"+00:00")),
        (rb'"signature":', lambda name: name + b" "),
    ],
    ids=["letters", "time", "zone", "space"],
)
def test_what_is_read_alike_but_written_otherwise_is_no_seal(
    seal, key, written, otherwise
):
    whole = seal.path.read_bytes()
    (found,) = re.findall(written, whole)
    assert otherwise(found) != found
    seal.path.write_bytes(whole.replace(found, otherwise(found)))
    with pytest.raises(TrailBroken, match="changed after it was signed"):
        read_seal(seal.path, key.public)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[2], lines[1], lines[3]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: lines[1:],
        lambda lines: [],
        lambda lines: [b"PNG\n"],
    ],
    ids=["cut", "left out", "swapped", "twice", "headless", "empty", "another"],
)
def test_a_seal_with_other_lines_is_none(seal, key, change):
    lines = seal.path.read_bytes().splitlines(keepends=True)
    seal.path.write_bytes(b"".join(change(lines)))
    with pytest.raises((InvalidInput, TrailBroken), match="seal"):
        read_seal(seal.path, key.public)


def test_a_seal_made_with_another_key_is_refused_even_under_the_right_name(
    shop, seal, key, tmp_path
):
    new_private_key(tmp_path / "other")
    other = read_private_key(tmp_path / "other")
    forged = write_seal(shop.engine.store, other, tmp_path / "forged", NOON).seal
    with pytest.raises(InvalidInput, match=f"key {other.public.id}"):
        read_seal(forged.path, key.public)
    renamed = forged.path.read_text().replace(other.public.id, key.public.id)
    forged.path.write_text(renamed)
    with pytest.raises(TrailBroken, match="changed after it was signed"):
        read_seal(forged.path, key.public)


def test_a_seal_changed_while_it_is_read_is_noticed(seal):
    seal.path.write_bytes(seal.path.read_bytes().replace(b'"A-1"', b'"A-0"'))
    with pytest.raises(InvalidInput, match="changed while it was read"):
        list(seal.chains())


def test_a_seal_is_never_written_over_another_file(shop, seal, key):
    before = seal.path.read_bytes()
    with pytest.raises(InvalidInput, match="is there already"):
        write_seal(shop.engine.store, key, seal.path, NOON)
    assert seal.path.read_bytes() == before


def test_a_seal_before_its_predecessor_is_refused(shop, seal, key, tmp_path):
    with pytest.raises(InvalidInput, match="later time"):
        write_seal(shop.engine.store, key, tmp_path / "second", NOON, [seal])


@pytest.mark.parametrize(
    "broken_off", [KeyboardInterrupt, OSError(28, "No space left")]
)
def test_a_seal_that_is_broken_off_leaves_no_file(
    shop, key, tmp_path, monkeypatch, broken_off
):
    def fail(_descriptor):
        raise broken_off

    monkeypatch.setattr("os.fsync", fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises((KeyboardInterrupt, StoreFailed)):
        write_seal(shop.engine.store, key, tmp_path / "seal", NOON)
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_system_without_links_is_served_too(shop, key, tmp_path, monkeypatch):
    def unable(_source, _target):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", unable)
    seal = write_seal(shop.engine.store, key, tmp_path / "seal", NOON).seal
    assert seal.summary.chains == 2
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_is_not_there_is_told(shop, key, tmp_path):
    with pytest.raises(StoreFailed, match="cannot be written"):
        write_seal(shop.engine.store, key, tmp_path / "no" / "seal", NOON)


# ── keys ────────────────────────────────────────────────────────────────────────────


def test_a_new_key_is_for_its_owner_alone_and_shows_itself_nowhere(tmp_path):
    public = new_private_key(tmp_path / "key")
    mode = stat.S_IMODE((tmp_path / "key").stat().st_mode)
    assert mode == 0o600
    private = read_private_key(tmp_path / "key")
    assert private.public == public
    secret = private._key.private_bytes_raw()
    for shown in (repr(private), str(private), f"{private}", repr(public)):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


def test_a_key_is_never_overwritten(tmp_path):
    new_private_key(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(InvalidInput, match="never overwritten"):
        new_private_key(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before


def test_a_full_disk_leaves_no_half_key(tmp_path, monkeypatch):
    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(InvalidInput, match="No space left"):
        new_private_key(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_not_used(tmp_path):
    new_private_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        read_private_key(tmp_path / "key")


def other_keys():
    plain, wrapped = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    curve = ec.generate_private_key(ec.SECP256R1())
    ours = ed25519.Ed25519PrivateKey.generate()
    locked = serialization.BestAvailableEncryption(b"secret")
    return {
        "another kind": curve.private_bytes(PEM, wrapped, plain),
        "with a passphrase": ours.private_bytes(PEM, wrapped, locked),
        "no key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "nothing": b"",
        "a large file": b"x" * 100_000,
    }


@pytest.mark.parametrize("what", list(other_keys()))
def test_what_is_no_private_key_is_refused_without_showing_it(tmp_path, what):
    content = other_keys()[what]
    file = tmp_path / "key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(InvalidInput) as refused:
        read_private_key(file)
    trace = "".join(traceback.format_exception(refused.value))
    assert not content or content[30:60].decode() not in trace


def test_a_public_key_is_given_as_digits_or_in_a_file(key, tmp_path):
    digits, pem = tmp_path / "digits", tmp_path / "pem"
    digits.write_text(f"{key.public.hex}\n")
    raw = ed25519.Ed25519PublicKey.from_public_bytes(key.public.raw)
    pem.write_bytes(
        raw.public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for given_as in (key.public.hex, key.public.hex.upper(), str(digits), str(pem)):
        assert read_public_key(given_as) == key.public


def test_what_is_no_public_key_is_refused(tmp_path, key):
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_public_key("abc")
    with pytest.raises(InvalidInput, match="not a path"):
        read_public_key("a\0b")
    with pytest.raises(InvalidInput, match="not an Ed25519 public key"):
        read_public_key(str(tmp_path / "key"))


def test_without_its_package_it_says_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(AdapterMissing, match=r"kessai\[seal\]"):
        new_private_key(tmp_path / "key")
    assert not list(tmp_path.iterdir())
