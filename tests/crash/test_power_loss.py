"""The power goes at any moment: what was acknowledged is there, and nothing is half."""

import json

import power_loss
import pytest
from breakage.images import Chance, Disk
from breakage.recording import Create, Delete, Sync, Write


@pytest.mark.parametrize("images", [1_000, pytest.param(4_000, marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost_when_the_power_goes(capsys, images):
    assert power_loss.main(["--images", str(images), "--seed", "500"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == images


def test_without_a_sync_at_each_commit_the_loss_is_found(capsys):
    options = ["--images", "1000", "--seed", "500", "--synchronous", "normal"]
    assert power_loss.main(options) == 1
    found = json.loads(capsys.readouterr().out)["found"]
    assert any("is lost" in violation["what"] for violation in found)


class Draw:
    """A chance that always falls the same way."""

    def __init__(self, lost):
        self._lost = lost

    def choice(self, _):
        return self._lost

    def randrange(self, *_):
        return 0

    def random(self):
        return 0.5

    def getrandbits(self, bits):
        return 0b1010


def drawn(lost, *deeds):
    disk = Disk()
    for deed in deeds:
        disk.do(deed)
    files, _ = Chance(Draw(lost)).image(disk)
    return files


SYNCED = (Create("db", 1), Write(1, 0, b"old"), Sync(1, and_folder=True))


@pytest.mark.parametrize(("lost", "held"), [(0.0, b"new"), (1.0, b"old")])
def test_a_write_that_was_not_synced_is_there_or_not(lost, held):
    assert drawn(lost, *SYNCED, Write(1, 0, b"new")) == {"db": held}


def test_a_write_that_was_synced_is_there():
    deeds = (*SYNCED, Write(1, 0, b"new"), Sync(1, and_folder=False))
    assert drawn(1.0, *deeds) == {"db": b"new"}


def test_a_new_file_has_no_name_until_its_folder_is_synced():
    deeds = (Create("wal", 1), Write(1, 0, b"x"), Sync(1, and_folder=False))
    assert drawn(1.0, *deeds) == {}
    assert drawn(0.0, *deeds) == {"wal": b"x"}


def test_a_file_that_was_removed_may_be_back():
    assert drawn(1.0, *SYNCED, Delete("db", and_sync=False)) == {"db": b"old"}
    assert drawn(1.0, *SYNCED, Delete("db", and_sync=True)) == {}
