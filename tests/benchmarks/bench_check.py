"""`kessai audit check` against the same reading of the log by hand.

    pytest tests/benchmarks/bench_check.py -s
    python tests/benchmarks/bench_check.py --rows 10000000 --seed 7 log.csv

The second writes a log of any size, to try the command line on. By hand means: rows read
by the `csv` module, times and amounts parsed by the standard library, histories sorted
and followed by one lifecycle's rules as an if-chain, without reasons. Both are timed in
turn, in CPU time, so that a machine that slows down slows both.
"""

import argparse
import csv
import random  # noqa: TID251 - seeded below
import statistics
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time

import pytest

from kessai import load_shipped
from kessai.audit.log_check import check_log

ROWS = 200_000
ROUNDS = 3
LASTS = timedelta(days=30)
BEGINS = datetime(2026, 1, 1)  # noqa: DTZ001 - as spreadsheets have it
PRICES = (980, 1480, 2980, 5000, 9800)


def history(draw, order, at, *, repeated):
    """What happens to an order: most by the rules, two in a hundred not."""
    amount = draw.choice(PRICES) if repeated else draw.randint(100, 100_000)
    yield at, order, "authorize", amount
    chance = draw.random()
    if chance < 0.1:
        yield at + timedelta(hours=2), order, "cancel", ""
        return
    captured = amount if chance < 0.8 else draw.randint(1, amount)
    days = 40 if chance > 0.99 else draw.randint(1, 20)
    yield at + timedelta(days=days), order, "capture", captured
    if chance > 0.6:
        back = captured + 1 if draw.random() < 0.02 else draw.randint(1, captured)
        yield at + timedelta(days=days + draw.randint(1, 9)), order, "refund", back


def rows(count, seed, *, repeated=False):
    """`count` rows of a log, in time order as far as a window of orders goes."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    window = []
    made = number = 0
    while made < count:
        for _ in range(2_000):
            at = BEGINS + timedelta(seconds=number)
            window += history(draw, f"ORD-{number:08d}", at, repeated=repeated)
            number += 1
        window.sort(key=lambda row: row[0])
        some, window = window[: count - made], []
        made += len(some)
        yield from some


def write(path, count, seed, **how):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order", "command", "time", "amount"])
        for at, order, command, amount in rows(count, seed, **how):
            writer.writerow([order, command, f"{at:%Y-%m-%d %H:%M:%S}", amount])


def by_hand(path):
    """How many rows are not allowed, by the rules of `one_time` written out."""
    histories = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file)):
            at = datetime.fromisoformat(row["time"])
            amount = int(row["amount"]) if row["amount"] else None
            histories[row["order"]].append((at, line, row["command"], amount))
    return sum(map(broken, histories.values()))


def broken(entries):
    state, authorized, captured, refunded, until, wrong = "", 0, 0, 0, None, 0
    for at, _, command, amount in sorted(entries):
        if command == "authorize" and not state and 1 <= amount <= 10_000_000:
            state, authorized, until = "authorized", amount, at + LASTS
        elif command == "cancel" and state == "authorized":
            state = "cancelled"
        elif (
            command == "capture"
            and state == "authorized"
            and at < until
            and 1 <= amount <= authorized
        ):
            state, captured = "captured", amount
        elif (
            command == "refund"
            and state in {"captured", "partially_refunded"}
            and 1 <= amount <= captured - refunded
        ):
            refunded += amount
            state = "refunded" if refunded == captured else "partially_refunded"
        else:
            wrong += 1
    return wrong


def seconds(work):
    begin = process_time()
    work()
    return process_time() - begin


@pytest.mark.parametrize("repeated", [False, True], ids=["any amounts", "few prices"])
def test_check_a_log(benchmark, tmp_path, repeated):
    path = tmp_path / "log.csv"
    write(path, ROWS, seed=1, repeated=repeated)
    lifecycles = [load_shipped("one_time")]
    findings = check_log(str(path), lifecycles).findings
    assert findings.events == ROWS
    assert findings.violations + findings.after == by_hand(path) > ROWS / 200
    pairs = [
        (
            seconds(lambda: check_log(str(path), lifecycles)),
            seconds(lambda: by_hand(path)),
        )
        for _ in range(ROUNDS)
    ]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    benchmark.extra_info["events_a_second"] = round(ROWS / ours)
    benchmark.extra_info["ratio"] = round(ours / theirs, 2)
    print(  # noqa: T201 - its purpose
        f"\n{benchmark.name}: {ROWS / ours:,.0f} events/s of CPU time,"
        f" {ours / theirs:.2f} times following by hand ({ROWS:,} events)"
    )
    benchmark.pedantic(lambda: check_log(str(path), lifecycles), rounds=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a log to check.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--few-prices", action="store_true")
    given = parser.parse_args()
    write(given.path, given.rows, given.seed, repeated=given.few_prices)
