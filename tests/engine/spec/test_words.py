"""Words by name: each in both languages, with the same gaps to be filled in."""

import importlib
import pkgutil
import re

import pytest

import kessai
from kessai.spec import Text, Words


@pytest.fixture
def word():
    return Words({"left": Text(en="{count} left", ja="残り{count}件")})


def test_a_word_is_asked_for_by_name_and_language(word):
    assert word("left", "en") == "{count} left"
    assert word("left", "ja", count=3) == "残り3件"
    assert word.in_language("ja") == {"left": "残り{count}件"}
    assert "right" not in word


def every_table():
    modules = pkgutil.walk_packages(kessai.__path__, "kessai.")
    for found in modules:
        if found.name != "kessai.__main__":
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if isinstance(value, Words):
                    yield f"{found.name}.{name}", value


def test_all_words_have_the_same_gaps_in_both_languages():
    tables = dict(every_table())
    assert len(tables) >= 12
    gaps = re.compile(r"{(\w+)[^}]*}")
    for table, texts in tables.items():
        for name, text in texts.items():
            found = [set(gaps.findall(one)) for one in (text.en, text.ja)]
            assert found[0] == found[1], (table, name)
