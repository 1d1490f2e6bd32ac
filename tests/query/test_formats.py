"""Items as GeoJSON sequence, CSV and GeoPackage: the same items as in GeoJSON, and nothing else."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyogrio
import pytest
import shapely

from tests.door.clients import client_as
from tests.query.asked import ask, found
from tests.towns import Town
from twin_api import encodings
from twin_api.encodings import formats, geopackage, geopackage_file
from twin_api.encodings.formats.csv_table import wkt, write
from twin_api.problems import InvalidParameter, TooBusy
from twin_api.query.crs import COMMON
from twin_api.store.collection import Description, Property
from twin_api.texts import Text

SHOWN = [
    ("citizen", "baeume"), ("council", "kanalschaechte"), ("administration", "kanalschaechte"), ("administration/bauamt", "bauantraege"),
]  # fmt: skip
SHAPES = [
    "POINT (1 2)", "POINT Z (1 2 3)", "LINESTRING (0 0, 1 1.5)", "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 1, 2 1, 2 2, 1 1))", "MULTIPOINT ((1 2), (3 4))",
    "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))", "MULTIPOLYGON Z (((0 0 1, 1 0 1, 1 1 1, 0 0 1)), ((5 5 1, 6 5 1, 6 6 1, 5 5 1)))",
]  # fmt: skip


def test_every_format_is_on_the_shelf_and_in_the_registry() -> None:
    shelf = {path.stem for path in (Path(encodings.__file__).parent / "formats").glob("[!_]*.py")} - {"form"}
    assert {form.write.__module__.rpartition(".")[2] for form in formats.FORMATS} == shelf


@pytest.mark.parametrize(("role", "collection"), SHOWN)
def test_a_sequence_holds_the_features_of_the_page(town: Town, role: str, collection: str) -> None:
    answer = ask(town, role, collection, f="geojsonseq", limit=1000)
    assert answer.headers["content-type"] == "application/geo+json-seq"
    head, *texts = answer.content.split(b"\x1e")
    assert head == b""
    assert all(text.endswith(b"\n") for text in texts)
    assert [json.loads(text) for text in texts] == found(town, role, collection)


@pytest.mark.parametrize(("role", "collection"), SHOWN)
def test_a_table_holds_the_features_of_the_page(town: Town, role: str, collection: str) -> None:
    answer = ask(town, role, collection, f="csv", limit=1000, crs=COMMON[3].uri)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-crs"] == f"<{COMMON[3].uri}>"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    features = found(town, role, collection, crs=COMMON[3].uri)
    assert [row["id"] for row in rows] == [feature["id"] for feature in features]
    for row, feature in zip(rows, features, strict=True):
        assert shapely.equals_exact(shapely.from_wkt(row["geometry"]), shapely.geometry.shape(feature["geometry"]))
        assert {k: v for k, v in row.items() if k not in ("id", "geometry")} == {k: _told(v) for k, v in feature["properties"].items()}


def _told(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_pages_without_links_in_them_have_theirs_in_the_header(town: Town) -> None:
    client = client_as(town, "citizen")
    for form, mark in (("csv", b"\r\n"), ("geojsonseq", b"\n")):
        answer, count = ask(town, f=form, limit=15, art="Linde"), 0
        while True:
            count += answer.content.count(mark) - (form == "csv")
            if "next" not in answer.links:
                break
            answer = client.get(answer.links["next"]["url"])
            assert answer.headers["content-type"].startswith(ask(town, f=form, limit=1).headers["content-type"])
        assert count == len(found(town, art="Linde"))


def test_an_empty_page_is_empty_in_every_format(town: Town) -> None:
    assert ask(town, f="geojsonseq", art="nix").content == b""
    assert ask(town, f="csv", art="nix", properties="art").content == b"id,art,geometry\r\n"


TEXTS = {
    "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\r=1": "'\r'=1", "\n=1": "'\n'=1", "＝1": "'＝1", "-": "'-",
    '=HYPERLINK("http://x")': '\'=HYPERLINK("http://x")', '"=1': '\'"=1', "a;=1": "a;'=1", 'a;"=1;b': 'a;\'"=1;b', "a\t@b;-c": "a\t'@b;'-c",
    "a\n=1": "a\n'=1", "a-b=c": "a-b=c", "a; b": "a; b", 'a "b"; c': 'a "b"; c', "": "",
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_begins_as_a_formula(text: str) -> None:
    feature = json.dumps({"id": "1", "geometry": None, "properties": {"a": text, "n": -1.5}}).encode()
    table = write(feature, [Property("a", "text", Text("A")), Property("n", "number", Text("N"))])
    assert list(csv.reader(io.StringIO(table.decode(), newline="")))[1] == ["1", TEXTS[text], "-1.5", ""]
    cells = [cell for line in table.decode().splitlines() for cell in line.split(";")]  # as who knows no quotes within a cell parts them
    assert not [cell for cell in cells[1:] if cell.lstrip('"').startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("shape", SHAPES)
def test_geometries_are_written_as_others_read_them(shape: str) -> None:
    geometry = json.loads(shapely.to_geojson(shapely.from_wkt(shape)))
    assert shapely.equals_exact(shapely.from_wkt(wkt(geometry)), shapely.from_wkt(shape))
    assert shapely.equals_exact(shapely.from_wkb(geopackage_file.wkb(geometry)), shapely.from_wkt(shape))
    assert shapely.from_wkb(geopackage_file.wkb(geometry)).has_z == shapely.from_wkt(shape).has_z


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Gone afterwards: what a role may see must not be left behind on disk."""
    yield tmp_path / "file.gpkg"
    (tmp_path / "file.gpkg").unlink()


