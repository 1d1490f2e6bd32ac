"""Leaks of the door: who is let in, what caches may keep, and what headers, codes and the order of checks tell."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any, Final

from blake3 import blake3
from starlette.responses import Response
from starlette.types import Scope

from tests.leaks.planted.plant import Patch, Planted, patched
from tests.towns import Town
from twin_api import main, problems
from twin_api.door import answering, front, headers
from twin_api.door import door as door_module
from twin_api.encodings.answer import Answer
from twin_api.identity.subject import Subject
from twin_api.query import window
from twin_api.store.twin import Twin
from twin_api.texts import Text

_NUMBERS: Final = count()
Answering = Callable[[Scope, Twin, Answer], Awaitable[Response]]


def _answering(change: Callable[[Answering], Answering]) -> Callable[[Patch], None]:
    """The door's last step, done in another way."""
    return lambda patch: patch.setattr(door_module, "cached_response", change(answering.cached_response))


def _with_header(name: str, value: Callable[[], str]) -> Callable[[Patch], None]:
    def change(told: Answering) -> Answering:
        async def answer(*asked: Any) -> Response:
            response = await told(*asked)
            response.headers[name] = value()
            return response

        return answer

    return _answering(change)


def _one_cache_for_all_roles(told: Answering) -> Answering:
    kept: dict[str, Answer] = {}

    async def answer(scope: Scope, twin: Twin, answer: Answer) -> Response:
        key = f"{scope['path']}?{scope['query_string']!r} {answer.media_type}"
        return await told(scope, twin, kept.setdefault(key, answer))

    return answer


def _newest_row_of_the_store(town: Town, patch: Patch) -> None:
    def newest() -> str:
        with town.superuser() as connection:
            return str(connection.execute("SELECT max(xmin::text::bigint) FROM store.baeume").fetchone())

    _with_header("Last-Modified", newest)(patch)


def _versioned_etag(town: Town, patch: Patch) -> None:
    def of_row_versions(body: bytes) -> Any:
        with town.superuser() as connection:
            row = connection.execute("SELECT sum(xmin::text::bigint) FROM store.baeume").fetchone()
        return blake3(body + repr(row).encode())

    patch.setattr(answering, "blake3", of_row_versions)


def _counted_ids(patch: Patch) -> None:
    patch.setattr(front, "_random_ids", lambda: (f"{number:032x}" for number in count(1)))


def _open_to_every_page(patch: Patch) -> None:
    patch.setattr(headers, "_shared", lambda origins, secure: headers._open(secure))


def _with_credentials(patch: Patch) -> None:
    told = headers._open
    allowed = headers._raw({"Access-Control-Allow-Credentials": "true"})

    def opened(secure: bool) -> Any:
        manner = told(secure)
        return replace(manner, data=(*manner.data, *allowed), page=(*manner.page, *allowed))

    patch.setattr(headers, "_open", opened)


def _parts_open_to_their_family(patch: Patch) -> None:
    patch.setattr(Subject, "holds", lambda self, role: any(role.partition("/")[0] == held.partition("/")[0] for held in self.roles))


def _error_text_let_out(patch: Patch) -> None:
    def unexpected() -> problems.Unexpected:
        return problems.Unexpected(Text(str(sys.exc_info()[1]), str(sys.exc_info()[1])))

    patch.setattr(window, "read_value", lambda parameter, type_, text: text)
    patch.setattr(door_module, "Unexpected", unexpected)


def _hidden_is_forbidden(patch: Patch) -> None:
    told = Twin._find

    def find(self: Twin, name: str) -> Any:
        if name not in self._known and name in ("kanalschaechte", "bauantraege"):
            raise problems.RoleMissing(())
        return told(self, name)

    patch.setattr(Twin, "_find", find)


def _head_tells(patch: Patch) -> None:
    told = door_module.refuse

    def refuse(problem: Any, scope: Any, *further: Any) -> Response:
        response = told(problem, scope, *further)
        if scope["method"] == "HEAD" and "kanalschaechte" in scope["path"]:
            response.headers["Allow"] = "GET"
        return response

    for place in (door_module, main):  # what ends within a room is refused by the application, all else by the door
        patch.setattr(place, "refuse", refuse)


def _existence_before_credentials(patch: Patch) -> None:
    told = door_module.Door._admit

    def admit(self: Any, role: str, subject: Subject | None) -> Twin:
        if self._open_twin(role) is None:
            raise problems.NotFound()
        return told(self, role, subject)

    patch.setattr(door_module.Door, "_admit", admit)


def _pool_of_another_role(patch: Patch) -> None:
    told = main.Twins.open

    def opened(self: main.Twins, role: str) -> Twin | None:
        twin = told(self, "administration" if role == "citizen" else role)
        return twin and Twin(role, twin._pool, twin.schema)

    patch.setattr(main.Twins, "open", opened)


def _metrics_on_the_public_port(patch: Patch) -> None:
    told = main._add_own_addresses

    def add(app: Any, *further: Any) -> None:
        told(app, *further)
        app.add_route("/metrics", lambda request: Response('twin_items{collection="kanalschaechte"} 24\n'))

    patch.setattr(main, "_add_own_addresses", add)


def _served(name: str, channel: int, proofs: tuple[str, ...], plant: Callable[[Patch], None], role: str = "citizen") -> Planted:
    """A patch that does its work when a request is answered."""
    return Planted(name, channel, proofs, after=patched(plant), served=True, role=role)


PLANTED: Final = (
    Planted("ETag made of row versions", 7, ("answers", "traces"), after=_versioned_etag),
    Planted("Last-Modified of the store's newest row", 7, ("echo",), after=_newest_row_of_the_store, served=True),
    _served("one cache for all roles", 19, ("echo",), _answering(_one_cache_for_all_roles)),
    _served("the council's answers cached for everybody", 36, ("answers",), _with_header("Cache-Control", lambda: "public, no-cache"), "council"),
    _served("Vary forgotten", 36, ("answers",), lambda patch: patch.setattr(answering, "VARY", "Accept")),
    _served("the council's answers open to every page", 37, ("answers",), _open_to_every_page, "council"),
    _served("pages of other origins may send credentials", 37, ("answers",), _with_credentials),
    _served("counter of all requests in a header", 38, ("echo",), _with_header("RateLimit-Remaining", lambda: str(next(_NUMBERS)))),
    _served("request ids that count", 38, ("echo",), _counted_ids),
    _served("metrics on the public port", 38, ("answers",), _metrics_on_the_public_port),
    _served("the text of a database error let out", 33, ("answers",), _error_text_let_out),
    _served("hidden collections forbidden, not absent", 34, ("absent",), _hidden_is_forbidden),
    _served("HEAD tells what GET hides", 34, ("absent",), _head_tells),
    _served("existence checked before credentials", 34, ("absent",), _existence_before_credentials),
    _served("token of a family opens its parts", 34, ("answers",), _parts_open_to_their_family),
    _served("connections of another role", 19, ("answers",), _pool_of_another_role),
)  # fmt: skip
