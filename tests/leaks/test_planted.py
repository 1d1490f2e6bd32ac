"""Every planted leak is found by every proof that promises it. A run that has no time for all takes another tenth each day."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.leaks import planted
from tests.leaks.grants import find_surplus
from tests.leaks.miscounted import LANGUAGE
from tests.leaks.planted import CAUGHT, PLANTED, PROOFS, SHELF, TENTHS, todays_tenth
from tests.leaks.planted.plant import Planted
from tests.scanning import sizes, veil
from tests.towns import Town
from twin_api.query import page

MARKS = () if os.environ.get("TWIN_ALL_LEAKS") else (pytest.mark.long,)
TODAY = todays_tenth()


@pytest.fixture(scope="module")
def shared(new_town: Callable[..., Town]) -> Iterator[Town]:
    """For leaks that leave nothing behind; that nothing was left is looked at."""
    town = new_town()
    yield town
    assert find_surplus(town) == []


@pytest.fixture
def _texts_forgotten() -> Iterator[None]:
    """SQL texts are remembered in the process; a patched one must not outlive its test."""
    page._compile.cache_clear()
    page._compile_own.cache_clear()
    yield
    page._compile.cache_clear()
    page._compile_own.cache_clear()


@pytest.mark.parametrize("leak", [pytest.param(leak, id=leak.name, marks=() if leak in TODAY else MARKS) for leak in PLANTED])
@pytest.mark.usefixtures("_texts_forgotten")
def test_a_planted_leak_is_found(
    leak: Planted, new_town: Callable[..., Town], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    record_property("planted", 1)
    if leak.before:
        leak.before(monkeypatch)
    town = _town(leak, new_town, request)
    logs = town.cluster.data / "log"
    begun = sizes(logs)
    town.close_server()  # patches are for the server that starts now
    leak.after(town, monkeypatch)
    try:
        found = {proof: PROOFS[proof](town, leak) for proof in leak.proofs}
    finally:
        town.close_server()
        if leak.undo:
            leak.undo(town, monkeypatch)
        veil(logs, begun if "logs" in leak.proofs else sizes(logs))
        shutil.rmtree(town.folder / "home", ignore_errors=True)
    print(*(f"{leak.name}: {proof}: {findings[0]}" for proof, findings in found.items() if findings), sep="\n")
    CAUGHT[leak.name] = [proof for proof, findings in found.items() if findings]
    assert CAUGHT[leak.name] == list(leak.proofs)


def _town(leak: Planted, new_town: Callable[..., Town], request: pytest.FixtureRequest) -> Town:
    if leak.has_every_word:
        return new_town(LANGUAGE, rows=False)
    return request.getfixturevalue("shared") if leak.shares_a_town else new_town()  # type: ignore[no-any-return]


def test_sixty_leaks_or_more_are_planted_and_ten_days_plant_them_all() -> None:
    assert len({leak.name for leak in PLANTED}) == len(PLANTED) >= 60
    days = [PLANTED[tenth::TENTHS] for tenth in range(TENTHS)]
    assert sorted(leak.name for leak in chain(*days)) == sorted(leak.name for leak in PLANTED)


def test_every_layer_of_leaks_is_on_the_shelf() -> None:
    files = {path.stem for path in Path(planted.__file__).parent.glob("*.py")} - {"__init__", "plant"}
    assert files == {layer.__name__.rpartition(".")[2] for layer in SHELF}
