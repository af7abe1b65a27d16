"""Mutates spec, machine, evidence and flow, and counts the mutants that no test notices.

    uv run --group mutation python tests/mutation/run.py --out survivors.txt
    uv run --group mutation python tests/mutation/run.py --only evidence/outcome.py

A copy of the packages is laid out in a temporary folder as mutmut wants it, and mutated.
The tests run there once without any mutant, and must pass; then for each mutant those
that reach it. What survived is written as diffs. The exit code is 1 if less than
`--at-least` percent were noticed, 2 if the tests fail without any mutant.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
HOUSE = HERE.parent.parent
PACKAGES = ("engine/kessai", "adapters/kessai_adapters", "specs/kessai_specs")
OF_FLOWS = (
    "tests/engine/flow",
    "tests/bad_input/test_absurd_evidence.py",
    "tests/notifications/test_stories.py",
    "tests/simulation/test_found.py",
)
MUTATED = {
    "spec": ("tests/engine/spec", "tests/specs/test_shipped.py"),
    "machine": ("tests/engine/machine",),
    "evidence": (
        "tests/engine/evidence",
        "tests/engine/machine/test_reversals.py",
        *OF_FLOWS,
    ),
    "flow": OF_FLOWS,
}
"""The packages, and the tests that must notice what changes in them."""

SETUP = """\
[mutmut]
source_paths =
    src
only_mutate =
    src/kessai/{only}
also_copy =
    pyproject.toml
    tests
"""


def main() -> int:
    """Mutate, test, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="PACKAGE[/FILE.py]", default="")
    parser.add_argument("--at-least", type=float, default=95.0, metavar="PERCENT")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="where the survivors' diffs go")
    given = parser.parse_args()
    package, _, file = given.only.partition("/")
    if package and package not in MUTATED:
        parser.error(f"--only: mutated are {', '.join(MUTATED)}")
    noticed = total = 0
    for name in [package] if package else MUTATED:
        with TemporaryDirectory(prefix="kessai-mutation-") as folder:
            fates = mutate(Path(folder), name, file or "*", given.processes)
            if not fates:
                return 2
            tell(Path(folder), name, fates, given.out)
        noticed += sum(fate == "noticed" for fate in fates.values())
        total += len(fates)
    percent = 100 * noticed / total
    print(f"{noticed:,} of {total:,} mutants noticed: {percent:.1f} %")  # noqa: T201
    return 0 if percent >= given.at_least else 1


def mutate(place: Path, package: str, file: str, processes: int) -> dict[str, str]:
    """What came of each mutant; nothing, if the tests fail without any."""
    lay_out(place, f"{package}/{file}")
    names, out = place / "names.txt", place / "fates.txt"
    subprocess.run([sys.executable, HERE / "generate.py", names], cwd=place, check=True)
    out.touch()
    script = [HERE / "forked.py", names, out, str(processes), *MUTATED[package]]
    subprocess.run(
        [sys.executable, *script],
        cwd=place / "mutants",
        # Nothing random: a mutant must be noticed, not found by luck.
        env={**os.environ, "KESSAI_MUTATION": "1", "PYTHONHASHSEED": "0"},
        check=False,
    )
    return dict(line.split() for line in out.read_text().splitlines())


def lay_out(place: Path, only: str) -> None:
    """A project as mutmut knows them: all packages in `src`, the tests beside it."""
    caches = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for package in PACKAGES:
        source = HOUSE / package
        shutil.copytree(source, place / "src" / source.name, ignore=caches)
    shutil.copytree(HOUSE / "tests", place / "tests", ignore=caches)
    shutil.copy2(HOUSE / "pyproject.toml", place)
    (place / "setup.cfg").write_text(SETUP.format(only=only))


def tell(place: Path, package: str, fates: dict[str, str], out: Path | None) -> None:
    """Print the counts of one package, and write down what was not noticed."""
    print(f"{package}: {dict(Counter(fates.values()))}", flush=True)  # noqa: T201
    if out is None:
        return
    with out.open("a") as survivors:
        for name in sorted(name for name, fate in fates.items() if fate == "survived"):
            shown = subprocess.run(
                [sys.executable, "-m", "mutmut", "show", name],
                cwd=place,
                capture_output=True,
                text=True,
                check=True,
            )
            survivors.write(f"{shown.stdout}\n")


if __name__ == "__main__":
    sys.exit(main())
