"""The application: the only place where the parts meet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from twin_api.block import Block
from twin_api.blocks import collections, features, landing
from twin_api.door.door import Door
from twin_api.door.draining import Draining
from twin_api.door.headers import METHODS, manners, preview_manners
from twin_api.door.porch import Porch
from twin_api.door.proxy import BehindProxies, Proxies
from twin_api.door.refusing import refuse
from twin_api.identity.subject import CITIZEN, schema_of
from twin_api.problems import DatabaseAway, MethodNotAllowed, NotFound, Problem
from twin_api.settings import Settings
from twin_api.store.control import Tokens
from twin_api.store.engine import Pool, Server
from twin_api.store.secrets import Secrets
from twin_api.store.twin import Twin

# hot rooms first: routes are tried in this order
BLOCKS: Final[tuple[Block, ...]] = (features.BLOCK, collections.BLOCK, landing.BLOCK)


class Twins:
    """The windows of this process: one per role whose secret it holds, opened when first asked for."""

    def __init__(self, server: Server, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._served = None if settings.roles == "all" else frozenset(schema_of(r.strip()) for r in settings.roles.split(","))
        self._open: dict[str, tuple[Twin, Pool]] = {}

    @property
    def first(self) -> str:
        """A role that is served here, to ask whether the store answers."""
        return CITIZEN if self._served is None else self._settings.roles.partition(",")[0].strip()

    @property
    def serves_citizens_only(self) -> bool:
        return self._served == frozenset({CITIZEN})

    def open(self, role: str) -> Twin | None:
        """The window of a role, None where there is no such role here. Secrets are looked up again each time: roles come and go."""
        schema = schema_of(role)
        if (self._served is not None and schema not in self._served) or not self._server.secrets.has(schema):
            return None
        if role not in self._open:
            pool = Pool(self._server, schema, self._settings.pool_size, self._settings.pool_wait_s)
            self._open[role] = Twin(role, pool), pool
        return self._open[role][0]

    async def close(self) -> None:
        for _, pool in self._open.values():
            await pool.close()


def create_app(settings: Settings) -> FastAPI:
    """The whole server for the roles in `settings.roles`. Opens nothing until the first request."""
    server = Server(settings.server_address, Secrets(settings.secrets_folder))
    twins = Twins(server, settings)
    control = None if twins.serves_citizens_only else Pool(server, "control", 2, settings.pool_wait_s)
    draining = Draining()
    subjects = Tokens(control, server.secrets.read("pepper")) if control else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        with draining.upon_sigterm(settings.drain_s):
            yield {"connections": settings.connections, "lang": settings.lang}
        await twins.close()
        if control:
            await control.close()

    app = FastAPI(title="Twin API", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)

    _add_own_addresses(app, twins, draining, settings)
    app.router.default = Door(BLOCKS, twins.open, subjects, settings)
    by_https = settings.base_url.startswith("https://")
    app.add_middleware(Porch, manners=lambda secure: manners(settings.council_origins_listed, secure=secure or by_https))
    app.add_middleware(BehindProxies, proxies=Proxies(settings.trusted_proxies, settings.proxy_headers))  # added last: the first to see it
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

    app = FastAPI(title="Twin API preview", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.router.default = Door(
        BLOCKS, lambda name: twin if name == role else None, None, settings.model_copy(update={"base_url": ""}), unguarded=True
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    app.add_middleware(Porch, manners=lambda _: preview_manners())
    return app


def _add_own_addresses(app: FastAPI, twins: Twins, draining: Draining, settings: Settings) -> None:
    """What belongs to no role: the bare address, and whether the server is alive and ready."""
    base = settings.base_url.rstrip("/")

    def refused(request: Request, problem: Problem) -> Response:
        return refuse(problem, request.scope, settings.lang, f"{base or request.scope.get('root_path', '')}/")

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def get_start(request: Request) -> Response:
        if request.scope["path"] != "/":  # a route's pattern takes an encoded line end for the end
            return refused(request, NotFound())
        return RedirectResponse(f"{base}/{twins.first}", status_code=302)

    @app.exception_handler(405)
    async def refuse_method(request: Request, error: Exception) -> Response:
        return refused(request, MethodNotAllowed(headers={"Allow": METHODS}))

    @app.api_route("/healthz", methods=["GET", "HEAD"], include_in_schema=False)
    async def get_health() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.api_route("/readyz", methods=["GET", "HEAD"], include_in_schema=False)
    async def get_readiness() -> PlainTextResponse:
        twin = twins.open(twins.first)
        try:
            if twin is None or draining.has_begun:
                raise DatabaseAway()
            await twin.collections()
        except Exception:  # whatever it is, this server is not ready
            return PlainTextResponse("not ready\n", status_code=503)
        return PlainTextResponse("ready\n")


def create_served_app() -> FastAPI:
    """For a server's workers: the settings of this process's environment."""
    return create_app(Settings())
