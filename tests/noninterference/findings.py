"""What was found, as a file: all that was written and asked since the towns were founded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson

from tests.noninterference.asking import Answer, Request
from tests.noninterference.towns import Pair, Side

KEPT: Final = Path(__file__).parents[2] / ".twin" / "ni"


def save(pair: Pair, role: str, seed: int, request: Request, answers: tuple[Answer, Answer], differences: list[str]) -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    file = KEPT / f"{role.replace('/', '_')}-{seed}-{len(pair.journal)}.json"
    told: dict[str, Any] = {
        "role": role,
        "seed": seed,
        "differences": differences,
        "request": request.as_json(),
        "answers": [{"status": a.status, "headers": repr(a.headers), "body": a.decoded.decode("utf-8", "replace")} for a in answers],
        "steps": pair.journal,
    }
    file.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    return file


def redo(pair: Pair, steps: list[Any]) -> tuple[Answer, Answer] | None:
    """Write and ask the same once more; the answers to the last request."""
    sides: dict[str, Side] = {side.name: side for side in pair.sides}
    answers = None
    for step in steps:
        if step[0] == "ask":
            answers = pair.ask(Request.from_json(step[1]))
        else:
            sides[step[0]].redo(step)
    return answers
