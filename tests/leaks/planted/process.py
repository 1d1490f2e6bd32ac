"""Leaks of the process that listens: what it holds, writes into its log, and counts."""

from __future__ import annotations

from typing import Final

from tests.leaks.planted.plant import Planted, inside

_HANDED: Final = """
import importlib
serve = importlib.import_module("twin_api.cli.serve")
hand = serve.hand_secrets
serve.hand_secrets = lambda names, folder: hand([*names, "council"], folder)
"""
_INHERITED: Final = """
import os
execute, word = os.execve, os.environ["TWIN_DATABASE_URL"]
os.execve = lambda program, words, environment: execute(program, words, {**environment, "DATABASE_URL": word})
"""
_WHOLE_FOLDER: Final = """
import os
execute, folder = os.execve, os.environ["TWIN_SECRETS"]
os.execve = lambda program, words, environment: execute(program, words, {**environment, "TWIN_SECRETS": folder})
"""
_AT_EVERY_REQUEST: Final = """
import twin_api.door.door as door
check = door.check_size
def told(scope):
    address = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
    """
_LOGGED: Final = _AT_EVERY_REQUEST + "print(address, flush=True); check(scope)\ndoor.check_size = told\n"
_COUNTED: Final = (
    "from prometheus_client import Counter\nfrom twin_api.seeing.metrics import REGISTRY\n"
    "ASKED = Counter('twin_asked', 'Requests by address', ('address',), registry=REGISTRY)\n"
    + _AT_EVERY_REQUEST
    + "ASKED.labels(address).inc(); check(scope)\ndoor.check_size = told\n"
)

PLANTED: Final = tuple(
    Planted(name, channel, ("process",), prelude=prelude, served=True)
    for name, channel, prelude in (
        ("another role's secret handed to the citizens' process", 50, _HANDED),
        ("the folder of all secrets handed to the citizens' process", 50, _WHOLE_FOLDER),
        ("the administrator's address left in the environment", 50, _INHERITED),
        ("addresses with what is asked in the log", 39, inside(_LOGGED)),
        ("addresses with what is asked in the metrics", 38, inside(_COUNTED)),
    )
)
