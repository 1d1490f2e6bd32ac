"""The head of a request: its headers by name, read once for all who ask for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

HEAD: Final = "twin_api.head"  # in the scope, from the door on
Head = Mapping[bytes, bytes]


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Names are lower case. What stands on several lines is joined by commas (RFC 9110, 5.3), so that no second line goes unseen."""
    head: dict[bytes, bytes] = {}
    for name, value in headers:
        head[name] = head[name] + b"," + value if name in head else value
    return head


def told(head: Head, name: bytes) -> str:
    """The header of this name, empty where there is none."""
    return head[name].decode("latin-1") if name in head else ""
