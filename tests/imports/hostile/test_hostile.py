"""Every hostile file is refused with a reason, or imported with exactly what it says; nothing else happens."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imports.hostile import archives, geojson, geopackage, names, openstreetmap, xml
from tests.imports.hostile.case import Case
from tests.imports.hostile.child import try_import
from tests.imports.things import Database
from twin_api.policy.documents import Layer

SHELVES = (archives, geojson, geopackage, names, openstreetmap, xml)
CASES: list[Case] = [case for shelf in SHELVES for case in shelf.CASES]
MEMORY_MB = 1_500


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hostile_file_does_no_harm(
    case: Case, store: Database, new_layer: Callable[..., Layer], spy: socket.socket, tmp_path: Path
) -> None:
    layer = new_layer(type_=case.type)
    with store.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS store.thing")
    store.create(layer)
    inbox, scratch = tmp_path / "inbox", tmp_path / "scratch"
    inbox.mkdir()
    scratch.mkdir()
    file = case.place(inbox, f"127.0.0.1:{spy.getsockname()[1]}")
    before = listing(inbox)
    ending = try_import(case, file, layer, store.conninfo, scratch)
    after = listing(inbox)
    shutil.rmtree(tmp_path)
    assert ending.died is None, f"the process ended with {ending.died}"
    if isinstance(case.expected, int):
        assert (ending.found, ending.read) == ((), case.expected)
    else:
        assert any(case.expected in found for found in ending.found), ending
        assert all(found.partition(" | ")[2] for found in ending.found)
    assert store.value("SELECT count(*) FROM store.thing") == (ending.read or 0)
    assert after == before, "something was written beside the file"
    assert ending.memory_mb < MEMORY_MB
    with pytest.raises(BlockingIOError):
        spy.accept()


def listing(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))
