"""Check the protocol model with spin: the right one, and with each mistake planted.

Owns which variants there are and how spin is run; what is modelled is in the `.pml`
files. Needs `spin` and a C compiler, writes only into a folder of its own, and leaves
nothing behind. Run as a script it checks everything and says how many states it saw.
"""
# ruff: noqa: INP001 - a script beside the model, in no package

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

MODEL = Path(__file__).with_name("protocol.pml")

FLAGS = ("-DSAFETY", "-DNOFAIR", "-DNOREDUCE", "-DMEMLIM=900", "-DVECTORSZ=512")
# Every property is an assertion or the lack of a dead end, so nothing but the states
# themselves must be kept; everything is shared, so partial orders save nothing.

DEPTHS = (60, 120, 100_000)
# A mistake is sought near the beginning first: its story is the shorter for it.


class SpinFailedError(Exception):
    """Spin or the compiler could not do its work: not what the model is asked for."""


@dataclass(frozen=True)
class Variant:
    """One model to check: its name, its switches, and what it is about."""

    name: str
    switches: tuple[str, ...]
    about: str
    is_large: bool = False


@dataclass(frozen=True)
class Verdict:
    """What spin reported: the states that it saw, and the story of a failure."""

    states: int
    is_exhaustive: bool
    failure: str = ""
    story: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The failure as a short story, or that there is none."""
        if not self.failure:
            return f"{self.states} states, no failure"
        lines = (f"  {line}" for line in self.story)
        return "\n".join((f"{self.states} states, and then this:", *lines))


def _variant(
    name: str, switches: str, about: str, *, is_large: bool = False
) -> Variant:
    return Variant(name, tuple(switches.split()), about, is_large)


_SLOW = "TWO SLOW_RECOVERER NEVER_PENDING LEASED_ONLY"
_PREPARED = "SAME_KEY PREPARES NEVER_PENDING"

RIGHT = (
    _variant(
        "three", "NEVER_PENDING", "three refunds, of which two fit", is_large=True
    ),
    _variant("pending", "TWO", "two indistinguishable ones, which may stay pending"),
    _variant(
        "slow", _SLOW, "a recoverer that sleeps between any two steps", is_large=True
    ),
    _variant("same_key", "SAME_KEY NEVER_PENDING", "two callers of one key"),
    _variant("prepared", _PREPARED, "a shop begins, and two carry it out"),
    _variant("keyed", "TWO DISTINCT KEYED DUPLICATES", "requests come twice"),
    _variant(
        "keyed_late",
        "TWO DISTINCT KEYED ARRIVES_AFTER_IN_FLIGHT_LIMIT ONLY_RESENDS",
        "a gateway that honours keys needs no in-flight limit, if nothing is presumed",
    ),
    _variant(
        "no_lease",
        f"{_SLOW} STALE_LEASE_WRITES",
        "leases save work, and nothing depends on them",
        is_large=True,
    ),
)
"""What must hold."""

ASSUMED = (
    _variant(
        "in_flight_limit",
        "TWO DISTINCT ARRIVES_AFTER_IN_FLIGHT_LIMIT ONLY_RESENDS",
        "no request comes later",
    ),
    _variant("once", "TWO DISTINCT DUPLICATES", "nothing on the way repeats a request"),
)
"""What the engine assumes: without it, spin must find the double effect."""

_TWO = "TWO NEVER_PENDING"
MISTAKES = (
    _variant("SEND_BEFORE_INTENT", _TWO, "a request leaves before its intent"),
    _variant("NO_VERSION_CHECK", "NEVER_PENDING", "an append that asks no version"),
    _variant("RESERVATION_NOT_HELD", "NEVER_PENDING", "open refunds hold nothing"),
    _variant("ANSWER_NOT_KEPT", "SAME_KEY NEVER_PENDING", "a key is carried out anew"),
    _variant("FOUND_IS_SENT", "SAME_KEY NEVER_PENDING", "an intent found is sent"),
    _variant("UNCOMMITTED_IS_SENT", _PREPARED, "a shop sends before it commits"),
    _variant("SENT_IS_UNRECORDED", _PREPARED, "what is prepared is sent as it is"),
    _variant("SENT_BY_BOTH", _PREPARED, "who did not write that it is sent sends, too"),
    _variant("SENDS_LATE", _TWO, "nobody looks at the clock before sending"),
    _variant("TIME_DECLINES", _TWO, "no answer for long is taken for a decline"),
    _variant("NO_IN_FLIGHT_LIMIT", _TWO, "what is not listed yet is taken for lost"),
    _variant(
        "IN_FLIGHT_LIMIT_WHEN_READ", _SLOW, "an answer counts as new as its reading"
    ),
    _variant("RESEND_UNRECORDED", _TWO, "a resend is written nowhere"),
    _variant(
        "NOTIFICATION_APPLIED_TWICE", _TWO, "every notification is believed alone"
    ),
    _variant(
        "FRESH_KEY",
        "TWO DISTINCT KEYED ARRIVES_AFTER_IN_FLIGHT_LIMIT ONLY_RESENDS",
        "a resend has a key of its own",
    ),
    _variant("GUESSES_IN_FLIGHT", _TWO, "a success is given to one still on its way"),
    _variant("NEW_IS_UNLISTED", _TWO, "what may be another's counts as not listed"),
    _variant("STALE_ABSENCE", _SLOW, "an answer older than the trail shows absence"),
    _variant("ORDER_OF_INTENTS", _TWO, "what is listed goes to what began first"),
    _variant("REPLY_COUNTED_TWICE", _TWO, "a reply is applied that was counted"),
    _variant(
        "OLD_REPLY_TRUSTED",
        f"{_TWO} TAKEN_IS_SENT",
        "a reply to the first request, after a resend of what a twin was taken for",
    ),
)
"""What must be found: each is the name of the switch that plants it."""


def planted(mistake: Variant) -> Variant:
    """The variant that has `mistake` in it."""
    return Variant(mistake.name, (*mistake.switches, mistake.name), mistake.about)


def missing_tools() -> list[str]:
    """The programs that are needed and not there."""
    missing = [] if shutil.which("spin") else ["spin"]
    return missing if _compiler() else [*missing, "a C compiler"]


def check(variant: Variant, depths: Sequence[int] = DEPTHS[-1:]) -> Verdict:
    """Have spin search every state of `variant`, to each of `depths` until it fails.

    Raises:
        SpinFailedError: spin or the compiler did not work.

    """
    with tempfile.TemporaryDirectory(prefix="kessai-protocol-") as name:
        folder = Path(name)
        switches = [f"-D{switch}" for switch in variant.switches]
        _run(["spin", *switches, "-a", str(MODEL)], folder)
        # Compiling takes longer than most searches; only the large ones repay more.
        optimised = "-O1" if variant.is_large else "-O0"
        compiler = _compiler() or "cc"
        _run([compiler, optimised, "-w", *FLAGS, "-o", "pan", "pan.c"], folder)
        verdict = Verdict(states=0, is_exhaustive=False)
        for depth in depths:
            verdict = _verdict(_run(["./pan", "-n", "-w22", f"-m{depth}"], folder))
            if verdict.failure:
                return replace(verdict, story=_story(switches, folder))
        return verdict


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, ("gcc", "cc", "clang"))), None)


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(  # noqa: S603 - spin, the compiler, and what they made
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    if done.returncode:
        message = f"{command[0]} failed:\n{output[-2000:]}"
        raise SpinFailedError(message)
    return output


def _verdict(output: str) -> Verdict:
    stored = re.search(r"(\d+) states, stored", output)
    if stored is None:
        message = f"spin did not finish:\n{output[-2000:]}"
        raise SpinFailedError(message)
    whole = "too small" not in output and "Search not completed" not in output
    found = re.search(r"^pan:1: (.+?) \(at depth", output, re.MULTILINE)
    return Verdict(int(stored[1]), whole, found[1] if found else "")


def _story(switches: list[str], folder: Path) -> tuple[str, ...]:
    trail = next(folder.glob("*.trail")).name
    output = _run(["spin", "-T", *switches, "-k", trail, str(MODEL)], folder)
    return tuple(line[2:] for line in output.splitlines() if line.startswith("| "))


def main() -> int:
    """Check everything, or the variants that are named."""
    known = {v.name: v for v in (*RIGHT, *ASSUMED, *map(planted, MISTAKES))}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    chosen = parser.parse_args().names or list(known)
    if strange := [name for name in chosen if name not in known]:
        parser.error(f"no variant {strange[0]!r}; there are: {', '.join(known)}")
    if missing := missing_tools():
        print(f"not there: {', '.join(missing)}", file=sys.stderr)  # noqa: T201
        return 2
    right = {variant.name for variant in RIGHT}
    states = wrong = 0
    for name in chosen:
        depths = DEPTHS[-1:] if name in right else DEPTHS
        verdict = check(known[name], depths)
        states += verdict.states
        wrong += bool(verdict.failure) is (name in right)
        print(f"{name}: {known[name].about}\n{verdict}\n", flush=True)  # noqa: T201
    print(f"{states} states; {wrong} of {len(chosen)} not as they must be")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SpinFailedError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
