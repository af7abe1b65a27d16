"""`kessai lifecycle`: the declared rules listed, drawn and checked."""

from pathlib import Path
from typing import Any

import click
from rich.text import Text as Styled

from kessai.cli.lifecycle.drawing import (
    drawing_option,
    drawn,
    format_for,
    put_drawing,
)
from kessai.cli.terminal.exits import DONE, USAGE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.tables import print_table
from kessai.diagram import FORMATS, render
from kessai.errors import InvalidLifecycle, UnknownLifecycle
from kessai.spec import (
    Lifecycle,
    Mistake,
    Rule,
    Text,
    load_file,
    load_shipped,
    rule_codes,
    shipped_names,
)
from kessai.words import Words

_word = Words("lifecycle")
_SHORT = {"markdown": "md"}
_LONG = {_SHORT.get(name, name): name for name in FORMATS}


@click.group()
def lifecycle() -> None:
    """Look at the declared rules; check a lifecycle file of your own."""


@lifecycle.command("list")
@shared_options("json")
def list_command(asked: Asked) -> int:
    """List the lifecycles that are shipped."""
    shipped = [load_shipped(name) for name in shipped_names()]
    if asked.as_json:
        print_json([_summary(each) for each in shipped])
        return DONE
    width = max(len(each.name) for each in shipped)
    for each in shipped:
        title = each.title.in_language(asked.language)
        say(Styled.assemble(f"{each.name:{width}}  ", (title, "bold")))
        tracks, commands = ", ".join(each.tracks), ", ".join(each.commands)
        say(Styled(f"{'':{width}}  {tracks}: {commands}", "dim"))
    return DONE


@lifecycle.command("show")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_LONG)),
    default=None,
    help="How to draw it; md (tables) unless given.",
)
@drawing_option
@shared_options("json")
def show_command(
    asked: Asked, *, name: str, form: str | None, out: Path | None, force: bool
) -> int:
    """Draw the lifecycle NAME: a shipped one, or the path of a .toml file.

    The pictures of shipped ones need nothing. For an SVG of your own the extra
    `diagram` is used, or a Graphviz that is here; else a terminal gets Mermaid text.
    """
    form = form or ("json" if asked.as_json else None)
    chosen = format_for(out, form, "md", _LONG)
    shown, language = found_lifecycle(name), asked.language

    def draw(as_format: str) -> str:
        return render(shown, _LONG[as_format], language)

    drawing = drawn(draw, chosen, out, language)
    put_drawing(drawing, out, language, force=force)
    return DONE


@lifecycle.command("rules")
@click.argument("name", required=False)
@shared_options("json")
def rules_command(asked: Asked, name: str | None) -> int:
    """List what each rule code stands for, and the place in its source.

    Those that the lifecycle NAME names (a shipped one, or the path of a .toml file), or
    those of all shipped ones.
    """
    shown = [found_lifecycle(each) for each in ([name] if name else shipped_names())]
    named = {each.name: _rules_of(each) for each in shown}
    order = {code: None for each in shown for code in each.rules}
    found = {rule.code: rule for rules in named.values() for rule in rules}
    rules = [found[code] for code in {**order, **found} if code in found]
    language = asked.language
    if not asked.as_json:
        headings = _word.each(language, "rule", "rule_says", "source")
        rows = [(r.code, r.text.in_language(language), r.source) for r in rules]
        print_table(_word("rules", language), headings, rows)
        return DONE
    print_json(
        [
            {
                "code": rule.code,
                "sentence": rule.text.in_language(language),
                "source": rule.source,
                "lifecycles": [name for name, rules in named.items() if rule in rules],
            }
            for rule in rules
        ]
    )
    return DONE


def _rules_of(each: Lifecycle) -> tuple[Rule, ...]:
    """The rules that a lifecycle names; without sentences where its file has none."""
    named = (code for _, rule in each.rule_places() for code in rule_codes(rule))
    return each.rules_named() or tuple(
        Rule(code=code, text=Text("", ""), source=each.source)
        for code in dict.fromkeys(named)
    )


@lifecycle.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@shared_options("json")
def check_command(asked: Asked, file: Path) -> int:
    """Check a lifecycle FILE: every mistake with its place, on a line of its own."""
    try:
        checked = load_file(file)
    except InvalidLifecycle as error:
        return _refused(file, error, asked)
    if asked.as_json:
        print_json({"file": str(file), "mistakes": [], **_summary(checked)})
        return DONE
    fine = _word("fine", asked.language, count=len(checked.commands))
    say(f"{file}: {checked.name}: {fine}")
    return DONE


def _refused(file: Path, error: InvalidLifecycle, asked: Asked) -> int:
    mistakes = [m for m in error.mistakes if isinstance(m, Mistake)]
    if asked.as_json:
        shown = [
            {
                "file": _path(file, mistake),
                "line": mistake.place.line,
                "path": mistake.path,
                "message": mistake.message,
            }
            for mistake in mistakes
        ]
        print_json({"file": str(file), "mistakes": shown})
        return USAGE
    for mistake in mistakes:
        line = f":{mistake.place.line}" if mistake.place.line else ""
        path = f" [{mistake.path}]" if mistake.path else ""
        say(f"{_path(file, mistake)}{line}:{path} {mistake.message}")
    name = "one_mistake" if len(mistakes) == 1 else "mistakes"
    say(Styled(_word(name, asked.language, count=len(mistakes)), "red"))
    return USAGE


def _path(file: Path, mistake: Mistake) -> str:
    """The mistake's file as an editor started here would open it."""
    beside = file.parent / mistake.place.file
    return str(beside) if beside.is_file() else mistake.place.file


def found_lifecycle(name: str) -> Lifecycle:
    """The lifecycle that a command was given: a shipped one, or a .toml file.

    Raises:
        UnknownLifecycle: it is neither.
        InvalidLifecycle, InvalidInput: see `load_file`.

    """
    if name in shipped_names():
        return load_shipped(name)
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return load_file(path)
    shipped = ", ".join(shipped_names())
    message = f"lifecycle {name!r}: shipped are {shipped}; or give a .toml file's path"
    raise UnknownLifecycle(message)


def _summary(each: Lifecycle) -> dict[str, Any]:
    return {
        "name": each.name,
        "title": {"en": each.title.en, "ja": each.title.ja},
        "source": each.source,
        "currencies": {c.code: c.digits for c in each.currencies.values()},
        "hash": each.hash,
        "tracks": {name: list(track.states) for name, track in each.tracks.items()},
        "commands": list(each.commands),
        "reversals": list(each.reversals),
    }
