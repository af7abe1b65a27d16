"""`kessai archive`: moves what has ended to a store of its own, in a file."""

from pathlib import Path

import click

from kessai.audit.archiving import ArchivingResult, archive
from kessai.audit.sealing import read_private_key
from kessai.cli.audit.verify import report_data, report_lines
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.tx.known import check_states
from kessai.cli.zones import moment_of, zone_of, zone_option
from kessai.flow.archive import Archivable
from kessai.words import Words

word = Words("retention")

_PATH = click.Path(path_type=Path, dir_okay=False)


@click.command("archive", short_help="Move what has ended to a file.")
@click.option(
    "--until",
    required=True,
    metavar="TIME",
    help="What has not changed since: a day such as 2020-01-01, or a moment.",
)
@zone_option("that day begins")
@click.option(
    "--out",
    required=True,
    type=_PATH,
    metavar="FILE",
    help="The archive: a new SQLite file, or the one of an archiving that broke off.",
)
@click.option(
    "--also",
    multiple=True,
    metavar="STATE",
    help="Another state that counts as an end, such as captured: nothing can be refunded"
    " any more then; may be given several times.",
)
@click.option(
    "--ignore",
    "ignoring",
    multiple=True,
    metavar="SUBSCRIBER",
    help="Of the feed: need not have read what is moved; may be given several times.",
)
@click.option("--key", type=_PATH, metavar="FILE", help="Seal it, in FILE.seal.")
@click.option("--by", "actor", required=True, metavar="NAME", help="Who archives.")
@shared_options("db", "json")
def archive_command(
    asked: Asked,
    *,
    until: str,
    zone_name: str,
    out: Path,
    also: tuple[str, ...],
    ignoring: tuple[str, ...],
    key: Path | None,
    actor: str,
) -> int:
    """Move the transactions that have ended, and have not changed since --until TIME.

    \b
    kessai archive --until 2020-01-01 --out 2019.db --by sato

    Ended has what is in a final state, with nothing open and no discrepancy. A charge
    goes with its agreement and all of its charges. What a stored subscriber of the feed
    has not read stays.

    The archive is verified before anything is removed; every command that only reads
    takes it as --db FILE. What is moved keeps its id and its keys here: no command is
    carried out under them again. Broken off, it goes on when given the same again.

    Exit codes: 0 done, 5 the archive does not hold, and nothing was removed.
    """  # noqa: D301 - click reads \b
    archivable = Archivable(
        until=moment_of(until, zone_of(zone_name), "--until"), also=also
    )
    private = None if key is None else read_private_key(key)
    with looking(asked.db, to_read=False) as engine:
        check_states(engine.store, also, "--also")
        result = archive(
            engine, out, archivable, actor=actor, key=private, ignoring=ignoring
        )
    _show(asked, result)
    is_whole = result.report is None or result.report.holds
    return exits.DONE if is_whole else exits.AUDIT


def _show(asked: Asked, result: ArchivingResult) -> None:
    language, report = asked.language, result.report
    if asked.as_json:
        data = {
            "archive": str(result.path),
            "archived": result.moved,
            "unread": result.unread,
            "unread_by": list(result.unread_by),
            "elsewhere": dict(result.elsewhere),
            "seal": None if result.seal is None else str(result.seal),
            "report": None if report is None else report_data(report, language),
        }
        print_json(data)
        return
    counts = {"count": f"{result.moved:,}", "path": str(result.path)}
    say(word("archived" if result.report else "nothing_archived", language, **counts))
    if result.unread:
        names = ", ".join(result.unread_by)
        say(word("unread", language, count=f"{result.unread:,}", names=names))
    for name, count in result.elsewhere.items():
        say(word("elsewhere", language, count=f"{count:,}", name=name))
    if report is not None and not report.holds:
        for line in report_lines(report, language):
            say(line)
