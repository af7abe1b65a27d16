"""`kessai audit`: the audits there are."""

import click

from kessai.cli.terminal.lazy import LazyGroup

_AUDITS = {
    "check": (
        "audit.check:check_command",
        "Hold someone else's log against a lifecycle.",
    ),
    "coverage": (
        "audit.coverage:coverage_command",
        "What of a lifecycle was exercised, and what never.",
    ),
    "report": (
        "audit.report:report_command",
        "What was declared, reached, denied and tested.",
    ),
    "seal": ("audit.seal:seal_command", "Sign all chains as they are."),
    "verify": ("audit.verify:verify_command", "Check and replay every chain."),
}


@click.group(cls=LazyGroup, commands_at=_AUDITS)
def audit() -> None:
    """Prove from the trail that every step was allowed."""
