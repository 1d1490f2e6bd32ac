"""The port that metrics are read at.

Must never be the public one: metrics say which roles there are.
"""

from __future__ import annotations

from collections.abc import Callable
from http.server import ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import MetricsHandler


class _Listener(ThreadingHTTPServer):
    """The processes of a server listen on one port: each answers for all."""

    allow_reuse_port = True
    daemon_threads = True


def listen(host: str, port: int, registry: CollectorRegistry) -> Callable[[], None]:
    """Answer with the metrics of `registry` until the returned function is called."""
    listener = _Listener((host, port), MetricsHandler.factory(registry))
    Thread(target=listener.serve_forever, name="metrics", daemon=True).start()

    def close() -> None:
        listener.shutdown()
        listener.server_close()

    return close
