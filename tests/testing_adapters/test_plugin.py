"""`pytest --kessai-adapter NAME`: what it collects, and its messages to a stranger."""

import os
import subprocess
import sys

import pytest

from kessai.errors import AdapterMissing, InvalidInput
from kessai.testing.adapter_kit.installed import installed_kit


def run_pytest(folder, *arguments, **environ):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_shipped_adapter_passes_in_an_empty_folder(tmp_path):
    done = run_pytest(tmp_path, "--kessai-adapter", "veritrans4g", "-W", "error")
    assert done.returncode == 0, done.stdout
    assert "53 passed" in done.stdout
    # What the plugins of this environment leave behind; the kit itself leaves nothing.
    assert {p.name for p in tmp_path.iterdir()} <= {".benchmarks", ".hypothesis"}


def test_the_kit_joins_the_tests_that_are_there_and_can_be_chosen(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    chosen = "test_own or a_resend"
    done = run_pytest(tmp_path, "-v", "--kessai-adapter", "veritrans4g", "-k", chosen)
    assert done.returncode == 0, done.stdout
    assert "test_own.py::test_own PASSED" in done.stdout
    assert "veritrans4g::test_a_resend_is_the_same_request PASSED" in done.stdout
    assert "2 passed, 52 deselected" in done.stdout


def test_the_marker_chooses_the_kit_alone(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    arguments = ("--kessai-adapter", "veritrans4g", "--strict-markers", "--co", "-q")
    done = run_pytest(tmp_path, *arguments, "-m", "kessai_adapter")
    assert "53/54 tests collected" in done.stdout


def test_without_the_option_nothing_is_collected(tmp_path):
    assert run_pytest(tmp_path).returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_loading_the_plugin_imports_no_part_of_the_kit():
    code = (
        "import sys; before = set(sys.modules); import kessai.testing.pytest_plugin.adapters;"
        " print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = (
        "hypothesis",
        "pytest",
        "kessai.machine",
        "attrs",
        "kessai.testing.adapter",
    )
    assert not [m for m in done.stdout.split() if m.startswith(heavy)]


def test_an_adapter_that_is_not_installed_is_a_usage_error(tmp_path):
    done = run_pytest(tmp_path, "--kessai-adapter", "nonesuch")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "adapter 'nonesuch' is not installed; installed are: " in done.stderr
    assert "Traceback" not in done.stderr


def installed(folder, name, module, files):
    """A package as an installer would leave it: modules, and an entry point."""
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[kessai.adapters]\n{name} = {module}\n")


POOR = "class {0}: pass\n"
NO_SAMPLES = "def samples(): return 7\n"


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("poor_a", {}, "cannot be imported: No module named 'poor_a'"),
        (
            "poor_b",
            {"poor_b/__init__.py": ""},
            "cannot be imported: module 'poor_b' has no attribute",
        ),
        (
            "poor_c",
            {"poor_c/__init__.py": POOR},
            "has nothing on record: no module poor_c.samples",
        ),
        (
            "poor_d",
            {"poor_d/__init__.py": POOR, "poor_d/samples.py": ""},
            "poor_d.samples: needs a function samples() that returns AdapterSamples",
        ),
        (
            "poor_e",
            {"poor_e/__init__.py": POOR, "poor_e/samples.py": NO_SAMPLES},
            "poor_e.samples.samples(): must return AdapterSamples, not 7",
        ),
    ],
)
def test_an_author_reads_what_is_missing(name, files, words, tmp_path, monkeypatch):
    named = {file: text.format("Poor") for file, text in files.items()}
    installed(tmp_path, name, f"{name}:Poor", named)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((AdapterMissing, InvalidInput)) as refusal:
        installed_kit(name)
    assert words in str(refusal.value)
