"""What `import kessai` offers: every name resolves and shows; paths are `str` or `Path`."""

import ast
import inspect
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path

import pytest

import kessai
from kessai import flow, machine, spec, stores
from kessai.audit import write_seal
from kessai.audit.coverage.totals import Coverage, read_coverage
from kessai.audit.sealing import (
    new_private_key,
    read_private_key,
    read_public_key,
    read_seal,
)
from kessai_adapters.veritrans4g.local import LocalGateway

NEEDS_EXTRA = {"AsyncPostgresStore", "PostgresStore", "Telemetry"}
MODULES = {"errors", "flow", "gateway", "spec"}


@pytest.mark.parametrize("name", kessai.__all__)
def test_every_exported_name_resolves_and_shows(name):
    assert getattr(kessai, name) is not None
    assert name in dir(kessai)


def test_what_no_import_star_brings_shows_all_the_same():
    assert set(dir(kessai)) >= NEEDS_EXTRA | MODULES
    assert all(inspect.ismodule(getattr(kessai, name)) for name in MODULES)


def test_all_that_is_imported_late_is_exported():
    assert set(shown_to_type_checkers(kessai)) == {*kessai.__all__, *NEEDS_EXTRA}


def shown_to_type_checkers(package):
    """The module of each name that type checkers see imported."""
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("package", [kessai, machine, flow, spec, stores])
def test_a_package_shows_on_demand_what_type_checkers_are_shown(package):
    shown = shown_to_type_checkers(package)
    late = vars(package)["_places"]
    places = {
        name: resolve_name(place, package.__name__)
        for name, place in late.items()
        if place != "."
    }
    assert places == shown
    assert set(package.__all__) | NEEDS_EXTRA >= set(shown) >= set(package.__all__)
    assert set(dir(package)) >= set(shown)


def test_a_function_is_not_hidden_by_the_module_that_it_stands_in():
    for module, name in ((machine, "decide"), (flow, "search"), (flow, "execute")):
        import_module(f"{module.__name__}.{name}")
        assert inspect.isfunction(getattr(module, name))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Enigne'"):
        _ = kessai.Enigne


def test_what_reconcile_returns_is_exported():
    signature = inspect.signature(kessai.Engine.reconcile)
    assert signature.return_annotation is kessai.Inquiry


# ── paths ───────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=[str, Path])
def at(request, tmp_path):
    """Where a file is, in one of the two forms."""
    return lambda name: request.param(tmp_path / name)


LIFECYCLE = Path(kessai.spec.__file__).parents[3] / "specs/kessai_specs"


def test_a_lifecycle_is_read_from_either(at, tmp_path):
    text = (LIFECYCLE / "one_time.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    assert kessai.load_file(at("mine.toml")).name == "one_time"


@pytest.mark.parametrize("opened", [kessai.SQLiteStore, kessai.open_store])
def test_a_store_is_opened_at_either(at, tmp_path, opened):
    opened(at("kessai.db")).close()
    assert (tmp_path / "kessai.db").exists()


def test_the_books_of_the_emulator_are_kept_at_either(at, tmp_path):
    LocalGateway(books=at("books.db"))
    assert (tmp_path / "books.db").exists()


def test_coverage_is_read_from_either(at, tmp_path):
    (tmp_path / "coverage.json").write_bytes(Coverage().encoded())
    assert read_coverage(at("coverage.json")) == Coverage()


def test_keys_and_seals_are_written_and_read_at_either(at, tmp_path):
    public = new_private_key(at("key"))
    key = read_private_key(at("key"))
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    made = write_seal(kessai.MemoryStore(), key, at("seal"), noon)
    assert read_seal(at("seal"), key.public) == made.seal
    assert made.seal.path == tmp_path / "seal"
    (tmp_path / "public").write_text(public.hex, "utf-8")
    assert read_public_key(at("public")) == public
