"""Whether this process can serve, asked by whatever stands in front of it.

Must never say why not: that stands in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Final

import structlog

from twin_api.identity.subject import schema_of
from twin_api.seeing.logs import fault
from twin_api.store.engine import Pool, Server
from twin_api.store.twin import Twin

ANSWER_S: Final = 1.0
_FRESH_S: Final = 0.5  # whoever asks more often gets the last answer
_log = structlog.get_logger(__name__)


class Readiness:
    """Connections of its own, so that a server that is merely busy is ready. `logins` besides the roles', with a statement of each."""

    def __init__(self, server: Server, roles: Sequence[str], logins: Mapping[str, str]) -> None:
        self._pools = {name: Pool(server, name, 1, ANSWER_S) for name in (*map(schema_of, roles), *logins)}
        self._twins = [Twin(role, self._pools[schema_of(role)]) for role in roles]
        self._others = [(self._pools[login], statement) for login, statement in logins.items()]
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._is_ready = False

    async def is_ready(self) -> bool:
        """Whether every role's secret is here and the store answers each within a second, in the form that this program reads."""
        async with self._lock:
            if monotonic() - self._asked_at > _FRESH_S:
                self._is_ready = await self._look()
                self._asked_at = monotonic()
        return self._is_ready

    async def _look(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                # naming every column that is read of it shows that the schema is of this program's version
                await asyncio.gather(*(twin.collections() for twin in self._twins), *(pool.row(ask, {}) for pool, ask in self._others))
        except Exception as error:  # whatever it is, this server is not ready
            _log.warning("not_ready", **fault(error))
            return False
        return True

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()
