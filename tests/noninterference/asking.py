"""Asking an application in the process itself: the real application, without a socket between."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import zstandard
from fastapi import FastAPI

UNCOMPARED: Final = (b"x-request-id", b"date")  # random, and the clock's
HOST: Final = "zwillingen.example"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A request as a client sends it; `target` is the path with its query, percent-encoded. `token` is whose it carries."""

    target: str
    method: str = "GET"
    headers: Headers = ()
    token: str | None = None
    channels: frozenset[int] = field(default=frozenset(), compare=False)

    def as_json(self) -> dict[str, Any]:
        return {"target": self.target, "method": self.method, "headers": self.headers, "token": self.token}

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> Request:
        return Request(told["target"], told["method"], tuple((n, v) for n, v in told["headers"]), told["token"])


@dataclass(frozen=True)
class Answer:
    """What came back. `headers` in their order, without those that differ by chance."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> str | None:
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)

    @property
    def decoded(self) -> bytes:
        match self.header(b"content-encoding") if self.body else None:
            case "gzip":
                return gzip.decompress(self.body)
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(self.body)
            case "deflate":
                return zlib.decompress(self.body)
            case _:
                return self.body


class Asked:
    """One running application. `tokens` by the role that they are for."""

    def __init__(self, app: FastAPI, tokens: Mapping[str, str]) -> None:
        self._app = app
        self._tokens = tokens
        self._stack = AsyncExitStack()
        self._state: dict[str, Any] = {}

    async def start(self) -> None:
        self._state = dict(await self._stack.enter_async_context(self._app.router.lifespan_context(self._app)) or {})

    async def stop(self) -> None:
        await self._stack.aclose()

    async def answer(self, request: Request) -> Answer:
        raw, _, query = request.target.partition("?")
        headers = [(b"host", HOST.encode()), *((n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in request.headers)]
        if request.token is not None:
            headers.append((b"authorization", f"Bearer {self._tokens.get(request.token, request.token)}".encode("latin-1")))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(raw),
            "raw_path": raw.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": headers,
            "client": ("192.0.2.7", 50_000),
            "server": (HOST, 80),
            "state": dict(self._state),
        }
        told: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        await self._app(scope, receive, send)
        kept = tuple((bytes(n), bytes(v)) for n, v in told[0]["headers"] if n.lower() not in UNCOMPARED)
        return Answer(told[0]["status"], kept, b"".join(message.get("body", b"") for message in told[1:]))
