"""What a long run shows: figures while it goes on, and each violation in full."""

import json
import sys
import time
from collections import Counter


class Figures:
    """Counts by kind, violations with what makes them again, and the time it took."""

    def __init__(self, total, *, every=1000):
        self._begin = time.monotonic()
        self._every = every
        self.total = total
        self.done = 0
        self.counts = {}
        self.violations = []

    def count(self, group, name):
        self.counts.setdefault(group, Counter())[name] += 1

    def one_more(self):
        self.done += 1
        if self._every and self.done % self._every == 0:
            seconds = time.monotonic() - self._begin
            found = len(self.violations)
            _say(
                f"{self.done:,} of {self.total:,} in {seconds:.0f} s, {found} violations"
            )

    def violated(self, where, error):
        self.violations.append(
            {"where": where, "what": f"{type(error).__name__}: {error}"}
        )
        _say(f"VIOLATION at {where}: {error}")

    def close(self):
        """Print all of it as JSON; the exit code."""
        report = {
            "done": self.done,
            "violations": len(self.violations),
            **{
                name: dict(sorted(found.items())) for name, found in self.counts.items()
            },
            "seconds": round(time.monotonic() - self._begin, 1),
            "found": self.violations[:100],
        }
        sys.stdout.write(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        return 1 if self.violations else 0


def _say(line):
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
