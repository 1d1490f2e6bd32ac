"""A server behind a proxy that tells what reached it: its name, the address and the headers, and how often it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Upstream:
    """`asked` are the addresses in order; answers say `public, no-cache` below `/citizen`, `private, no-cache` elsewhere."""

    name: str
    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def upstream(name: str) -> Iterator[Upstream]:
    told = Upstream(name)

    class Telling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told.asked.append(self.path)
            headers = {key.lower(): self.headers.get_all(key) for key in self.headers}
            body = json.dumps({"name": name, "path": self.path, "headers": headers}).encode()
            self.send_response(404 if "missing" in self.path else 200)
            self.send_header("Cache-Control", f"{'public' if self.path.startswith('/citizen') else 'private'}, no-cache")
            self.send_header("Vary", "Accept, Accept-Language, Accept-Encoding")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Telling)
    server.daemon_threads = True
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
