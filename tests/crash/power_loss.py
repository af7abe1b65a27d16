"""Cut the power at every moment, and see that nothing acknowledged is lost.

    python tests/crash/power_loss.py --images 1000000 --seed 1

Stories are run on the real store through a file system that records every write and
every sync. From that come images of what the disk may hold if the power goes at any
moment. Each is opened, and must hold exactly what one commit left: none before the last
that returned, none half. With --synchronous normal the same must fail. Prints figures
as JSON; exits 1 if anything is amiss.
"""

import argparse
import sqlite3
import sys
import tempfile
import warnings
from contextlib import closing
from itertools import count
from pathlib import Path
from random import Random  # noqa: TID251 - a seed gives one and the same run

import attrs
from breakage.aftermath import Violation, demand
from breakage.figures import Figures
from breakage.folder import FOLDER
from breakage.images import Chance, Disk
from breakage.recording import Commit, content, record
from breakage.story import story

from kessai import SQLiteStore, StoreWarning
from kessai.audit import verify
from kessai.stores.query import Query

DRAWS = 12
"""Images drawn at each moment; a moment with only one image gives one."""

FULLY = 25
"""Of so many images one is opened by the store, audited and written to."""

SUFFIXES = ("", "-wal", "-journal", "-shm")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--synchronous", choices=("full", "normal"), default="full")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", StoreWarning)
    figures = Figures(options.images, every=50_000)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        for seed in count(options.seed):
            if figures.done >= options.images:
                break
            _lose_power(seed, folder, figures, options)
    return figures.close()


def _lose_power(seed, folder, figures, options):
    path = f"{folder}/{seed}.db"
    weakened = options.synchronous == "normal"
    recording = record(story(seed), path, weakened=weakened)
    contents = [_content_of_nothing(folder)]
    contents += [deed.content for deed in recording.deeds if isinstance(deed, Commit)]
    figures.count("recorded", "stories")
    trial = Trial(seed, path, contents, figures, options.images)
    chance = Chance(Random(seed))  # noqa: S311 - a choice that can be made again
    disk = Disk()
    for moment in range(len(recording.deeds) + 1):
        trial.at(moment, disk, chance, 1 if disk.is_resolved else options.draws)
        if moment < len(recording.deeds):
            disk.do(recording.deeds[moment])


def _content_of_nothing(folder):
    with closing(sqlite3.connect(f"{folder}/nothing.db")) as connection:
        return content(connection)


@attrs.define
class Trial:
    """The images of one recording, and what each of its commits left."""

    seed: int
    path: str
    contents: list
    figures: Figures
    images: int

    def at(self, moment, disk, chance, draws):
        """Look at some images of the disk as it may be at a moment."""
        seen = set()
        for draw in range(draws):
            if self.figures.done >= self.images:
                return
            files, choices = chance.image(disk)
            if choices in seen:
                continue
            seen.add(choices)
            self._look(files, disk.commits, f"seed {self.seed}, {moment}, {draw}")

    def _look(self, files, commits, where):
        for suffix in SUFFIXES:
            Path(self.path + suffix).unlink(missing_ok=True)
        for name, held in files.items():
            Path(self.path).with_name(name).write_bytes(held)
        try:
            self._demand_whole(commits)
            if self.figures.done % FULLY == 0:
                self._demand_usable()
                self.figures.count("opened_by", "the store")
        except (Violation, sqlite3.Error) as error:
            self.figures.violated(where, error)
        self.figures.count("files", len(files))
        self.figures.one_more()

    def _demand_whole(self, commits):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            found = content(connection)
        at_most = commits + 2  # the one under way may be there already
        allowed = self.contents[commits:at_most]
        demand(found in self.contents, "something half is there")
        demand(found in allowed, f"commit {commits} is lost, or one too many is there")

    def _demand_usable(self):
        store = SQLiteStore(self.path)
        try:
            report = verify(store)
            demand(report.holds, "the trail does not hold:", report.faults)
            found = store._fetch(Query("PRAGMA integrity_check"))
            demand(found == [("ok",)], "the file is damaged:", found)
        finally:
            store.close()


if __name__ == "__main__":
    sys.exit(main())
