"""The script of this folder and what it is made of can be imported."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
