"""The application: the only place where the parts meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import structlog
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twin_api.block import Block
from twin_api.blocks import collections, features, filtering, landing, schemas
from twin_api.door import memory
from twin_api.door.door import Door
from twin_api.door.draining import Draining
from twin_api.door.front import Front, Note, log_visits
from twin_api.door.headers import METHODS, manners, preview_manners
from twin_api.door.health import Readiness
from twin_api.door.place import family_in, home_of, path_in
from twin_api.door.porch import Porch
from twin_api.door.proxy import BehindProxies, Proxies
from twin_api.door.refusing import refuse
from twin_api.identity.subject import CITIZEN, FAMILIES, schema_of
from twin_api.problems import MethodNotAllowed, NotFound, Problem
from twin_api.query.ask import unknown
from twin_api.seeing import logs
from twin_api.seeing.outlet import STANDARD
from twin_api.seeing.visit import visit
from twin_api.settings import Settings
from twin_api.store.control import IN_FORM, Tokens
from twin_api.store.engine import Pool, Server
from twin_api.store.secrets import Secrets
from twin_api.store.twin import Twin

Answering = Callable[[Request], Awaitable[Response]]

_LOOK_S: Final = 0.1  # between two looks whether the secret of a role is still there; its login has ended by itself
# hot rooms first: routes are tried in this order
BLOCKS: Final[tuple[Block, ...]] = (features.BLOCK, collections.BLOCK, filtering.BLOCK, schemas.BLOCK, landing.BLOCK)


class Twins:
    """The windows of this process: one per role whose secret it holds, opened when first asked for."""

    def __init__(self, server: Server, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._served = None if settings.roles == "all" else frozenset(schema_of(r.strip()) for r in settings.roles.split(","))
        self._open: dict[str, tuple[Twin, Pool]] = {}
        self._looked: dict[str, float] = {}

    @property
    def serves_citizens_only(self) -> bool:
        return self._served == frozenset({CITIZEN})

    def open(self, role: str) -> Twin | None:
        """The window of a role, None where there is no such role here. Roles come and go: secrets are looked for again and again."""
        now = monotonic()
        if now - self._looked.get(role, -_LOOK_S) < _LOOK_S:
            return self._open[role][0]
        schema = schema_of(role)
        if (self._served is not None and schema not in self._served) or not self._server.secrets.has(schema):
            self._looked.pop(role, None)
            return None
        if role not in self._open:
            pool = Pool(self._server, schema, self._settings.pool_size, self._settings.pool_wait_s)
            self._open[role] = Twin(role, pool), pool
        self._looked[role] = now
        return self._open[role][0]

    @property
    def named(self) -> tuple[str, ...]:
        """The roles that this process must serve; where it serves whatever comes, the citizen at least."""
        return (CITIZEN,) if self._served is None else tuple(role.strip() for role in self._settings.roles.split(","))

    def pools(self) -> list[Pool]:
        return [pool for _, pool in self._open.values()]

    async def close(self) -> None:
        for _, pool in self._open.values():
            await pool.close()


@dataclass(frozen=True, slots=True)
class Watch:
    """What is told of each request, of the pools once a second, and at the end."""

    notes: tuple[Note, ...] = ()
    see_pools: Callable[[Sequence[Pool]], None] | None = None
    end: Callable[[], object] = lambda: None


class House(FastAPI):
    """FastAPI, entered by a way of our own: a twin's paths go through `entrance` to the door, past what FastAPI does for its own.

    Whatever goes wrong behind the entrance is answered there.
    """

    entrance: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.entrance if scope["type"] == "http" else super().__call__)(scope, receive, send)

    def inside(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """What belongs to no twin."""
        return super().__call__(scope, receive, send)


class Straight:
    """A twin's paths to the door, all others to the house."""

    def __init__(self, door: ASGIApp, house: ASGIApp) -> None:
        self._door, self._house = door, house

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (self._door if family_in(scope) in FAMILIES else self._house)(scope, receive, send)


