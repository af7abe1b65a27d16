"""One word for one thing: in every table, in the lifecycle files and in the glossary."""

import ast
import inspect
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import kessai
import kessai_specs
from kessai.cli.main import cli
from kessai.flow import Status
from kessai.machine import Phase
from kessai.machine.events import KINDS
from kessai.words import Text, Words

ENGINE = Path(inspect.getfile(kessai)).parent
SPECS = Path(inspect.getfile(kessai_specs)).parent
ROOT = Path(__file__).parent.parent
TABLES = sorted((ENGINE / "words").glob("*.toml"))
LIFECYCLES = sorted(SPECS.rglob("*.toml"))

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
GAP = re.compile(r"{(\w+)[^}]*}")

REJECTED = {
    "(?<!結果)通知(?!項目|先|される)": "結果通知",
    "決済機関": "決済代行会社",
    "決済サーバー": "決済代行会社",
    "決済代行(?!会社)": "決済代行会社",
    "予約": "引当",
    "取りやめ": "解放",
    "模擬": "エミュレーター",
    "リース": "担当権",
}
"""Words that were used beside the one chosen, each with that one."""

MENTIONED = (
    *("lifecycle", "transaction", "agreement", "opening command", "operation"),
    *("pending", "unknown", "reserve", "release", "guard", "denial", "deadline"),
    *("invariant", "rule", "refund", "external", "event", "trail", "discrepancy"),
    *("lease", "notification", "inquiry", "operator", "seal", "proof", "story"),
    *("coverage", "point", "emulator", "reference"),
)
"""Words of the glossary that a Japanese sentence repeats wherever the English does."""


REJECTED_IN_ENGLISH = {
    r"push(es|ed)?": "notification",
    r"look(s|ed)?[- ]up": "inquiry",
    r"fenced?": "in-flight limit",
    r"settle[ds]?": "resolve",
    r"appl(ies|ied) for": "opening command",
    r"told|tells?": "state, report",
    r"(stands?|put) aside": "discrepancy",
    r"given up|give[ns]? it up": "presumed lost",
    r"came to be": "opened",
    r"spoilt": "malformed",
}
"""Words that the field has its own for, each with that one."""


def texts(path: Path, data: Any, at: str = "") -> Iterator[tuple[str, Text]]:
    """Every text of a TOML document, with the place where it stands."""
    if isinstance(data, dict):
        if isinstance(data.get("en"), str):
            yield f"{path.name}: {at}", Text(data["en"], data["ja"])
        for name, inner in data.items():
            yield from texts(path, inner, f"{at}.{name}".strip("."))


def read(paths: list[Path]) -> list[tuple[str, Text]]:
    return [
        entry
        for path in paths
        for entry in texts(path, tomllib.loads(path.read_text()))
    ]


