"""The scan at the end of a run finds what was left behind, and only that."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import zstandard

from tests import unpacking
from tests.scanning import find_canaries, sizes, veil
from tests.unpacking import unpacked


def test_a_hidden_value_in_a_log_or_a_file_is_found_with_its_place(tmp_path: Path) -> None:
    logs, files = tmp_path / "log", tmp_path / "files"
    for folder in (logs, files / "rows"):
        folder.mkdir(parents=True)
    old = "CANARY-" + "pate-1\n"  # in two parts, or this file's own compiled form would be one
    (logs / "server.log").write_text(old)
    (files / "rows" / "store.baeume").write_text(old)
    (files / "import.geojson").write_text("CANARY-" + "baum-1")
    begun = sizes(logs)
    assert find_canaries(logs, begun, files) == []
    with (logs / "server.log").open("a") as log:
        log.write("said: CANARY-" + "vermerk-7")
    (files / "answer.json").write_text('{"x": "CANARY-' + 'schacht-3"}')
    found = find_canaries(logs, begun, files)
    assert [line.rpartition("/")[2] for line in found] == ["server.log: CANARY-vermerk-7", "answer.json: CANARY-schacht-3"]
    veil(logs, {})
    assert find_canaries(logs, {}, tmp_path / "nothing") == []
    shutil.rmtree(files)  # at the end of this run, too, all files are looked at


def _zipped(content: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", content)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bz2.compress, lzma.compress, _zipped], ids=lambda pack: pack.__name__)
def test_a_hidden_value_is_found_however_it_is_packed(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    hidden = b"CANARY-" + b"pate-3"
    (tmp_path / "once").write_bytes(pack(hidden * 50))
    (tmp_path / "twice").write_bytes(_zipped(pack(hidden)))
    (tmp_path / "followed").write_bytes(pack(b"nothing") + (pack(hidden) if pack is not _zipped else b""))
    (tmp_path / "unhidden").write_bytes(pack(b"CANARY-" + b"baum-1"))
    found = [line.rpartition("/")[2].partition(":")[0] for line in find_canaries(tmp_path / "no logs", {}, tmp_path)]
    assert sorted(set(found)) == (["followed", "once", "twice"] if pack is not _zipped else ["once", "twice"])
    shutil.rmtree(tmp_path)  # at the end of this run, too, all files are looked at


def test_of_a_torn_file_what_comes_before_the_tear_is_looked_at() -> None:
    torn = gzip.compress(b"before " * 1000 + bytes(range(256)) * 40)[:-200]
    assert any(b"before before" in part for part in list(unpacked(torn))[1:])
    assert list(unpacked(b"PK\x03\x04 no zip at all")) == [b"PK\x03\x04 no zip at all"]


def test_what_unpacks_to_more_than_it_should_is_looked_at_up_to_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "LARGEST", 1_000_000)
    bomb = gzip.compress(bytes(20_000_000))
    assert [len(part) for part in unpacked(bomb)] == [len(bomb), 1_000_000]
    assert max(len(part) for part in unpacked(_zipped(bytes(20_000_000)))) == 1_000_000
