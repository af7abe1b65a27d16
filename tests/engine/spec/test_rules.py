"""Rules by their codes: a file that tells its rules tells all that it names."""

from pathlib import Path

import pytest

from kessai import load_file, load_shipped, shipped_names
from kessai.errors import InvalidLifecycle
from kessai.spec import Lifecycle, rebuild, rule_codes

MINIMAL = (Path(__file__).parent / "data" / "minimal.toml").read_text()
M = """
[rules]
M.source = "the handbook, page 3"
M.en = "One pays 1 to 100."
M.ja = "1から100まで支払う。"
"""


@pytest.fixture
def loaded(tmp_path):
    def load(text: str) -> Lifecycle:
        path = tmp_path / "shop.toml"
        path.write_text(text, "utf-8")
        return load_file(path)

    return load


def mistakes(loaded, text):
    with pytest.raises(InvalidLifecycle) as refused:
        loaded(text)
    return [str(mistake) for mistake in refused.value.mistakes]


def test_a_file_may_name_rules_without_telling_them(loaded):
    lifecycle = loaded(MINIMAL)
    assert lifecycle.rules == {}
    assert lifecycle.rules_named() == ()
    assert {rule for _, rule in lifecycle.rule_places()} == {"M"}


def test_a_rule_has_a_sentence_and_a_source(loaded):
    lifecycle = loaded(MINIMAL + M)
    (rule,) = lifecycle.rules_named()
    assert (rule.code, rule.source) == ("M", "the handbook, page 3")
    assert rule.text.in_language("ja") == "1から100まで支払う。"
    assert rebuild(lifecycle.document).rules == lifecycle.rules


def test_what_a_rule_says_is_part_of_what_events_are_bound_to(loaded):
    longer = loaded(MINIMAL + M)
    other = loaded(MINIMAL + M.replace("1 to 100", "1 to 99"))
    assert len({loaded(MINIMAL).hash, longer.hash, other.hash}) == 3


@pytest.mark.parametrize(
    ("before", "line", "path"),
    [
        ("max = 10\nrule = ", 11, "transaction.rule"),
        ('ja = "支払う" }\nrule = ', 27, "commands.pay.rule"),
        ('max = "100", rule = ', 29, "commands.pay.amount.rule"),
        ('to = "payment.paid", rule = ', 31, "commands.pay.moves[0].rule"),
    ],
)
def test_a_code_that_the_table_does_not_have_is_a_mistake_where_it_stands(
    loaded, before, line, path
):
    text = MINIMAL.replace(f'{before}"M"', f'{before}"M, N7"') + M
    assert mistakes(loaded, text) == [
        f"shop.toml:{line}: [{path}] unknown rule 'N7'; declared are: M"
    ]


def test_a_reversal_names_rules_as_a_command_does(loaded):
    reversal = """
[reversals.pay]
title = { en = "paid back", ja = "支払の差戻し" }
rule = "N7"
amount = { min = "1", max = "paid", rule = "N8" }
commit = ["paid -= amount"]
moves = [{ from = "payment.paid", to = "payment.failed", rule = "N9" }]
"""
    found = mistakes(loaded, MINIMAL + reversal + M)
    assert [mistake.split(": ", 1)[1] for mistake in found] == [
        f"[reversals.pay{part}.rule] unknown rule '{code}'; declared are: M"
        for part, code in (("", "N7"), (".amount", "N8"), (".moves[0]", "N9"))
    ]


def test_a_rule_without_a_translation_or_a_source_is_a_mistake(loaded):
    lines = M.splitlines()
    for missing in ("source", "en", "ja"):
        kept = "\n".join(line for line in lines if not line.startswith(f"M.{missing}"))
        (mistake,) = mistakes(loaded, f"{MINIMAL}\n{kept}\n")
        assert "[rules.M]" in mistake
        assert f"'{missing}'" in mistake


def test_a_code_has_no_comma(loaded):
    text = MINIMAL + M + M.replace("[rules]", "").replace("M.", '"limit a, b".')
    (mistake,) = mistakes(loaded, text)
    assert mistake.endswith("has no comma, so that a list can: 'limit a, b'")


@pytest.mark.parametrize("name", shipped_names())
def test_every_rule_that_a_shipped_lifecycle_names_is_told(name):
    lifecycle = load_shipped(name)
    named = {code for _, rule in lifecycle.rule_places() for code in rule_codes(rule)}
    assert named == {rule.code for rule in lifecycle.rules_named()}


def test_every_shipped_rule_is_named_by_some_lifecycle():
    shipped = [load_shipped(name) for name in shipped_names()]
    named = {rule.code for each in shipped for rule in each.rules_named()}
    assert named == {code for each in shipped for code in each.rules}
