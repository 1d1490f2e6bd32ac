"""Closing the door: nobody new may come, and who stands before it already is still let in.

A connection is made by the system, before the server knows of it, and the system cuts all that wait when the port closes.
Must never leave one of them without an answer.
"""

from __future__ import annotations

import asyncio
import ctypes
import select
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from os import dup
from typing import Final

_SO_ATTACH_FILTER: Final = 26  # of Linux; Python has no name for it
# what the system does with a packet that comes to the port: one with SYN and without ACK, which begins a connection, is dropped
_DROP_NEW: Final = (
    (0x30, 0, 0, 13),  # load the flags of TCP
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # keep
)
_SHAKE_S: Final = 0.2  # who has begun to connect comes to the end of it
_MOST_S: Final = 5.0
_LOOK_S: Final = 0.02


async def let_in_who_waits(ports: Iterable[int]) -> None:
    """`ports`: file descriptors that listen, and whose connections the loop takes meanwhile.

    Somebody new is not refused but hears nothing, and asks again after a second, when another server may listen.
    """
    loop = asyncio.get_running_loop()
    latest = loop.time() + _MOST_S
    waiting = select.poll()
    for port in ports:
        let_nobody_come(port)
        waiting.register(port, select.POLLIN)
    await asyncio.sleep(_SHAKE_S)
    while waiting.poll(0) and loop.time() < latest:  # noqa: ASYNC110  # nothing tells when a queue has become empty
        await asyncio.sleep(_LOOK_S)
    await asyncio.sleep(_LOOK_S)  # the loop has taken the last one; now it is told of it


def let_nobody_come(port: int) -> None:
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _DROP_NEW))
    with socket.socket(fileno=dup(port)) as listening, suppress(OSError):  # a system without it: then newcomers may be cut
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_NEW), ctypes.addressof(program)))