def create_app(settings: Settings, watch: Watch = Watch()) -> FastAPI:  # frozen
    """The whole server for the roles in `settings.roles`. Opens nothing until the first request."""
    server = Server(settings.server_address, Secrets(settings.secrets_folder))
    twins = Twins(server, settings)
    control = None if twins.serves_citizens_only else Pool(server, "control", 2, settings.pool_wait_s)
    draining = Draining()
    subjects = Tokens(control, server.secrets.read("pepper")) if control else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        with draining.upon_sigterm(settings.drain_s):
            async with _sampled(watch, lambda: [*twins.pools(), *([control] if control else [])]):
                yield {"connections": settings.connections, "lang": settings.lang}
        await readiness.close()
        await twins.close()
        if control:
            await control.close()
        watch.end()

    readiness = Readiness(server, twins.named, {"control": IN_FORM} if control else {})
    app = House(title="Twin API", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)

    _add_own_addresses(app, twins.named[0], readiness, draining, settings)
    app.router.default = door = Door(BLOCKS, twins.open, subjects, settings)
    by_https = settings.base_url.startswith("https://")
    porch = Porch(Straight(door, app.inside), lambda secure: manners(settings.council_origins_listed, secure=secure or by_https))
    proxies = BehindProxies(porch, Proxies(settings.trusted_proxies, settings.proxy_headers))
    app.entrance = Front(proxies, watch.notes, settings.lang, base_url=settings.base_url, traced=settings.traced)
    return app


def create_preview(server: Server, role: str, schema: str, settings: Settings) -> FastAPI:
    """One role's twin from the schema of a preview. Nobody is asked for a token: it must listen on this machine alone.

    It answers to this machine's own names only: a page in a browser here must not read it through a name that leads here.
    """
    pool = Pool(server, schema, 4, 2.0)
    twin = Twin(role, pool, schema)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await pool.close()

    app = FastAPI(title="Twin API preview", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    app.router.default = Door(
        BLOCKS, lambda name: twin if name == role else None, None, settings.model_copy(update={"base_url": ""}), unguarded=True
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    app.add_middleware(Porch, manners=lambda _: preview_manners())
    return app


def _add_own_addresses(app: FastAPI, first: str, readiness: Readiness, draining: Draining, settings: Settings) -> None:
    """What belongs to no role: the bare address, and whether the server is alive and ready."""

    async def refuse_this(request: Request, error: Exception) -> Response:
        problem = error if isinstance(error, Problem) else MethodNotAllowed(headers={"Allow": METHODS})
        return refuse(problem, request.scope, settings.lang, f"{home_of(request.scope, settings.base_url)}/")

    async def get_start(request: Request) -> Response:
        for name in request.query_params:
            raise unknown(name, ())
        return RedirectResponse(f"{home_of(request.scope, settings.base_url)}/{first}", status_code=302)

    async def get_health(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def get_readiness(request: Request) -> Response:
        if draining.has_begun or not await readiness.is_ready():
            return PlainTextResponse("not ready\n", status_code=503)
        return PlainTextResponse("ready\n")

    for path, answer in (("/", get_start), ("/healthz", get_health), ("/readyz", get_readiness)):
        app.add_route(path, _exactly_at(path, answer), methods=["GET", "HEAD"], include_in_schema=False)
    for ended in (Problem, 405):
        app.add_exception_handler(ended, refuse_this)


def _exactly_at(path: str, answer: Answering) -> Answering:
    """A route's pattern takes an encoded line end for the end of an address, which would pass by what a proxy keeps to itself."""

    async def endpoint(request: Request) -> Response:
        if path_in(request.scope) != path:
            raise NotFound()
        visit().route = path
        return await answer(request)

    return endpoint


@asynccontextmanager
async def _sampled(watch: Watch, pools: Callable[[], Sequence[Pool]]) -> AsyncIterator[None]:
    async def look(see: Callable[[Sequence[Pool]], None]) -> None:
        while True:
            see(pools())
            await asyncio.sleep(1)

    task = asyncio.create_task(look(watch.see_pools)) if watch.see_pools else None
    try:
        yield
    finally:
        if task:
            task.cancel()


def create_served_app() -> FastAPI:
    """For a server's workers: the settings of this process's environment, a log, and metrics where they are wanted."""
    settings = Settings()
    logs.configure(settings.log_level)
    structlog.get_logger(__name__).info("serving", roles=settings.roles)
    app = create_app(settings, _watch(settings))
    memory.settle()
    return app


def _watch(settings: Settings) -> Watch:
    log = log_visits(settings.log_level)
    if not settings.metrics_port:
        return Watch((log,), end=STANDARD.drain)
    from twin_api.seeing import metrics  # on import, Prometheus' library decides whether processes share what they count
    from twin_api.seeing.listener import listen

    listen(settings.metrics_host, settings.metrics_port, metrics.registry_of(settings.metrics_folder))
    STANDARD.on_drop = metrics.DROPPED.inc
    return Watch((log, metrics.count), metrics.see_pools, STANDARD.drain)
