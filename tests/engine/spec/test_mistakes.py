"""Every mistake in a lifecycle file is reported at once, each at its line."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kessai.errors import InvalidInput, InvalidLifecycle
from kessai.spec import Mistake, load_file

DATA = Path(__file__).parent / "data"
MINIMAL = (DATA / "minimal.toml").read_text()


def mistakes_in(path: Path) -> list[Mistake]:
    with pytest.raises(InvalidLifecycle) as refused:
        load_file(path)
    found = [m for m in refused.value.mistakes if isinstance(m, Mistake)]
    assert str(refused.value).splitlines() == [str(mistake) for mistake in found]
    return found


def marked(path: Path) -> Iterator[tuple[str, str]]:
    """The place and the words of every mark `✗` in a file."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for words in line.split("✗")[1:] if "# ✗" in line else ():
            yield f"{path.name}:{number}", words.strip()


def test_all_mistakes_of_a_file_and_its_includes_are_reported_and_no_other() -> None:
    files = ("missing_rule.toml", "wrong.toml", "wrong_shared.toml")
    expected = [mark for file in files for mark in marked(DATA / file)]
    found = [(str(m.place), m.message) for m in mistakes_in(DATA / "wrong.toml")]
    unexpected = list(found)
    unreported = []
    for place, words in expected:
        hit = next((m for m in unexpected if m[0] == place and words in m[1]), None)
        if hit is None:
            unreported.append((place, words))
        else:
            unexpected.remove(hit)
    assert (unreported, unexpected) == ([], [])
    assert [place.split(":")[0] for place, _ in found] == sorted(
        place.split(":")[0] for place, _ in found
    )


def written(folder: Path, text: str | bytes, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_mistake_reads_as_place_path_and_what_would_be_right(tmp_path: Path) -> None:
    wrong = MINIMAL.replace('to = "payment.paid"', 'to = "payment.payed"')
    (_, mistake) = mistakes_in(written(tmp_path, wrong))
    assert str(mistake) == (
        "mine.toml:31: [commands.pay.moves[0].to] "
        "unknown state 'payed'; declared are: failed, paid, requested"
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a = 1\nb = \n", 2, "not TOML: Invalid value"),
        ("[a]\n[a]\n", 2, "not TOML: Cannot declare"),
        ('a = """\nopen\n', 2, "not TOML: Unterminated string"),
        ("a = 1\nb = " + "9" * 5000, 2, "not TOML: Exceeds the limit"),
        ("a = " + "[" * 5000, 0, "not TOML: nested too deep"),
        (b"a = 1\r\nb = '\xff'\r\n", 2, "not UTF-8: invalid start byte"),
        (b"#" * 1_000_001, 0, "longer than 1000000 bytes"),
    ],
)
def test_an_unreadable_file_is_reported_at_its_line_and_nothing_else(
    tmp_path: Path, text: str | bytes, line: int, message: str
) -> None:
    (mistake,) = mistakes_in(written(tmp_path, text))
    assert (mistake.place.file, mistake.place.line) == ("mine.toml", line)
    assert mistake.message.startswith(message)


def test_an_unreadable_included_file_is_reported_under_its_own_name(
    tmp_path: Path,
) -> None:
    written(tmp_path, "x = \n", "part.toml")
    path = written(tmp_path, 'include = ["part.toml", "gone.toml"]\n' + MINIMAL)
    assert [str(mistake).split(" (")[0] for mistake in mistakes_in(path)] == [
        "mine.toml:1: include 'gone.toml': there is no such file",
        "part.toml:1: not TOML: Invalid value",
    ]


def test_a_file_that_includes_itself_is_a_loop(tmp_path: Path) -> None:
    path = written(tmp_path, 'include = ["./mine.toml"]\n' + MINIMAL)
    (mistake,) = mistakes_in(path)
    assert str(mistake) == (
        "mine.toml:1: files include each other: mine.toml → mine.toml"
    )


def test_a_file_that_two_others_include_is_read_once(tmp_path: Path) -> None:
    head, _, rest = MINIMAL.partition("[tracks.payment]")
    written(tmp_path, "[tracks.payment]" + rest, "base.toml")
    written(tmp_path, 'include = ["base.toml"]', "left.toml")
    written(tmp_path, 'include = [".//base.toml"]', "right.toml")
    path = written(tmp_path, 'include = ["left.toml", "right.toml"]\n' + head)
    assert load_file(path).name == "minimal"


FLAG = """
[parameters.{name}]
kind  = "flag"
rule  = "M"
title = {{ en = "x", ja = "x" }}
"""


def hanging_on(folder: Path, flags: int) -> Path:
    names = [f"a{number}" for number in range(flags)]
    text = MINIMAL.replace(
        'to = "payment.paid"', f'to = "payment.paid", when = "{" + ".join(names)} >= 0"'
    )
    return written(folder, text + "".join(FLAG.format(name=n) for n in names))


def test_a_choice_that_hangs_on_too_many_flags_is_refused(tmp_path: Path) -> None:
    (mistake,) = mistakes_in(hanging_on(tmp_path, flags=13))
    assert "the choice hangs on more than 12 flags: a0, a1" in mistake.message


def test_a_choice_may_hang_on_twelve_flags(tmp_path: Path) -> None:
    assert load_file(hanging_on(tmp_path, flags=12)).name == "minimal"


def test_a_choice_that_hangs_on_amounts_is_left_to_their_history(
    tmp_path: Path,
) -> None:
    text = MINIMAL.replace(
        'to = "payment.paid"', 'to = "payment.paid", when = "paid == amount"'
    )
    assert load_file(written(tmp_path, text)).name == "minimal"


