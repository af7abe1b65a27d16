"""Draw the pictures of the shipped lifecycles anew.

    python tests/specs/render_diagrams.py

They are package data, made once per change of a lifecycle, so that nobody who installs
kessai needs Graphviz. Needs the extra `diagram`: its Graphviz draws the same on every
machine, so `test_diagrams.py` can hold these files against a fresh drawing.
"""

import sys
from pathlib import Path

import kessai_specs
from kessai.diagram.svg import drawn_anew
from kessai.spec import load_shipped, shipped_names
from kessai.spec.text import LANGUAGES


def main() -> None:
    assert kessai_specs.__file__ is not None
    folder = Path(kessai_specs.__file__).parent / "diagrams"
    folder.mkdir(exist_ok=True)
    for name in shipped_names():
        lifecycle = load_shipped(name)
        for language in LANGUAGES:
            picture = drawn_anew(lifecycle, language)
            path = folder / f"{name}.{language}.svg"
            path.write_text(picture, encoding="utf-8")
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
