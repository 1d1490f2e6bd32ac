"""`python -m twin_api.door.listening HOST PORT WORKERS`: the process that `twin serve` becomes.

Must never read a setting: those are the application's, which each worker makes from its own environment.
"""

from __future__ import annotations

import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from socket import socket

from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess, multiprocess

from twin_api.door.closing import let_in_who_waits
from twin_api.door.connection import ClientConnection
from twin_api.seeing.logs import LIBRARIES

_APPLICATION = "twin_api.main:create_served_app"


class ListeningConfig(Config):
    """`all_leave`: where several processes listen, it has something to read as soon as every one of them is to end."""

    all_leave: Connection | None = None


class Listener(Server):
    """uvicorn's server; before it leaves, it takes whoever has connected already."""

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        if isinstance(self.config, ListeningConfig) and (self.config.all_leave is None or self.config.all_leave.poll()):
            await let_in_who_waits(port.fileno() for server in self.servers for port in server.sockets)
        await super().shutdown(sockets)


class Workers(Multiprocess):
    """uvicorn's supervisor: a worker that dies is replaced; who waits at the door when one leaves alone is taken by the others."""

    def __init__(self, config: ListeningConfig) -> None:
        config.all_leave, self._word = Pipe(duplex=False)
        super().__init__(config, sockets=[config.bind_socket()])

    def terminate_all(self) -> None:
        """The parent's own hold on the socket goes first: what connects after the last worker has left is refused, not forgotten."""
        self._word.send_bytes(b"leave")
        for listening in self.sockets:
            listening.close()
        super().terminate_all()


# in each worker too, which imports this module: the supervisor asks nobody which server it is to start
multiprocess.Server = Listener  # type: ignore[attr-defined]


def listen(host: str, port: int, workers: int) -> None:
    config = ListeningConfig(
        _APPLICATION,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=ClientConnection,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        log_config=str(LIBRARIES),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=20,
    )
    if workers > 1:
        Workers(config).run()
    else:
        Listener(config).run()


if __name__ == "__main__":
    listen(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
