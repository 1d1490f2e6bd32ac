"""Servers on this machine that answer as told, well or badly, and remember what they were asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Headers = dict[str, str]
Answer = tuple[int, Headers, bytes]
LOOPBACK = "127.0.0.0/8"


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    query: dict[str, str]
    headers: Headers


@dataclass
class Server:
    """`port` on 127.0.0.1; what was asked stands in `asked`."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    scheme: str = "http"

    @property
    def hosts(self) -> str:
        """The entry of `TWIN_SOURCE_HOSTS` that admits it."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


@contextmanager
def answering(answer: Callable[[Asked], Answer], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that answers every GET with status, headers and body."""
    known: list[Server] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name.lower(): values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            asked = Asked(parts.path, query, {name.lower(): value for name, value in self.headers.items()})
            known[0].asked.append(asked)
            status, headers, body = answer(asked)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients here hang up on purpose
        known.append(Server(server.server_port, scheme="https" if tls else "http"))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield known[0]
        finally:
            server.shutdown()
            thread.join(5)


@contextmanager
def talking(talk: Callable[[socket.socket], object]) -> Iterator[Server]:
    """A server that reads a request's first bytes and then says whatever it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        stop, known = threading.Event(), Server(listening.getsockname()[1])

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(10)
                    known.asked.append(Asked("", {}, {}))
                    with suppress(OSError):  # the other side had enough
                        connection.recv(4096)
                        talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield known
        finally:
            stop.set()
            thread.join(15)
