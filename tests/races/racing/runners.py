"""How commands come to be carried out at the same moment: by threads, by processes.

Each runner has an engine of its own for all that is not raced, and an emulator that is
asked over HTTP by processes, and without a socket by threads.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Barrier

from kessai import Engine, open_store
from kessai.driver import utc_now
from kessai_adapters.emulators import serve
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G
from racing.contests import Outcome
from racing.persistent import carry_out, to_data

RACER = Path(__file__).with_name("racer.py")


def adapter(host=None):
    options = {} if host is None else {"host": host}
    return VeriTrans4G(
        Credentials(DEFAULT_CCID, DEFAULT_KEY),
        dummy=True,
        notification_url="https://shop.example/push",
        **options,
    )


class Clock:
    """The real time, and beyond it where something must be waited out."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return utc_now() + self.ahead


class Threads:
    """All racers are threads, on one engine, or on one each."""

    def __init__(self, url, racers, *, shared):
        self._stack = ExitStack()
        self.emulator = self._stack.enter_context(Emulator())
        self.racers = racers
        self.clock = Clock()
        self.engine = self._open(url, self.clock)
        self._engines = [self.engine]
        if not shared:
            self._engines = [self._open(url) for _ in range(racers)]
        self._pool = self._stack.enter_context(ThreadPoolExecutor(racers))
        self._barrier = Barrier(racers)

    def _open(self, url, clock=utc_now):
        engine = Engine(
            adapters=[adapter()],
            store=open_store(url),
            transport=EmulatorTransport(self.emulator),
            clock=clock,
        )
        return self._stack.enter_context(engine)

    def race(self, commands):
        def run(number):
            engine = self._engines[number % len(self._engines)]
            self._barrier.wait()
            return Outcome(commands[number], carry_out(engine, commands[number]))

        return list(self._pool.map(run, range(self.racers)))

    def close(self):
        self._stack.close()


class Processes:
    """Each racer is a process with its own engine; the gateway is behind a socket."""

    def __init__(self, url, racers):
        self._stack = ExitStack()
        self.emulator = self._stack.enter_context(Emulator())
        server = self._stack.enter_context(serve(self.emulator))
        self.clock = Clock()
        engine = Engine(
            adapters=[adapter(server.url)], store=open_store(url), clock=self.clock
        )
        self.engine = self._stack.enter_context(engine)
        self.racers = racers
        self._racers = [self._start(url, server.url) for _ in range(racers)]
        for racer in self._racers:
            assert racer.stdout.readline() == "ready\n", "a racer did not start"

    def _start(self, url, gateway):
        process = subprocess.Popen(
            [sys.executable, str(RACER), url, gateway],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def race(self, commands):
        for racer, command in zip(self._racers, commands, strict=True):
            self._tell(racer, json.dumps(to_data(command)))
        for racer in self._racers:
            assert racer.stdout.readline() == "set\n", "a racer is gone"
        for racer in self._racers:
            self._tell(racer, "go")
        answers = [racer.stdout.readline().strip() for racer in self._racers]
        return [Outcome(*pair) for pair in zip(commands, answers, strict=True)]

    @staticmethod
    def _tell(racer, line):
        racer.stdin.write(f"{line}\n")
        racer.stdin.flush()

    def close(self):
        self._stack.close()


RUNNERS = {
    "threads": lambda url, racers: Threads(url, racers, shared=True),
    "engines": lambda url, racers: Threads(url, racers, shared=False),
    "processes": Processes,
}
