"""An answer, given to whoever asked for a command: shown, and as an exit code."""

from kessai.cli.terminal import exits
from kessai.cli.terminal.options import Asked
from kessai.cli.terminal.output import answer_data, note, print_json
from kessai.cli.terminal.streams import output_failed
from kessai.cli.tx.report import print_answer
from kessai.cli.tx.view import TransactionView
from kessai.flow import Answer, Status
from kessai.flow.answer import OPEN


def give(answer: Answer, view: TransactionView, asked: Asked) -> int:
    """Show `answer` as it is asked for; the exit code that says what came of it."""
    if asked.as_json:
        data = answer_data(answer, asked.language)
        print_json({**data, "disclosed": answer.disclosed})
    else:
        print_answer(answer, view)
    if output_failed():
        note(f"kessai: what was done is in the store under key {answer.key}")
    if answer.status in OPEN:
        return exits.UNKNOWN
    return exits.DONE if answer.status is Status.SUCCEEDED else exits.DENIED
