"""`kessai audit seal`: all chains as they are, signed, to be kept in another place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kessai.audit import Made, write_seal
from kessai.audit.sealing import (
    PublicKey,
    Seal,
    new_private_key,
    read_private_key,
)
from kessai.cli.audit.seals import public_key_option, read_seals
from kessai.cli.audit.verify import report_data, report_lines
from kessai.cli.terminal.exits import AUDIT, DONE
from kessai.cli.terminal.gateways import opened_store
from kessai.cli.terminal.options import db_option, output_options
from kessai.cli.terminal.output import print_json, say
from kessai.driver import utc_now
from kessai.words import Words

_WORDS = Words("audit_seal")


@click.command("seal")
@click.option(
    "--new-key",
    "new_key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Make a private key in FILE, print its public key, and do nothing else.",
)
@db_option
@click.option(
    "--key",
    "key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The private key to sign with.",
)
@click.option(
    "--out",
    "out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the seal goes; never over another file.",
)
@click.option(
    "--previous",
    "previous",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A seal made before, which every chain must go on from; may be given several"
    " times.",
)
@public_key_option
@output_options
def seal_command(language: str, *, as_json: bool, **given: Any) -> int:
    """Sign a summary of all chains, to be kept in another place.

    The database's owner can write a chain anew so that everything in the database
    agrees. `kessai audit verify --seal FILE` finds that.

    The store is verified first; exit code 5 and no seal if it does not hold.
    """
    if given["new_key"] is not None:
        if given["key"] or given["out"] or given["previous"]:
            message = "--new-key makes a key and does nothing else: give it alone"
            raise click.UsageError(message)
        public = new_private_key(given["new_key"])
        _tell_key(given["new_key"], public, language, as_json=as_json)
        return DONE
    for name in ("key", "out"):
        if given[name] is None:
            message = f"--{name} FILE is missing; or make a key first, with --new-key"
            raise click.UsageError(message)
    made, public = _seal(**given)
    if as_json:
        print_json(_data(made, public, language))
    else:
        for line in _lines(made, public, language):
            say(line)
    return AUDIT if made.seal is None else DONE


def _seal(
    db: str, key: Path, out: Path, previous: tuple[Path, ...], **given: Any
) -> tuple[Made, PublicKey]:
    private = read_private_key(key)
    before = read_seals(previous, given["public_key"], private.public)
    store = opened_store(db, must_exist=True)
    try:
        made = write_seal(store, private, out, utc_now(), before)
    finally:
        store.close()
    return made, private.public


def _tell_key(path: Path, public: PublicKey, language: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(path), "public_key": public.hex, "key": public.id})
        return
    words = _WORDS.in_language(language)
    say(words["made"].format(path=path))
    say(words["public"])
    say(f"  {public.hex}")


def _data(made: Made, public: PublicKey, language: str) -> dict[str, Any]:
    report = report_data(made.report, language)
    return {"seal": _seal_data(made.seal, public), "report": report}


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


def _lines(made: Made, public: PublicKey, language: str) -> Iterator[str]:
    words, seal = _WORDS.in_language(language), made.seal
    if seal is None:
        yield from report_lines(made.report, language)
        yield words["refused"]
        return
    counts = {
        "chains": f"{seal.summary.chains:,}",
        "events": f"{seal.summary.events:,}",
        "path": seal.path,
    }
    yield click.style("✓ ", fg="green") + words["sealed"].format_map(counts)
    yield words["keep"]
    yield f"  kessai audit verify --seal {seal.path} --public-key {public.hex}"
