"""Lifecycle files from package data, from disk and from storage."""

import hashlib
import shutil
from pathlib import Path

import attrs
import pytest

from kessai.errors import InvalidInput, InvalidLifecycle, UnknownLifecycle
from kessai.spec import load_file, load_shipped, rebuild, shipped_names

MINIMAL = Path(__file__).parent / "data" / "minimal.toml"
SHIPPED = (
    "amazon_pay",
    "amazon_pay_charge",
    "amazon_pay_recurring",
    "card",
    "charge",
    "one_time",
    "recurring",
    "saved_card",
    "saved_card_charge",
)


def test_the_shipped_lifecycles_are_these() -> None:
    assert shipped_names() == SHIPPED
    assert [load_shipped(name).name for name in SHIPPED] == list(SHIPPED)


@pytest.mark.parametrize("name", ["nope", "", "shared/payment", "../one_time"])
def test_a_lifecycle_that_is_not_shipped_is_unknown(name: str) -> None:
    with pytest.raises(
        UnknownLifecycle, match="shipped are amazon_pay, amazon_pay_charge"
    ):
        load_shipped(name)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_lifecycle_is_rebuilt_from_its_stored_document(name: str) -> None:
    lifecycle = load_shipped(name)
    assert rebuild(lifecycle.document) == lifecycle
    assert lifecycle.hash == hashlib.sha256(lifecycle.document).hexdigest()


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"1", b"\xff", b"{", b"[" * 100_000, b'{"a":"\xff"}']
)
def test_a_stored_document_that_is_no_object_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidLifecycle, match="stored declaration"):
        rebuild(document)


def test_a_stored_document_with_mistakes_is_refused_with_all_of_them() -> None:
    with pytest.raises(InvalidLifecycle) as refused:
        rebuild(b'{"lifecycle":{"name":null},"commands":1.5,"x":{}}')
    assert len(refused.value.mistakes) > 5


def test_a_lifecycle_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        load_shipped("charge").name = "other"  # type: ignore[misc]


def test_comments_order_and_layout_do_not_change_the_hash(tmp_path: Path) -> None:
    text = MINIMAL.read_text()
    head, _, rest = text.partition("[transaction]")
    tail = "[transaction]" + rest.replace("# ", "# more ")
    other = tmp_path / "minimal.toml"
    other.write_text(f"# moved\n{tail}\n\n{head.replace(' = ', '=')}")
    assert load_file(other).hash == load_file(MINIMAL).hash


def test_what_is_said_differently_changes_the_hash(tmp_path: Path) -> None:
    other = tmp_path / "minimal.toml"
    other.write_text(MINIMAL.read_text().replace('max = "100"', 'max = "101"'))
    assert load_file(other).hash != load_file(MINIMAL).hash


def test_a_missing_file_never_turns_into_the_shipped_one_of_its_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / "one_time.toml"
    with pytest.raises(InvalidInput) as refused:
        load_file(path)
    assert str(refused.value) == f"{path}: No such file or directory"


def test_a_directory_is_no_lifecycle_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="directory"):
        load_file(tmp_path)


def specs() -> Path:
    import kessai_specs

    assert kessai_specs.__file__ is not None
    return Path(kessai_specs.__file__).parent


def test_a_file_of_ones_own_may_include_what_is_shipped(tmp_path: Path) -> None:
    shutil.copy(specs() / "charge.toml", tmp_path / "mine.toml")
    assert load_file(tmp_path / "mine.toml") == load_shipped("charge")


def test_an_include_of_ones_own_goes_before_the_shipped_one(tmp_path: Path) -> None:
    shutil.copy(specs() / "charge.toml", tmp_path / "mine.toml")
    (tmp_path / "shared").mkdir()
    payment = (specs() / "shared" / "payment.toml").read_text()
    own = payment.replace('"30 days"', '"29 days"')
    (tmp_path / "shared" / "payment.toml").write_text(own)
    deadline = load_file(tmp_path / "mine.toml").deadlines["authorization"]
    assert deadline.seconds == 29 * 24 * 60 * 60
