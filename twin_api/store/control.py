"""Identity's SQL: tokens by their public part. Logged in as `<database>_control`, which sees nothing of any twin.

Must never answer from memory for longer than `FRESH_S`: a revocation holds in every process within two seconds.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from twin_api.identity.subject import Subject
from twin_api.identity.tokens import Token, make_token
from twin_api.problems import Problem, Unexpected, VersionsDiffer
from twin_api.store.engine import Pool, SchemaMoved
from twin_api.store.twin import compile_statement

FRESH_S: Final = 1.0
_REMEMBERED: Final = 10_000
NOTED_S: Final = 60.0

TOKENS: Final = sa.Table(
    "token",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("secret", sa.LargeBinary),
    sa.Column("roles", ARRAY(sa.Text)),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.Column("last_used_at", sa.DateTime(timezone=True)),
    schema="control",
)

_IS_ASKED: Final = TOKENS.c.id == sa.bindparam("id", type_=sa.Text())
_IS_IN_FORCE: Final = sa.and_(TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > sa.func.now())
_VALID: Final = sa.and_(_IS_ASKED, _IS_IN_FORCE)
_FIND: Final = compile_statement(sa.select(TOKENS.c.secret, TOKENS.c.roles).where(_VALID))
_IS_ONE_OF: Final = TOKENS.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Text)))
_FIND_ALL: Final = compile_statement(sa.select(TOKENS.c.id, TOKENS.c.secret, TOKENS.c.roles).where(_IS_ONE_OF, _IS_IN_FORCE))
# fails where this program cannot read tokens
IN_FORM: Final = compile_statement(sa.select(TOKENS.c.secret, TOKENS.c.roles).where(sa.false()))
_MINUTE: Final[sa.ColumnElement[timedelta]] = sa.literal_column("interval '1 minute'")
_NOTE: Final = "INSERT INTO control.audit (action, what) VALUES ('read', %(what)s::jsonb) RETURNING 1"
_USED: Final = compile_statement(
    sa.update(TOKENS)
    .where(_VALID, sa.or_(TOKENS.c.last_used_at.is_(None), TOKENS.c.last_used_at < sa.func.now() - _MINUTE))
    .values(last_used_at=sa.func.now())
    .returning(TOKENS.c.id)
)


class Tokens:
    """Tokens of this moment, for a server."""

    def __init__(self, pool: Pool, pepper: str) -> None:
        self._pool = pool
        self._pepper = pepper
        self._seen: dict[str, tuple[float, bytes, Subject]] = {}
        self._used: set[str] = set()
        self._strangers: dict[str, asyncio.Future[bool | Problem]] = {}
        self._meeting: asyncio.Task[None] | None = None
        self._noting: set[asyncio.Task[None]] = set()
        self._noted: dict[tuple[str, str, str], float] = {}

    def knows(self, token: Token) -> bool:
        """Whether the token was used here and valid then, however long ago; says nothing of now.

        INVARIANT: to be remembered is not to be known: whoever guesses at a name makes it remembered.
        """
        seen = self._seen.get(token.id)
        return token.id in self._used and seen is not None and hmac.compare_digest(seen[1], token.hash(self._pepper))

    async def is_named(self, token: Token) -> bool:
        """Whether there is a valid token of this name, whatever its secret.

        Looked up together with all others who ask meanwhile, one statement at a time: however many ask, the store hears little of it.
        """
        if token.id not in self._strangers:
            self._strangers[token.id] = asyncio.get_running_loop().create_future()
        stranger = self._strangers[token.id]
        if self._meeting is None or self._meeting.done():
            self._meeting = asyncio.create_task(self._meet_strangers())
        found = await asyncio.shield(stranger)
        if isinstance(found, Problem):
            raise found
        return found

    async def _meet_strangers(self) -> None:
        """INVARIANT: whoever waits is answered, whatever goes wrong."""
        while self._strangers:
            waiting, self._strangers = self._strangers, {}
            found: dict[str, bool] = {}
            outcome: bool | Problem = Unexpected()
            try:
                asked_at = time.monotonic()
                for id, secret, roles in await self._ask(_FIND_ALL, {"ids": list(waiting)}):
                    found[id.decode()] = bool(self._remember(id.decode(), asked_at, secret, roles))
                outcome = False
            except Problem as problem:
                outcome = problem
            finally:
                for id, stranger in waiting.items():
                    stranger.set_result(found.get(id, outcome))

    async def subject(self, token: Token) -> Subject | None:
        """Whom a token stands for; None if it is unknown, revoked or expired."""
        hashed = token.hash(self._pepper)
        seen = self._seen.get(token.id)
        known = seen is not None and time.monotonic() - seen[0] <= FRESH_S
        if not known:
            seen = await self._look_up(token.id)
        if seen is None or not hmac.compare_digest(seen[1], hashed):
            return None
        if not known or token.id not in self._used:
            self._note_use(token.id)
        self._used.add(token.id)
        return seen[2]

    async def _look_up(self, id: str) -> tuple[float, bytes, Subject] | None:
        asked_at = time.monotonic()
        row = next(iter(await self._ask(_FIND, {"id": id})), None)
        if row is None:
            self._seen.pop(id, None)
            self._used.discard(id)
            return None
        return self._remember(id, asked_at, *row)

    def _remember(self, id: str, asked_at: float, secret: bytes, roles: Sequence[bytes]) -> tuple[float, bytes, Subject]:
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
            self._used.clear()
        self._seen[id] = (asked_at, bytes(secret), Subject(id, tuple(role.decode() for role in roles)))
        return self._seen[id]

    async def note_read(self, subject: Subject, role: str, collection: str) -> None:
        """A line for each token, role and collection at most once a minute and process, written before the answer goes out."""
        key = (subject.token, role, collection)
        if time.monotonic() - self._noted.get(key, -NOTED_S) < NOTED_S:
            return
        what = orjson.dumps({"token": subject.token, "role": role, "collection": collection}).decode()
        await self._ask(_NOTE, {"what": what})
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted[key] = time.monotonic()

    def _note_use(self, id: str) -> None:
        """At most one write a minute and token, and no request waits for it."""
        task = asyncio.create_task(self._write_use(id))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _write_use(self, id: str) -> None:
        with suppress(Problem):  # a busy store forgets a use, the request goes on
            await self._ask(_USED, {"id": id})

    async def _ask(self, sql: str, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        try:
            return await self._pool.rows(sql, values)
        except SchemaMoved:
            raise VersionsDiffer() from None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as an administrator sees it in a list."""

    id: str
    name: str
    roles: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class TokenUnknown(LookupError):
    """No token has this public part or name."""