def download(town: Town, file: Path, role: str, collection: str, **asked: str) -> httpx.Response:
    answer = client_as(town, role).get(f"/{role}/collections/{collection}/items", params={"f": "gpkg", **asked})
    assert answer.status_code == 200, answer.text
    file.write_bytes(answer.content)
    return answer


@pytest.mark.parametrize("crs", [None, COMMON[1].uri, COMMON[3].uri], ids=["default", "4326", "25832"])
@pytest.mark.parametrize(("role", "collection"), SHOWN)
def test_a_geopackage_holds_the_whole_collection(town: Town, file: Path, role: str, collection: str, crs: str | None) -> None:
    asked = {"crs": crs} if crs else {}
    answer = download(town, file, role, collection, **asked)
    assert answer.headers["content-type"] == "application/geopackage+sqlite3"
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
    assert answer.headers["content-disposition"] == f'attachment; filename="{collection}.gpkg"'
    meta, _, shapes, values = pyogrio.raw.read(file)
    assert meta["crs"] == ("EPSG:25832" if crs == COMMON[3].uri else "EPSG:4326")
    read = {row[0]: (shapely.from_wkb(wkb), dict(zip(meta["fields"], row, strict=True))) for wkb, *row in zip(shapes, *values, strict=True)}
    features = {f["id"]: f for f in found(town, role, collection, **({} if crs == COMMON[1].uri else asked))}  # files put east first
    assert read.keys() == features.keys()
    for id, (shape, row) in read.items():
        assert shapely.equals_exact(shape, shapely.geometry.shape(features[id]["geometry"]))
        assert {str(field) for field in row} == {"id", *features[id]["properties"]}


def test_a_geopackage_holds_what_was_asked_for_and_its_values(town: Town, file: Path) -> None:
    download(town, file, "citizen", "baeume", art="Linde", properties="art,geschuetzt,gepflanzt,hoehe_m")
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT id, art, geschuetzt, gepflanzt, hoehe_m FROM baeume").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        told = connection.execute("SELECT table_name, data_type, identifier, srs_id FROM gpkg_contents").fetchall()
    connection.close()
    names = ("art", "geschuetzt", "gepflanzt", "hoehe_m")
    assert rows == [(f["id"], *(f["properties"][name] for name in names)) for f in found(town, art="Linde")]
    assert told == [("baeume", "features", "Bäume", 4326)]


def test_a_geopackage_of_nothing_is_one(town: Town, file: Path) -> None:
    download(town, file, "citizen", "baeume", art="nix")
    assert pyogrio.read_info(file)["features"] == 0


def test_a_whole_collection_has_no_page(town: Town) -> None:
    for name in ("limit", "cursor"):
        refused = ask(town, f="gpkg", **{name: "1"})
        assert (refused.status_code, refused.json()["parameter"]) == (400, name)


