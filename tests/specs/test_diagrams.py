"""The shipped pictures are those of the shipped lifecycles, not of former ones."""

from importlib import resources

import pytest

from kessai.diagram.dot import dot
from kessai.diagram.svg import mark
from kessai.spec import load_shipped, shipped_names
from kessai.spec.model import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", shipped_names())
def test_each_picture_is_current(name: str, language: str) -> None:
    picture = resources.files("kessai_specs").joinpath(
        "diagrams", f"{name}.{language}.svg"
    )
    assert mark(dot(load_shipped(name), language)) in picture.read_text("utf-8"), (
        "the lifecycle has changed: run python tests/specs/render_diagrams.py"
    )


def test_no_picture_is_of_a_lifecycle_that_is_gone() -> None:
    pictures = {
        file.name
        for file in resources.files("kessai_specs").joinpath("diagrams").iterdir()
    }
    assert pictures == {
        f"{name}.{language}.svg" for name in shipped_names() for language in LANGUAGES
    }
