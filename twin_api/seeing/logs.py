"""The log: one JSON object a line on standard output, made of listed fields.

Must never write what is not listed: no address, no query, no value, no error's own text.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Literal, cast

import orjson
import structlog

from twin_api.seeing.outlet import STANDARD
from twin_api.seeing.visit import current

LIBRARIES: Final = Path(__file__).with_name("libraries.json")  # also what `--log-config` of uvicorn is given
Level = Literal["debug", "info", "warning", "error"]
LEVELS: Final[Mapping[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_FORM: Final = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
# what the HTTP server says of a request that the house refuses and logs itself, or answers like any other
_TOLD_TWICE: Final = ("Invalid HTTP request received", "Unsupported upgrade request", "No supported WebSocket library detected")
_SHORT: Final = re.compile(r"[^\x00-\x1f\x7f]{0,300}")
# INVARIANT: what a line may tell. None of these fields holds a word of a client or a value of the store
FIELDS: Final[Mapping[str, type]] = {
    "time": datetime,
    "level": str,
    "event": str,
    "request_id": str,
    "trace_id": str,
    "role": str,  # of a twin that exists
    "route": str,  # the pattern
    "method": str,
    "status": int,
    "bytes": int,
    "ms": float,
    "wait_ms": float,
    "sql_ms": float,
    "token": str,  # the public part, in the administration's twins only
    "problem": str,
    "error": str,  # the type
    "where": str,  # file and line of the program
    "sqlstate": str,
    "logger": str,
    "text": str,  # of the HTTP server, before anything is put in
    "duty": str,
    "count": int,
    "source": str,
    "layer": str,
    "line": int,
    "what": str,  # is wrong with a file of sources
    "last_good": str,
    "reasons": int,
    "read": int,
    "inserted": int,
    "updated": int,
    "unchanged": int,
    "deleted": int,
    "roles": str,  # that a process serves
    "exit_code": int,
}


def configure(level: Level) -> None:
    """Send all that this process logs, libraries' lines too, to standard output."""
    logging.config.dictConfig(json.loads(LIBRARIES.read_text()))
    logging.captureWarnings(True)
    STANDARD.tell_dropped = _dropped
    structlog.configure(
        processors=[_complete, _keep_listed, _as_line],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", STANDARD)),
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _note_crash


def write(line: Mapping[str, Any]) -> None:
    """One line of listed fields."""
    STANDARD.write(orjson.dumps(line, option=_FORM))


def _dropped(count: int) -> bytes:
    return orjson.dumps({"time": datetime.now(UTC), "level": "warning", "event": "log_dropped", "count": count}, option=_FORM)


def _complete(_: Any, level: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    visit = current()
    if visit is not None:
        told["request_id"] = visit.id
    return {"time": datetime.now(UTC), "level": level, **told}


def _keep_listed(_: Any, level: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What is not listed, or holds something else than it should, is left out and counted."""
    known = {name: value for name, value in told.items() if value is not None}
    kept = {name: value for name, value in known.items() if type(value) is FIELDS.get(name) and _is_short(value)}
    return kept if len(kept) == len(known) else kept | {"dropped": len(known) - len(kept)}


def _is_short(value: Any) -> bool:
    return not isinstance(value, str) or _SHORT.fullmatch(value) is not None


def _as_line(_: Any, level: str, told: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(dict(told), option=_FORM)[:-1]  # the logger ends it


def is_told_once(record: logging.LogRecord) -> bool:
    """Whether a library's line says what no line of ours does."""
    return not str(record.msg).startswith(_TOLD_TWICE)


def once() -> Callable[[logging.LogRecord], bool]:
    return is_told_once


class Libraries(logging.Formatter):
    """Lines of libraries in the same form. Of the HTTP server the pattern of its message, of all others who spoke and nothing else."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {"event": "library", "logger": record.name}
        if record.name.startswith("uvicorn"):
            told["text"] = str(record.msg).partition("\n")[0][:100]
        if record.exc_info and record.exc_info[1]:
            told |= fault(record.exc_info[1])
        level = record.levelname.lower()
        return _as_line(None, level, _keep_listed(None, level, _complete(None, level, told))).decode()


def fault(error: BaseException) -> dict[str, str]:
    """Type of an error, and file and line of its innermost frame; never values."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return {"error": type(error).__name__, "where": f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"}


def _note_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The end of a process that nobody expected, without the values in its trace."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger(__name__).error("crashed", **fault(error))
