"""The door: from a path to who asks, to the one twin that may be opened.

Must never hand a handler anything but an open `Twin`, and never let an error's own text out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from twin_api.block import Block, Question, Route
from twin_api.door.answering import cached_response
from twin_api.door.bearer import Bearer, Subjects
from twin_api.door.head import HEAD, Head, read_head, told
from twin_api.door.headers import METHODS
from twin_api.door.limits import Limits, check_size
from twin_api.door.place import home_of, path_in
from twin_api.door.proxy import CLIENT, check_host
from twin_api.door.refusing import refuse
from twin_api.encodings.media import choose_language
from twin_api.identity.subject import CITIZEN, FAMILIES, WITH_PARTS, Subject, is_role
from twin_api.problems import (
    CredentialsMissing,
    MethodNotAllowed,
    NotFound,
    Problem,
    RoleMissing,
    Unexpected,
)
from twin_api.seeing.logs import fault
from twin_api.seeing.visit import visit
from twin_api.settings import Settings
from twin_api.store.twin import Twin
from twin_api.texts import Language

_GUEST: Final = "twin_api.guest"  # in the scope, from the door to a room
_log = structlog.get_logger(__name__)


class Door:
    """An ASGI application over all roles' paths. `open_twin` gives the window of a role, None where there is no such role.

    `subjects` is None in a process that serves citizens only: it holds no key to the tokens and judges their form alone.
    `unguarded` is for a preview on the machine of whoever writes the policies: nobody is asked who they are.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        open_twin: Callable[[str], Twin | None],
        subjects: Subjects | None,
        settings: Settings,
        *,
        unguarded: bool = False,
    ) -> None:
        self._unguarded = unguarded
        self._open_twin = open_twin
        self._subjects = subjects
        self._base_url = settings.base_url.rstrip("/")
        self._lang = settings.lang
        self._limits = Limits(settings)
        self._bearer = Bearer(subjects, self._limits)
        self._blocks = blocks
        routes = [
            StarletteRoute(route.path, _Room(route, self._limits, subjects), methods=["GET"], name=getattr(route.handler, "__name__", ""))
            for block in blocks
            for route in block.routes
        ]
        self._rooms: ASGIApp = Router(routes, redirect_slashes=False, default=_nothing_here).app
        self._first_words = frozenset(route.path.split("/")[1] for route in routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        try:
            check_size(scope)
            head = read_head(scope["headers"])
            check_host(head, scope["http_version"])
            await self._enter(scope, head, receive, send)
        except Problem as problem:
            await self._refuse(problem, scope)(scope, receive, send)
        except Exception as error:
            _log.error("unexpected", **fault(error))
            await self._refuse(Unexpected(), scope)(scope, receive, send)

    def _refuse(self, problem: Problem, scope: Scope) -> Response:
        return refuse(problem, scope, self._lang, f"{home_of(scope, self._base_url)}/")

    async def _enter(self, scope: Scope, head: Head, receive: Receive, send: Send) -> None:
        client: str | None = scope.get(CLIENT)
        role, rest = self._split(path_in(scope))
        subject = await self._bearer.subject(told(head, b"authorization"), client) if b"authorization" in head else None
        who = subject.token if subject else client
        self._limits.spend(who)
        twin = self._admit(role, subject)
        _note(role, subject)
        if not rest.isprintable():
            raise NotFound()  # no pattern of a route may take a line's end for the end of an address
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(headers={"Allow": METHODS})
        base = self._base_url or f"{scope['scheme']}://{told(head, b'host') or 'localhost'}{home_of(scope, '')}"
        lang = choose_language(told(head, b"accept-language"), self._lang)
        guest = Guest(twin, f"{base}/{role}", lang, self._blocks, subject, who)
        await self._rooms({**scope, "path": rest, "root_path": "", HEAD: head, _GUEST: guest}, receive, send)

    def _split(self, path: str) -> tuple[str, str]:
        """`/administration/bauhof/collections` -> (`administration/bauhof`, `/collections`)."""
        family, _, rest = path.removeprefix("/").partition("/")
        if family not in FAMILIES:
            raise NotFound()
        first, _, further = rest.partition("/")
        if family in WITH_PARTS and first not in self._first_words:
            return f"{family}/{first}", f"/{further}"
        return family, f"/{rest}"

    def _admit(self, role: str, subject: Subject | None) -> Twin:
        """The twin of the role, for whoever asks; raises the problem that the design gives for each way of not being let in."""
        if role != CITIZEN and subject is None and not self._unguarded:
            raise CredentialsMissing() if self._subjects else NotFound()
        twin = self._open_twin(role) if is_role(role) else None
        if twin is None:
            raise NotFound()
        if subject is not None and role != CITIZEN and not subject.holds(role):
            raise RoleMissing(subject.roles)
        return twin


@dataclass(slots=True)
class Guest:
    """Whoever has been let in: the twin that is open, its address, and who asks by what name (None: this machine, which nobody limits)."""

    twin: Twin
    base: str
    lang: Language
    blocks: Sequence[Block]
    subject: Subject | None
    client: str | None

    def question(self, scope: Scope) -> Question:
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True) if scope["query_string"] else []
        return Question(scope["path_params"], asked, told(scope[HEAD], b"accept"), self.base, self.lang, self.blocks)


class _Room:
    """A route as an application of its own: Starlette's wrapper of functions looks once more for exceptions that the door answers."""

    def __init__(self, route: Route, limits: Limits, subjects: Subjects | None) -> None:
        self._route, self._limits, self._subjects = route, limits, subjects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guest: Guest = scope[_GUEST]
        twin, subject = guest.twin, guest.subject
        visit().route = self._route.path
        async with self._limits.work(twin.name, guest.client):
            answer = await self._route.handler(guest.question(scope), twin)
            if answer.audited is not None and subject is not None and self._subjects is not None:
                await self._subjects.note_read(subject, twin.name, answer.audited)
            response = await cached_response(scope, twin, answer)
        await response(scope, receive, send)


def _note(role: str, subject: Subject | None) -> None:
    """For the log. Who of the administration asks is noted, by the public part of the token; of councillors and citizens nothing is."""
    seen = visit()
    seen.role = role
    if subject is not None and role.startswith("administration"):
        seen.token = subject.token


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotFound()
