"""Minor digits are looked up when a file is read, and then belong to the declaration."""

from pathlib import Path

import pytest

from kessai import money
from kessai.errors import InvalidInput, InvalidLifecycle
from kessai.money import Currency, minor_digits
from kessai.spec import currencies as of_spec
from kessai.spec import load_file, load_shipped, rebuild, shipped_names

MINIMAL = (Path(__file__).parent / "data" / "minimal.toml").read_text()


def written(folder: Path, currencies: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(MINIMAL.replace('["EUR"]', currencies))
    return path


def test_the_digits_of_a_listed_currency_come_from_the_table(tmp_path: Path) -> None:
    lifecycle = load_file(written(tmp_path, '["USD", "JPY", "KWD"]'))
    assert list(lifecycle.currencies.values()) == [
        Currency("JPY", 0),
        Currency("KWD", 3),
        Currency("USD", 2),
    ]


def test_a_stored_lifecycle_asks_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = load_file(written(tmp_path, '["JPY", "USD"]'))

    def moved_on(code: str) -> int:
        message = f"{code}: given up"
        raise InvalidInput(message)

    monkeypatch.setattr(money, "minor_digits", moved_on)
    monkeypatch.setattr(of_spec, "minor_digits", moved_on)
    again = rebuild(stored.document)
    assert again == stored
    assert again.hash == stored.hash
    with pytest.raises(InvalidLifecycle, match="given up"):
        load_file(written(tmp_path, '["JPY"]'))


def test_a_currency_that_the_table_gave_up_is_written_with_its_digits(
    tmp_path: Path,
) -> None:
    """The kuna, which every table that is allowed has given up already."""
    with pytest.raises(InvalidLifecycle, match="not an ISO 4217 code"):
        load_file(written(tmp_path, '["HRK"]'))
    kuna = load_file(written(tmp_path, "{ HRK = 2 }"))
    assert kuna.currencies["HRK"].show(1234) == "12.34 HRK"
    assert rebuild(kuna.document) == kuna


def test_a_list_and_the_digits_it_stands_for_are_the_same_declaration(
    tmp_path: Path,
) -> None:
    listed = load_file(written(tmp_path, '["USD", "JPY"]'))
    stated = load_file(written(tmp_path, "{ JPY = 0, USD = 2 }"))
    assert stated.hash == listed.hash


def test_the_shipped_lifecycles_are_in_yen() -> None:
    assert load_shipped("one_time").currencies == {"JPY": Currency("JPY", 0)}


@pytest.mark.parametrize("name", shipped_names())
def test_the_shipped_lifecycles_state_the_digits_that_the_table_has(name: str) -> None:
    stated = {code: each.digits for code, each in load_shipped(name).currencies.items()}
    assert stated == {code: minor_digits(code) for code in stated}
