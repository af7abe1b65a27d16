"""localstripe on loopback, on a free port, until its input ends; prints where.

Its own command listens on every interface, and keeps all in one file for everybody.
"""

import asyncio
import sys

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app

Store.dump_to_disk = lambda _: None


async def serve():
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


asyncio.run(serve())