def test_a_condition_that_cannot_be_read_is_no_second_mistake(tmp_path: Path) -> None:
    wrong = MINIMAL.replace(
        'moves = [{ from = "payment.requested", to = "payment.paid", rule = "M" }]',
        "moves = [\n"
        '{ from = "payment.requested", to = "payment.paid", when = "a <", rule = "M" },\n'
        '{ from = "payment.requested", to = "payment.paid", when = "1", rule = "M" }]',
    )
    (mistake,) = mistakes_in(written(tmp_path, wrong))
    assert mistake.message.startswith("'a <': column 4")


def test_an_array_of_tables_has_places_too(tmp_path: Path) -> None:
    head, _, _ = MINIMAL.partition("moves = ")
    moves = (
        '[[commands.pay.moves]]\nfrom = "payment.requested"\nto = "payment.paid"\n'
        'when = "amount < 2"\nrule = "M"\n'
        '[[commands.pay.moves]]\nfrom = "payment.requested"\nto = "payment.gone"\n'
        'when = "amount >= 2"\nrule = "M"\n'
    )
    (mistake,) = mistakes_in(written(tmp_path, head + moves))
    lines = (head + moves).splitlines()
    assert mistake.place.line == lines.index('to = "payment.gone"') + 1


def test_a_text_over_several_lines_is_no_declaration(tmp_path: Path) -> None:
    wrong = MINIMAL.replace('source = "none"', 'source = """\nmoves = 1\n"""\nx = 1')
    (mistake,) = mistakes_in(written(tmp_path, wrong))
    assert mistake.path == "lifecycle.x"


LINES = MINIMAL.splitlines(keepends=True)
PIECES = [*re.findall(r"\w+|\"[^\"]*\"|[^\w\s]", MINIMAL), "\n", "\\", "\0", '"""', "é"]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["drop", "double", "splice", "swap"]))
        if how == "drop":
            lines[at] = ""
        elif how == "double":
            lines[at] *= 2
        elif how == "swap":
            old, new = draw(st.sampled_from(PIECES)), draw(st.sampled_from(PIECES))
            lines[at] = lines[at].replace(old, new)
        else:
            cut = draw(st.integers(0, len(lines[at])))
            piece = draw(st.sampled_from(PIECES) | st.text(max_size=3))
            lines[at] = lines[at][:cut] + piece + lines[at][cut:]
    return "".join(lines)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(mutated())
def test_any_mutated_file_is_read_or_refused_with_its_mistakes(
    tmp_path: Path, text: str
) -> None:
    path = written(tmp_path, text.encode(errors="surrogatepass"))
    with contextlib.suppress(InvalidInput):
        load_file(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# The least", 'include = "a.toml" # ', "'include' must be a list of file"),
        ("opens = [{", "opens = [1, {", "must be a table, not 1"),
        ("moves = [{", "reads = [{", "'reads' must be true or false"),
        ('final = ["paid", "failed"]', "final = [1]", "'final' must be a list of text"),
        ('final = ["paid", "failed"]', "final = 1", "'final' must be a list of texts"),
        ("[amounts]\npaid", "x", "'x' is not known here"),
        ('[{ track = "payment" }]', "3", "'opens' must be a list of tables"),
        ("[transaction]", "[transactions]", "table 'transaction' is missing"),
        (
            'currencies = ["EUR"]',
            "",
            "'currencies' is missing; it must be a list such as [\"JPY\"]",
        ),
    ],
)
def test_a_value_of_the_wrong_shape_is_a_mistake(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    wrong = MINIMAL.replace(old, new)
    assert any(message in m.message for m in mistakes_in(written(tmp_path, wrong)))


def test_more_files_than_anyone_reads_cannot_be_included(tmp_path: Path) -> None:
    names = [f"part{number}.toml" for number in range(17)]
    for name in names:
        written(tmp_path, "", name)
    listed = ", ".join(f'"{name}"' for name in names)
    path = written(tmp_path, f"include = [{listed}]\n" + MINIMAL)
    (mistake,) = mistakes_in(path)
    assert str(mistake) == "mine.toml:1: more than 16 files are included"


DEADLINE = """
[deadlines.lapse]
from = "payment.requested"
to = "payment.failed"
lasts = "30 days"
starts = ["pay"]
denies = ["pay"]
code = "lapsed"
rule = "M"
en = "Too late."
ja = "期限を過ぎています。"
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('lasts = "30 days"\n', "", "'lasts' is missing; it must be a text"),
        ('lasts = "30 days"', 'lasts = "30 moons"', "not '30 moons'"),
        ('from = "payment.', 'from = "order.', "unknown track 'order'"),
        ('to = "payment.failed"', 'to = "payment.lost"', "unknown state 'lost'"),
    ],
)
def test_a_deadline_says_of_which_state_it_is_and_how_long_it_lasts(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    wrong = MINIMAL + DEADLINE.replace(old, new)
    assert any(message in m.message for m in mistakes_in(written(tmp_path, wrong)))
    assert load_file(written(tmp_path, MINIMAL + DEADLINE)).deadlines


@pytest.mark.parametrize(
    ("abandoned", "message"),
    [
        ('{ rule = "M" }', "'lasts' is missing"),
        ('{ lasts = "a day", rule = "M" }', "not 'a day'"),
        ('{ lasts = "1 days" }', "'rule' is missing"),
    ],
)
def test_what_a_consumer_may_abandon_says_how_long_they_have(
    tmp_path: Path, abandoned: str, message: str
) -> None:
    declared = f"[commands.pay]\nabandoned = {abandoned}\n"
    wrong = MINIMAL.replace("[commands.pay]\n", declared)
    assert any(message in m.message for m in mistakes_in(written(tmp_path, wrong)))
