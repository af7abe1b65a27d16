"""`kessai audit coverage`: what of a lifecycle was exercised, and what never."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.text import Text as Styled

from kessai.audit.coverage.items import KINDS
from kessai.audit.coverage.totals import (
    Coverage,
    Covered,
    covered,
    from_store,
    read_coverage,
)
from kessai.cli.lifecycle.command import found_lifecycle
from kessai.cli.terminal.exits import AUDIT, DONE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.stores import opened_store
from kessai.cli.terminal.tables import print_table
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle, load_shipped, shipped_names
from kessai.words import Words

_word = Words("coverage.result")
_SHORT_HASH = 12


@click.command("coverage")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]…")
@click.option(
    "--db",
    "stores",
    multiple=True,
    metavar="URL",
    help="Count what the trails of this store show, too. May be given again.",
)
@click.option(
    "--lifecycle",
    "names",
    multiple=True,
    metavar="NAME|FILE",
    help="A shipped lifecycle or a .toml file; may be given again. All shipped ones"
    " unless given.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    default=None,
    metavar="PERCENT",
    help="Exit code 5 if less of any of the lifecycles was exercised.",
)
@shared_options("json")
def coverage_command(
    asked: Asked,
    files: tuple[Path, ...],
    stores: tuple[str, ...],
    names: tuple[str, ...],
    *,
    form: str,
    fail_under: float | None,
) -> int:
    """What of a lifecycle was exercised, and first of all what never was.

    FILE is what `pytest --kessai-coverage=FILE` wrote. Every move, guard, bound,
    deadline, condition on an agreement and refusal that the lifecycle declares counts.
    """
    if not files and not stores:
        message = (
            "coverage: of what? Give a FILE that `pytest --kessai-coverage=FILE` wrote,"
            " or --db URL, or both"
        )
        raise InvalidInput(message)
    language, is_data = asked.language, asked.as_json or form == "json"
    chosen = list(map(found_lifecycle, names or shipped_names()))
    results = _covered(read_all(files), stores, chosen)
    if is_data:
        print_json([covered_data(one, language) for one in results])
    else:
        for one in results:
            _print(one, language)
    least = 0.0 if fail_under is None else fail_under
    short = [one.lifecycle.name for one in results if one.share < least]
    if not short:
        return DONE
    if not is_data:
        say(_word("short", language, wanted=f"{least:g} %", names=", ".join(short)))
    return AUDIT


def read_all(files: Iterable[Path]) -> Coverage:
    """What all of the coverage `files` have counted.

    Raises:
        InvalidInput: one cannot be read, or is no coverage file.

    """
    coverage = Coverage()
    for file in files:
        coverage.merge(read_coverage(file))
    return coverage


def _covered(
    coverage: Coverage, stores: Iterable[str], chosen: list[Lifecycle]
) -> list[Covered]:
    for url in stores:
        with opened_store(url, to_read=True) as store:
            coverage.merge(from_store(store))
    shipped = map(load_shipped, shipped_names())
    known = {one.name: one for one in (*shipped, *chosen)}
    return [covered(one, coverage, known.values()) for one in chosen]


def covered_data(result: Covered, language: str) -> dict[str, Any]:
    """A lifecycle's coverage as JSON shows it: every point with its count."""
    lifecycle = result.lifecycle
    never = result.never
    return {
        "lifecycle": lifecycle.name,
        "hash": lifecycle.hash,
        "points": len(result.points),
        "exercised": len(result.points) - len(never),
        "percent": round(result.share, 2),
        "unclear_denials": result.unclear,
        "other_versions": list(result.others),
        "never": [point.id for point in never],
        "all": [
            {
                "id": point.id,
                "kind": point.kind,
                "command": point.command,
                "rule": point.rule,
                "sentence": point.text.in_language(language),
                "count": result.counts.get(point.id, 0),
            }
            for point in result.points
        ],
    }


def _print(result: Covered, language: str) -> None:
    lifecycle, total = result.lifecycle, len(result.points)
    done = total - len(result.never)
    shown = _word(
        "share",
        language,
        title=lifecycle.title.in_language(language),
        name=lifecycle.name,
        done=done,
        total=total,
        share=f"{_floor(result.share)} %",
    )
    say(Styled("✓ " if done == total else "○ ", "bold") + shown)
    for line in _remarks(result, language):
        say(line)
    if result.never:
        headings = _word.each(language, "what", "rule")
        rows = [(p.text.in_language(language), p.rule) for p in result.never]
        print_table(_word("never", language), headings, rows)
    headings = _word.each(language, "kind", "exercised", "of")
    print_table("", headings, _kinds(result, language), numbers=2)


def _floor(share: float) -> str:
    """A share that is never shown as 100 before it is."""
    return f"{int(share * 10) / 10:g}"


def _remarks(result: Covered, language: str) -> Iterator[str]:
    if result.unclear:
        yield _word("unclear", language, count=f"{result.unclear:,}")
    if result.others:
        hashes = ", ".join(found[:_SHORT_HASH] for found in result.others)
        others = _word("others", language)
        yield others.format(name=result.lifecycle.name, hashes=hashes)


def _kinds(result: Covered, language: str) -> Iterable[tuple[str, str, str]]:
    for kind, title in KINDS.items():
        of_kind = [point for point in result.points if point.kind == kind]
        if of_kind:
            done = sum(1 for point in of_kind if result.counts.get(point.id))
            yield title.in_language(language), f"{done:,}", f"{len(of_kind):,}"