def create_token(connection: psycopg.Connection[Any], pepper: str, name: str, roles: Sequence[str], lasts: timedelta) -> Token:
    """A new token, kept as a hash; its text can be had from the answer and never again. Connection of the owner."""
    token = make_token()
    connection.execute(
        "INSERT INTO control.token (id, name, secret, roles, expires_at) VALUES (%s, %s, %s, %s, now() + %s)",
        [token.id, name, token.hash(pepper), list(roles), lasts],
    )
    return token


def list_tokens(connection: psycopg.Connection[Any]) -> list[TokenRow]:
    query = "SELECT id, name, roles, created_at, expires_at, revoked_at, last_used_at FROM control.token ORDER BY created_at, id"
    return [TokenRow(id, name, tuple(roles), *times) for id, name, roles, *times in connection.execute(query).fetchall()]


def revoke_tokens(connection: psycopg.Connection[Any], name_or_id: str) -> list[str]:
    """End every valid token with this public part or name; raises `TokenUnknown` if there never was one."""
    known = "SELECT 1 FROM control.token WHERE %s IN (id, name)"
    if connection.execute(known, [name_or_id]).fetchone() is None:
        raise TokenUnknown(name_or_id)
    revoke = "UPDATE control.token SET revoked_at = now() WHERE %s IN (id, name) AND revoked_at IS NULL RETURNING id"
    return [id for (id,) in connection.execute(revoke, [name_or_id]).fetchall()]
