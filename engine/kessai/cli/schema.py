"""`kessai schema`: the SQL that makes kessai's tables in a shop's own database."""

import click

from kessai.cli.terminal.exits import DONE


@click.command("schema")
@click.argument("database", type=click.Choice(["postgresql", "sqlite"]))
@click.option(
    "--schema",
    show_default="kessai",
    metavar="NAME",
    help="On PostgreSQL, the schema that the tables are to stand in.",
)
def schema_command(database: str, schema: str | None) -> int:
    """Print the SQL that makes kessai's tables, for a migration of your own.

    All of them are called kessai_…, and one says which version they have. A later
    kessai brings them up to date when it opens them.
    """
    from kessai.stores.opening import schema as statements

    for statement in statements(database, schema):
        click.echo(f"{statement};")
    return DONE
