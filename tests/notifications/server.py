"""A shop's server for notifications, in a process of its own that can be killed.

    python server.py SOCKET STORE GATEWAY NOTES   serve on an inherited listening socket

Each status that it answers is a line in NOTES, written before the answer leaves. If
the file of that name with `.dies` is there, the server removes it and kills itself
instead: what the notification stated is durable by then, and the gateway has no answer.
"""

import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from kessai import AsyncEngine, NotificationEndpoint, SQLiteStore
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G


def recording(app, notes):
    dies = notes.with_suffix(".dies")

    async def serve(scope, receive, send):
        async def note(message):
            if message["type"] == "http.response.start":
                if dies.exists():
                    dies.unlink()
                    os.kill(os.getpid(), signal.SIGKILL)
                with notes.open("a") as lines:
                    lines.write(f"{message['status']}\n")
            await send(message)

        await app(scope, receive, note)

    return serve


def main():
    number, store, gateway, notes = sys.argv[1:]
    credentials = Credentials(DEFAULT_CCID, DEFAULT_KEY)
    engine = AsyncEngine(
        adapters=[VeriTrans4G(credentials, host=gateway, dummy=True)],
        store=SQLiteStore(Path(store)),
    )
    app = recording(NotificationEndpoint(engine, closes_engine=True), Path(notes))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    server.run(sockets=[socket.socket(fileno=int(number))])


if __name__ == "__main__":
    main()
