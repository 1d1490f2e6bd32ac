"""Leaks planted on purpose, by the layer in which they are planted, and the proofs that must find them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from tests.leaks.absent import find_lingering, find_presence, find_withdrawn
from tests.leaks.answers import find_leaks
from tests.leaks.catalogue import find_telling
from tests.leaks.echo import find_echo
from tests.leaks.embargo import find_early
from tests.leaks.grants import find_surplus
from tests.leaks.masks.attack import find_finer
from tests.leaks.masks.targets import MANHOLE_PLACE
from tests.leaks.miscounted import find_miscounted
from tests.leaks.planted import beside, compiler, database, door, process, publishing, surface
from tests.leaks.planted.plant import Planted
from tests.leaks.process import find_keys, find_logged
from tests.leaks.reach import find_reach
from tests.leaks.told import find_in_backup, find_in_doctor, find_in_evidence, find_in_token, find_open_preview
from tests.leaks.truth import find_stale_figures, find_traces, find_untruth
from tests.towns import Town

SHELF: Final = (compiler, publishing, database, door, surface, process, beside)
PLANTED: Final[tuple[Planted, ...]] = tuple(leak for layer in SHELF for leak in layer.PLANTED)
PROOFS: Final[Mapping[str, Callable[[Town, Planted], list[str]]]] = {
    "answers": lambda town, leak: find_leaks(town, [leak.role], at_most=1),
    "grants": lambda town, leak: find_surplus(town),
    "reach": lambda town, leak: find_reach(town, [leak.role], at_most=1),
    "catalogue": lambda town, leak: find_telling(town, leak.role),
    "drift": lambda town, leak: find_untruth(town, seed=7, rounds=4),
    "traces": lambda town, leak: find_traces(town),
    "figures": lambda town, leak: find_stale_figures(town),
    "absent": lambda town, leak: find_presence(town, [leak.role], at_most=1),
    "echo": lambda town, leak: find_echo(town),
    "gone at once": lambda town, leak: find_lingering(town),
    "withdrawn": lambda town, leak: find_withdrawn(town),
    "masks": lambda town, leak: find_finer(town, MANHOLE_PLACE),
    "process": lambda town, leak: find_keys(town, leak.prelude),
    "logs": lambda town, leak: find_logged(town),
    "backup": lambda town, leak: find_in_backup(town),
    "evidence": lambda town, leak: find_in_evidence(town),
    "doctor": lambda town, leak: find_in_doctor(town),
    "token": lambda town, leak: find_in_token(town),
    "preview": lambda town, leak: find_open_preview(town),
    "counted": lambda town, leak: find_miscounted(town, seed=7, rounds=12),
    "embargo": lambda town, leak: find_early(town),
}
# channels that are there and in which no leak is planted here
UNPLANTED: Final[Mapping[int, str]] = {
    15: "a matter of policies alone, which are refused before there is a town: wrong ones are planted in tests/policy/bad_containment and test_lint.py",
}
CAUGHT: Final[dict[str, list[str]]] = {}  # by planted leak: the proofs that found it, filled by the tests
TENTHS: Final = 10


def todays_tenth(day: date | None = None) -> tuple[Planted, ...]:
    """What a run that has no time for all plants: another tenth each day, over all layers."""
    return PLANTED[(day or datetime.now(UTC).date()).timetuple().tm_yday % TENTHS :: TENTHS]
