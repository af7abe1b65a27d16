"""Where the files of a run are: in memory, if the machine has a file system there.

What is tried are the calls that a process makes, not the disk beneath.
"""

from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
FOLDER = str(_MEMORY) if _MEMORY.is_dir() else None
