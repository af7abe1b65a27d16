"""`kessai schema`: the SQL that makes kessai's tables in a shop's own database."""

import click

from kessai.cli.terminal.exits import DONE
from kessai.errors import StoreUnsuitable


@click.command("schema")
@click.argument("database", type=click.Choice(["postgresql", "sqlite"]))
@click.option(
    "--schema",
    default="kessai",
    show_default=True,
    metavar="NAME",
    help="On PostgreSQL, the schema that the tables are to stand in.",
)
def schema_command(database: str, schema: str) -> int:
    """Print the SQL that makes kessai's tables, for a migration of your own.

    All of them are called kessai_…, and one says which version they have. A later
    kessai brings them up to date when it opens them.
    """
    for statement in _sqlite() if database == "sqlite" else _postgresql(schema):
        click.echo(f"{statement};")
    return DONE


def _sqlite() -> list[str]:
    from kessai.stores.schema import statements

    return [*statements()]


def _postgresql(schema: str) -> list[str]:
    try:
        from kessai.stores.postgres.schema import statements
    except ImportError as error:
        raise StoreUnsuitable(str(error)) from error
    return [*statements(schema)]