def test_too_many_items_are_refused_with_what_would_be_right(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "MOST", 40)
    refused = ask(town, f="gpkg")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "f")
    assert ask(town, f="gpkg", art="Linde").status_code == 200


HEAD = geopackage.head("x", "X", Description(Text("X"), (), "Point", 25832, None, "", ""), 4326, [], has_heights=False)
FEATURE = b'{"id":"%d","geometry":{"type":"Point","coordinates":[1,2]},"properties":{}}'


async def _lines(*lines: bytes) -> AsyncIterator[bytes]:
    for line in lines:
        yield line


def built(*lines: bytes) -> Any:
    return asyncio.run(geopackage.build(HEAD, _lines(*lines)))


def test_nothing_is_left_behind_and_no_file_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with built(FEATURE % 1) as file:
        assert file.read(15) == b"SQLite format 3"
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(geopackage.GeoPackageFailed):
        built(b"no feature")
    assert list(tmp_path.iterdir()) == []


def test_the_process_that_writes_has_bounds_and_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that tells what it has instead."""
    spy = tmp_path / "spy.py"
    told = "import os, resource; print([resource.getrlimit(r)[0] for r in geopackage_file._LIMITS], sorted(os.environ), file=open(sys.argv[1], 'w'))"
    program = f"import sys; sys.path.insert(0, {str(Path(geopackage_file.__file__).parent)!r}); import geopackage_file\n"
    spy.write_text(
        f"{program}geopackage_file.write = lambda file, lines: exec({told!r}, globals() | {{'sys': sys}})\ngeopackage_file.main()\n"
    )
    monkeypatch.setattr(geopackage, "_PATH", spy)
    monkeypatch.setattr(geopackage, "_definitions", dict)
    monkeypatch.setenv("TWIN_SECRETS", "/nowhere")
    with built() as file:
        limits, names = file.read().decode().strip().split("] [")
    assert limits == f"[{', '.join(map(str, geopackage_file._LIMITS.values()))}"
    assert "TWIN" not in names


def test_a_file_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    small = f"import runpy, resource; resource.setrlimit = lambda r, m, set=resource.setrlimit: set(r, (8192, 8192) if r == resource.RLIMIT_FSIZE else m); runpy.run_path({geopackage_file.__file__!r}, run_name='__main__')"
    lines = b"\n".join(FEATURE % number for number in range(500))
    done = subprocess.run([sys.executable, "-I", "-c", small, str(tmp_path / "x.gpkg")], input=HEAD + lines, capture_output=True)
    assert done.returncode == geopackage_file.TOO_LARGE


def test_few_files_are_written_at_once() -> None:
    for _ in range(geopackage.AT_ONCE):
        assert geopackage._building.acquire(blocking=False)
    try:
        with pytest.raises(TooBusy):
            built()
    finally:
        for _ in range(geopackage.AT_ONCE):
            geopackage._building.release()
    built().close()


def test_what_slow_clients_still_read_has_a_bound_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is gone when its last reader is: many who read slowly must not fill the disk that the store writes to."""
    slow = [built(FEATURE % number) for number in range(3)]
    octets = sum(os.fstat(file.fileno()).st_size for file in slow)
    monkeypatch.setattr(geopackage, "ON_DISK", geopackage.AT_ONCE * geopackage_file.LARGEST + octets - 1)
    with pytest.raises(TooBusy):
        built()
    slow.pop().close()
    built().close()
    for file in slow:
        file.close()


def test_a_request_that_is_ended_gives_its_place_back() -> None:
    """Even where it was ended while no thread was free."""

    async def use() -> None:
        free = threading.Event()
        with ThreadPoolExecutor(1) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            occupied = asyncio.to_thread(free.wait)
            waiting = asyncio.ensure_future(occupied)
            await asyncio.sleep(0)
            for _ in range(geopackage.AT_ONCE):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await geopackage.build(HEAD, _endless())
            free.set()
            await waiting
            (await geopackage.build(HEAD, _lines(FEATURE % 1))).close()

    asyncio.run(use())


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b""
        await asyncio.sleep(0.01)


def test_what_is_too_large_names_the_parameter() -> None:
    assert isinstance(geopackage.too_large(), InvalidParameter)
    assert geopackage.too_large().extra == {"parameter": "f"}