def glossary() -> Iterator[tuple[str, str]]:
    """The words of the glossary with the Japanese of each, one at a time."""
    for line in (ROOT / "GLOSSARY.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and JAPANESE.search(cells[1]) and cells[1] != "日本語":
            english, japanese = cells[0].split(", "), cells[1].split("・")
            if len(japanese) == 1:
                japanese *= len(english)
            yield from zip(english, japanese, strict=True)


GLOSSARY = dict(glossary())
WORDS = read(TABLES)


def test_every_entry_has_one_japanese_word_wherever_it_stands() -> None:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    entries = [*WORDS, *read(LIFECYCLES)]
    entries += [
        ("GLOSSARY.md", Text(word.replace("_", " "), japanese))
        for word, japanese in glossary()
    ]
    for place, text in entries:
        english = text.en.casefold().strip(" .:,").replace("-", "")
        # English calls a payment that is captured (売上済) and the sum of it (売上額)
        # by one participle, so amounts are a vocabulary of their own.
        kind = "amount: " if " amounts." in place else ""
        found[kind + english][text.ja.strip(" 。:：、")].append(place)
    assert {en: dict(ja) for en, ja in found.items() if len(ja) > 1} == {}


@pytest.mark.parametrize("word", MENTIONED)
def test_a_sentence_says_a_word_as_the_glossary_does(word: str) -> None:
    mentions = re.compile(rf"(?<![-\w]){word}s?(?![-\w])", re.IGNORECASE)
    found = [(place, t) for place, t in WORDS if mentions.search(plain(t.en))]
    assert found
    assert [(place, t.ja) for place, t in found if GLOSSARY[word] not in t.ja] == []


def plain(sentence: str) -> str:
    """A sentence without its gaps and without what is typed as it stands."""
    typed = r"(?<!\w)--?\w[\w-]*( \S+=\S+)?|say --outcome.*|kessai tx resolve.*"
    return re.sub(typed, " ", GAP.sub(" ", sentence))


def test_no_word_is_used_beside_the_one_chosen() -> None:
    for place, text in [*WORDS, *read(LIFECYCLES)]:
        for rejected, chosen in REJECTED.items():
            assert not re.search(rejected, text.ja), (place, text.ja, chosen)


def test_no_english_word_is_used_beside_the_one_chosen() -> None:
    documents = [*WORDS, *read(LIFECYCLES)]
    entries = [(place, text.en) for place, text in documents]
    entries += enumerate_lines(ROOT / "GLOSSARY.md")
    for place, sentence in entries:
        for rejected, chosen in REJECTED_IN_ENGLISH.items():
            pattern = rf"(?<![-\w])({rejected})(?![-\w])"
            assert not re.search(pattern, sentence), (place, sentence, chosen)


def enumerate_lines(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text().splitlines()
    return [(f"{path.name}: {at}", line) for at, line in enumerate(lines, 1)]


def test_all_texts_have_the_same_gaps_in_both_languages() -> None:
    assert len(WORDS) > 400
    for place, text in WORDS:
        assert set(GAP.findall(text.en)) == set(GAP.findall(text.ja)), place


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a Python file, without what documents it."""
    tree = ast.parse(path.read_text())
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield node.lineno, str(node.value)


def test_no_translation_stands_outside_the_room_of_words() -> None:
    # `testing` plants Japanese in requests; `times.py` reads 2026年1月5日 from a log.
    found = [
        (str(path.relative_to(ENGINE)), line, text)
        for path in ENGINE.rglob("*.py")
        if "testing" not in path.parts and path.name != "times.py"
        for line, text in strings(path)
        if JAPANESE.search(text)
    ]
    assert found == []


def test_every_table_is_used_and_every_table_used_is_there() -> None:
    used = {
        subject
        for path in ENGINE.rglob("*.py")
        for line in path.read_text().splitlines()
        if "#" not in line
        for subject in re.findall(r'\bWords\("([\w.]+)"\)', line)
    }
    for subject in used:
        assert len(Words(subject)) > 0, subject
    assert {subject.partition(".")[0] for subject in used} == {p.stem for p in TABLES}


def definitions() -> Iterator[tuple[str, str, bool]]:
    """The engine's classes and type aliases: name, place, and whether it is a class."""
    for path in sorted(ENGINE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        place = str(path.relative_to(ENGINE))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield node.name, place, True
        for node in tree.body:
            if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call):
                names = [n.id for n in node.targets if isinstance(n, ast.Name)]
                yield from ((name, place, False) for name in names)


def test_no_class_name_is_defined_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for name, place, is_class in definitions():
        if is_class:
            places[name].append(place)
    assert {name: at for name, at in places.items() if len(at) > 1} == {}


def test_no_public_name_has_a_second_meaning() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for name, place, _ in definitions():
        if name in kessai.__all__:
            places[name].append(place)
    assert {name: at for name, at in places.items() if len(at) > 1} == {}


def parts(name: str) -> set[str]:
    """`AsyncPostgresStore` and `answer_notification_async` in words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("SQLite", "Sqlite"))
    return set(re.split(r"[ _-]+", spaced.casefold()))


def commands(group: click.Group) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        yield name
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command)


PLAIN_ENGLISH = parts(
    "answered applied async call can change check clock confirmed demo do drive effect"
    " endpoint file follow function http list load loaded memory missing names not"
    " observe prove recorded reply request resolve replay send serve shipped show"
    " simulate"
    " group result source still tx two under verify warning way"
    " above allowed another be below broken conflict contradicts differ differs earlier"
    " exists id invalid maximum may minimum of out reversible taken"
)
"""Words in public names that mean what they mean to any programmer."""

PRODUCTS = {"sqlite", "postgres"}

PUBLIC: dict[str, list[str]] = {
    "exports": kessai.__all__,
    "events": list(KINDS),
    "statuses": list(Status),
    "phases": list(Phase),
    "commands": list(commands(cli)),
    "reasons": [
        *(
            code
            for code in Words("denials")
            if not code.startswith(("limit_", "states_"))
        ),
        *Words("discrepancies"),
    ],
}


def test_no_word_is_excused_for_nothing() -> None:
    used = {part for names in PUBLIC.values() for name in names for part in parts(name)}
    assert PLAIN_ENGLISH - used == set()
    assert PLAIN_ENGLISH & {part for word in GLOSSARY for part in parts(word)} == set()


@pytest.mark.parametrize("names", PUBLIC.values(), ids=PUBLIC)
def test_every_word_of_a_public_name_stands_in_the_glossary(names: list[str]) -> None:
    defined = {part for word in GLOSSARY for part in parts(word)}
    plurals = {f"{part}s" for part in defined}
    known = defined | plurals | PLAIN_ENGLISH | PRODUCTS
    assert {name: new for name in names if (new := parts(name) - known)} == {}
