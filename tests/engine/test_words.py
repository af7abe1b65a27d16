"""Texts by name: each in both languages, with the same gaps to be filled in."""

import re
import subprocess
import sys

import pytest

from kessai.words import Text, Words, joined

GAPS = re.compile(r"{(\w+)[^}]*}")


def test_a_word_is_asked_for_by_name_and_language():
    word = Words("recovery")
    assert word("swept", "en") == "{count} moved over a deadline."
    assert word("swept", "ja", count=3) == "3 件を期限切れに変更。"
    assert word.in_language("ja")["transaction"] == "取引"
    assert "nothing of the kind" not in word


def test_a_section_is_a_table_of_its_own():
    assert "captured_once" in Words("demo.notes")
    assert "captured_once" not in Words("demo.lines")
    with pytest.raises(KeyError):
        Words("demo.nothing")("title", "en")


def test_names_are_put_together_in_every_language():
    track, state = Text("payment", "決済"), Text("captured", "売上済")
    assert joined("is", track=track, state=state) == Text(
        "payment is captured", "決済が売上済"
    )


def test_a_table_is_read_when_it_is_first_used():
    script = "import kessai.cli.main, kessai.words as w; print(w._read.cache_info())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert "misses=0" in done.stdout
