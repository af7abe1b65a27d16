"""What a command loads: what it does not need would be waited for each time."""

import subprocess
import sys

NOT_TO_LOOK = ("kessai.simulator", "kessai.prove", "kessai.audit", "kessai.testing")


def test_a_look_at_the_store_loads_nothing_that_plays_or_proves(tmp_path):
    shown = (
        "import sys; from kessai.cli.main import run_command;"
        f" run_command(['tx', 'list', '--db', {str(tmp_path / 'none.db')!r}]);"
        f" print(*(m for m in sys.modules if m.startswith({NOT_TO_LOOK!r})))"
    )
    run = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True
    )
    assert "none.db" in run.stderr
    assert run.stdout.split() == []
