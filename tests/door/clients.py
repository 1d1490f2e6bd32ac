"""Clients that many tests share: one per town and set of roles, so that no test pays for another token and another TLS context."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import httpx

from tests.towns import Town

_clients: WeakKeyDictionary[Town, dict[tuple[str, ...], httpx.Client]] = WeakKeyDictionary()


def client_of(town: Town, *roles: str) -> httpx.Client:
    """A client with a token for these roles; without any, an anonymous one."""
    known = _clients.setdefault(town, {})
    if roles not in known:
        known[roles] = town.client(*roles)
    return known[roles]


def client_as(town: Town, role: str) -> httpx.Client:
    """A client that may see as this role."""
    return client_of(town, *(() if role == "citizen" else (role,)))
