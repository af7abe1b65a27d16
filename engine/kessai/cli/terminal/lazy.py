"""Groups of commands that are imported when they are called, not before."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that knows of each command where it stands, and one line of help.

    `commands_at` maps a command's name to its place below `kessai.cli`, as an entry
    point has it (`module:attribute`), and that line.
    """

    def __init__(
        self,
        *arguments: Any,
        commands_at: Mapping[str, tuple[str, str]],
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """The names of all commands, sorted."""
        return sorted(self._commands_at)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        cmd_name: str,
    ) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in self._commands_at:
            return None
        module, _, attribute = self._commands_at[cmd_name][0].partition(":")
        found = import_module(f"kessai.cli.{module}")
        command: click.Command = getattr(found, attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; for a misspelt one, what may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self._commands_at, ctx=ctx
            ) from None

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands by their one line, without importing any."""
        lines = [(name, line) for name, (_, line) in sorted(self._commands_at.items())]
        with formatter.section("Commands"):
            formatter.write_dl(lines)
