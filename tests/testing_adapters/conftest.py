"""The example package as if it were installed, and the adapters with planted mistakes."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "third_party" / "kessai-examplepay"

KUMO = HERE.parent / "simulation"

sys.path[:0] = [str(HERE), str(EXAMPLE), str(KUMO)]
