"""One request as the operator may know it: what the log line and the metrics are made of, and nothing else is."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

NONE: Final = "-"
QUIET: Final = ("/healthz", "/readyz")  # asked every few seconds by machines: neither counted nor, by default, logged


@dataclass(slots=True)
class Visit:
    """Filled in while the request is answered. `role` and `route` are words of the house: a role that exists, a route's pattern."""

    id: str
    method: str = NONE
    role: str = NONE
    route: str = NONE
    token: str = ""  # its public part
    trace: str = ""  # of the proxy in front of us
    status: int = 0
    octets: int = 0
    problem: str = ""
    waited_s: float = 0.0  # for a connection
    sql_s: float = 0.0


_VISIT: Final[ContextVar[Visit | None]] = ContextVar("visit", default=None)
enter = _VISIT.set
leave = _VISIT.reset
current = _VISIT.get


def visit() -> Visit:
    """The request that is being answered; outside of one, a sheet that nobody reads."""
    return _VISIT.get() or Visit("")
