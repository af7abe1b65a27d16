"""`kessai audit seal`: all chains as they are, signed, to be kept in another place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.text import Text as Styled

from kessai.audit import Made, write_seal
from kessai.audit.sealing import (
    PublicKey,
    Seal,
    new_private_key,
    read_private_key,
)
from kessai.cli.audit.seals import public_key_option, read_seals
from kessai.cli.audit.verify import (
    never_opened_lines,
    report_counts,
    report_data,
    report_lines,
)
from kessai.cli.terminal.exits import AUDIT, DONE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import free_place, print_json, say
from kessai.cli.terminal.stores import opened_store
from kessai.driver import utc_now
from kessai.words import Words

_WORDS = Words("audit_seal")


_PATH = click.Path(path_type=Path)


@click.command("seal")
@click.option(
    "--new-key",
    type=_PATH,
    metavar="FILE",
    help="Make a private key in FILE, print its public key, and do nothing else.",
)
@click.option("--key", type=_PATH, metavar="FILE", help="The private key to sign with.")
@click.option(
    "--out",
    type=_PATH,
    metavar="FILE",
    help="Where the seal goes; never over another file.",
)
@click.option(
    "--previous",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="A seal made before, which every chain must go on from; may be given several"
    " times.",
)
@public_key_option
@shared_options("db", "json")
def seal_command(
    asked: Asked,
    *,
    new_key: Path | None,
    key: Path | None,
    out: Path | None,
    previous: tuple[Path, ...],
    public_key: str | None,
) -> int:
    """Sign a summary of all chains, to be kept in another place.

    The database's owner can write a chain anew so that everything in the database
    agrees. `kessai audit verify --seal FILE` finds that.

    The store is verified first; exit code 5 and no seal if it does not hold.
    """
    if new_key is not None:
        if key or out or previous:
            message = "--new-key makes a key and does nothing else: give it alone"
            raise click.UsageError(message)
        free_place("--new-key", new_key, replace=True)
        _show_key(new_key, new_private_key(new_key), asked)
        return DONE
    if key is None or out is None:
        name = "key" if key is None else "out"
        message = f"--{name} FILE is missing; or make a key first, with --new-key"
        raise click.UsageError(message)
    free_place("--out", out, replace=True)
    private = read_private_key(key)
    before = read_seals(previous, public_key, private.public)
    with opened_store(asked.db, to_read=True) as store:
        made = write_seal(store, private, out, utc_now(), before)
    if asked.as_json:
        seal = _seal_data(made.seal, private.public)
        print_json({"seal": seal, "report": report_data(made.report, asked.language)})
    else:
        for line in _lines(made, private.public, asked.language):
            say(line)
    return AUDIT if made.seal is None else DONE


def _show_key(path: Path, public: PublicKey, asked: Asked) -> None:
    if asked.as_json:
        print_json({"file": str(path), "public_key": public.hex, "key": public.id})
        return
    words = _WORDS.in_language(asked.language)
    say(words["made"].format(path=path))
    say(words["public"])
    say(f"  {public.hex}")


def _seal_data(seal: Seal | None, public: PublicKey) -> dict[str, Any] | None:
    if seal is None:
        return None
    summary = seal.summary
    return {
        "file": str(seal.path),
        "digest": seal.digest,
        "time": summary.time,
        "chains": summary.chains,
        "events": summary.events,
        "root": summary.root,
        "previous": summary.previous,
        "key": public.id,
        "public_key": public.hex,
    }


def _lines(made: Made, public: PublicKey, language: str) -> Iterator[str | Styled]:
    words, seal = _WORDS.in_language(language), made.seal
    if seal is None:
        yield from report_lines(made.report, language)
        yield words["refused"]
        return
    counts = {**report_counts(made.report), "path": seal.path}
    yield Styled("✓ ", "green") + words["sealed"].format_map(counts)
    yield from never_opened_lines(made.report, language)
    yield words["keep"]
    yield f"  kessai audit verify --seal {seal.path} --public-key {public.hex}"
