"""`kessai lifecycle`: the declared rules listed, drawn and checked."""

import sys
from pathlib import Path
from typing import Any

import click

from kessai.cli.drawing import drawn, format_for, out_option, put_drawing
from kessai.cli.exits import DONE, USAGE
from kessai.cli.options import output_options
from kessai.cli.output import print_json, put
from kessai.diagram import FORMATS, render
from kessai.errors import InvalidLifecycle, UnknownLifecycle
from kessai.spec import (
    Lifecycle,
    Mistake,
    load_file,
    load_shipped,
    shipped_names,
)

_SHORT = {"markdown": "md"}
_LONG = {_SHORT.get(name, name): name for name in FORMATS}


@click.group()
def lifecycle() -> None:
    """Look at the declared rules; check a lifecycle file of your own."""


@lifecycle.command("list")
@output_options
def list_command(language: str, *, as_json: bool) -> int:
    """List the lifecycles that are shipped."""
    shipped = [load_shipped(name) for name in shipped_names()]
    if as_json:
        print_json([_summary(each) for each in shipped])
        return DONE
    width = max(len(each.name) for each in shipped)
    for each in shipped:
        title = click.style(each.title.in_language(language), bold=True)
        _write(f"{each.name:{width}}  {title}")
        tracks = ", ".join(each.tracks)
        commands = ", ".join(each.commands)
        _write(click.style(f"{'':{width}}  {tracks}: {commands}", dim=True))
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
@out_option
@output_options
def show_command(
    *, name: str, form: str | None, out: Path | None, language: str, as_json: bool
) -> int:
    """Draw the lifecycle NAME: a shipped one, or the path of a .toml file.

    The pictures of shipped ones need nothing. For an SVG of your own the extra `diagram`
    is used, or a Graphviz that is here; else a terminal gets Mermaid text.
    """
    asked = form or ("json" if as_json else None)
    chosen = format_for(out, asked, "md", _LONG)
    shown = found_lifecycle(name)

    def draw(as_format: str) -> str:
        return render(shown, _LONG[as_format], language)

    put_drawing(drawn(draw, chosen, out, language), out, language)
    return DONE


@lifecycle.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@output_options
def check_command(file: Path, language: str, *, as_json: bool) -> int:
    """Check a lifecycle FILE: every mistake with its place, on a line of its own."""
    try:
        checked = load_file(file)
    except InvalidLifecycle as error:
        return _refused(file, error, language, as_json=as_json)
    if as_json:
        print_json({"file": str(file), "mistakes": [], **_summary(checked)})
        return DONE
    fine = {
        "en": f"{len(checked.commands)} commands, no mistakes",
        "ja": f"コマンド {len(checked.commands)} 個、誤りはありません",
    }
    _write(f"{file}: {checked.name}: {fine[language]}")
    return DONE


def _refused(
    file: Path, error: InvalidLifecycle, language: str, *, as_json: bool
) -> int:
    mistakes = [m for m in error.mistakes if isinstance(m, Mistake)]
    if as_json:
        print_json(
            {
                "file": str(file),
                "mistakes": [
                    {
                        "file": _path(file, mistake),
                        "line": mistake.place.line,
                        "path": mistake.path,
                        "message": mistake.message,
                    }
                    for mistake in mistakes
                ],
            }
        )
        return USAGE
    for mistake in mistakes:
        line = f":{mistake.place.line}" if mistake.place.line else ""
        path = f" [{mistake.path}]" if mistake.path else ""
        _write(f"{_path(file, mistake)}{line}:{path} {mistake.message}")
    count = len(mistakes)
    total = {
        "en": f"{count} mistake{'' if count == 1 else 's'}",
        "ja": f"誤り {count} 件",
    }
    _write(click.style(total[language], fg="red"))
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


def _write(text: str) -> None:
    """Print in UTF-8 whatever the locale: diagrams go to files, and tools read those."""
    if not sys.stdout.isatty():
        text = click.unstyle(text)
    put(text.rstrip("\n").encode() + b"\n")
