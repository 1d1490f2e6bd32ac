"""Every hostile file is refused with a reason, or holds exactly what it says; nothing else happens."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.imports.hostile import archives, binaries, geojson, geopackage, names, openstreetmap, tables, xml
from tests.imports.hostile.case import Case
from tests.imports.hostile.child import read_alone
from tests.imports.things import Database, asked
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

SHELVES = (archives, binaries, geojson, geopackage, names, openstreetmap, tables, xml)
CASES: list[Case] = [case for shelf in SHELVES for case in shelf.CASES]
WHOLE = [case for case in CASES if case.fatal or sum(map(ord, case.name)) % 10 == 0]
MEMORY_MB = 1_500
NewLayer = Callable[..., Layer]


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """One for the file and one for the reader, both gone afterwards: some files are large."""
    inbox, scratch = tmp_path / "inbox", tmp_path / "scratch"
    inbox.mkdir()
    scratch.mkdir()
    yield inbox, scratch
    inbox.chmod(0o700)
    shutil.rmtree(tmp_path)


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 250
    assert all(case.expected != "" for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hostile_file_does_no_harm(case: Case, new_layer: NewLayer, spy: socket.socket, folders: tuple[Path, Path]) -> None:
    inbox, scratch = folders
    file = case.place(inbox, f"127.0.0.1:{spy.getsockname()[1]}")
    before = listing(inbox)
    ending = read_alone(case, file, new_layer(type_=case.type), scratch)
    assert listing(inbox) == before, "something was written beside the file"
    assert not called(spy), "somebody called"
    if case.fatal:
        assert ending.died is not None, "no longer fatal: say so in its case"
        return
    assert ending.died is None, f"the process ended with {ending.died}"
    assert ending.memory_mb < MEMORY_MB
    if isinstance(case.expected, int):
        assert ending.found == ()
    else:
        assert any(case.expected in found for found in ending.found), ending
        assert all(found.partition(" | ")[2] for found in ending.found)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=[] if case in WHOLE else pytest.mark.long) for case in CASES])
def test_the_store_takes_what_a_hostile_file_says_or_stays_as_it_was(
    case: Case, store: Database, new_layer: NewLayer, folders: tuple[Path, Path]
) -> None:
    layer = new_layer(type_=case.type)
    with store.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS store.thing")
    store.create(layer)
    request = asked(case.place(folders[0], "127.0.0.1:99999"), columns={case.key: "nr"}, source_layer=case.source_layer)
    if isinstance(case.expected, int):
        assert run_import(request, layer, store.connect).inserted == case.expected
    else:
        with pytest.raises(FileRefused, match="." if case.fatal else None):
            run_import(request, layer, store.connect)
    assert store.value("SELECT count(*) FROM store.thing") == (case.expected if isinstance(case.expected, int) else 0)


def listing(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def called(spy: socket.socket) -> bool:
    """Whether anybody called since the last time; all calls are taken, so that the next file is not blamed for them."""
    calls = 0
    while True:
        try:
            spy.accept()[0].close()
        except BlockingIOError:
            return calls > 0
        calls += 1
