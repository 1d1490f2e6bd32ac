"""`python -m twin_api.door.listening HOST PORT WORKERS`: the process that `twin serve` becomes.

Must never read a setting: those are the application's, which each worker makes from its own environment.
"""

from __future__ import annotations

import sys

from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess

from twin_api.door.connection import ClientConnection
from twin_api.seeing.logs import LIBRARIES

_APPLICATION = "twin_api.main:create_served_app"


class Workers(Multiprocess):
    """uvicorn's supervisor: a worker that dies is replaced."""

    def terminate_all(self) -> None:
        """The parent's own hold on the socket goes first: what connects after the last worker has left is refused, not forgotten."""
        for listening in self.sockets:
            listening.close()
        super().terminate_all()


def listen(host: str, port: int, workers: int) -> None:
    config = Config(
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
        Workers(config, sockets=[config.bind_socket()]).run()
    else:
        Server(config).run()


if __name__ == "__main__":
    listen(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
