"""Who stands before a door that closes is let in; who comes then is not, and is not sent away either."""

from __future__ import annotations

import asyncio
import socket

import pytest

from twin_api.door.closing import let_in_who_waits

LOOPS = ("127.0.0.1", "::1")


async def _close(listening: socket.socket) -> int:
    """How many the loop has taken when the door is closed. It begins to take them only then, as one that was busy would."""
    met = 0

    class Guest(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal met
            met += 1
            assert isinstance(transport, asyncio.Transport)
            transport.close()

    server = await asyncio.get_running_loop().create_server(Guest, sock=listening)
    await let_in_who_waits([listening.fileno()])
    server.close()
    await server.wait_closed()
    return met


@pytest.mark.parametrize("host", LOOPS)
def test_everybody_who_has_connected_is_let_in_before_the_door_closes(host: str) -> None:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=50) as listening:
        address = listening.getsockname()[:2]
        clients = [socket.create_connection(address) for _ in range(30)]
        assert asyncio.run(_close(listening)) == len(clients)
        for client in clients:
            client.close()


@pytest.mark.parametrize("host", LOOPS)
def test_nobody_new_connects_or_is_refused_once_the_door_closes(host: str) -> None:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
        address = listening.getsockname()[:2]
        held = listening.dup()
        asyncio.run(_close(listening))
        with held, pytest.raises(TimeoutError):
            socket.create_connection(address, timeout=0.3)
