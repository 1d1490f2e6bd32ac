"""What a client really asks: the server of a town that writes every request down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.towns import Serving, Town


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    params: dict[str, str]


@dataclass
class Recorded:
    """A town's server; `address` ends before the role, `asked` are the requests since it was last cleared, in their order."""

    asked: list[Asked] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    address: str = ""

    def around(self, app: ASGIApp) -> ASGIApp:
        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.asked.append(Asked(scope["path"], dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))))

            async def noted(message: dict[str, object]) -> None:
                if message["type"] == "http.response.start":
                    self.statuses.append(int(str(message["status"])))
                await send(message)

            await app(scope, receive, noted)  # type: ignore[arg-type]

        return recorded

    def items(self, collection: str) -> list[dict[str, str]]:
        """The parameters of all requests for items of this collection."""
        return [asked.params for asked in self.asked if asked.path.endswith(f"/collections/{collection}/items")]

    def clear(self) -> None:
        self.asked.clear()
        self.statuses.clear()


@contextmanager
def recorded_server(town: Town) -> Iterator[Recorded]:
    """With it a town is served, and what is asked written down."""
    record = Recorded()
    serving = Serving(town.settings(), record.around)
    record.address = serving.address
    try:
        yield record
    finally:
        serving.stop()
