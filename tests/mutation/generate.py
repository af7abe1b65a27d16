"""Makes all mutants in the current folder, as mutmut does; prints their names."""

import sys
from pathlib import Path

from mutmut import __main__ as mutmut


def main() -> None:
    """Write the mutated copies below `mutants`, and the names to the file given."""
    Path("mutants").mkdir()
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.setup_source_paths()
    mutmut.create_mutants(1)
    found, _ = mutmut.collect_source_file_mutation_data(mutant_names=())
    Path(sys.argv[1]).write_text("\n".join(name for _, name, _ in found))


if __name__ == "__main__":  # it starts processes that import it
    main()
