"""What `docs/clients.md` says to type is typed, against a running service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance.recorded import Recorded, recorded_server
from tests.towns import Town

PAGE = (Path(__file__).parents[2] / "docs/clients.md").read_text(encoding="utf-8")
BLOCKS: dict[str, str] = dict(re.findall(r"^```([\w ]+)\n(.*?)^```$", PAGE, re.M | re.S))
HOST = "https://zwilling.musterdorf.example"


@pytest.fixture(scope="module")
def record(town: Town) -> Iterator[Recorded]:
    with recorded_server(town) as record:
        yield record


def block(record: Recorded, kind: str) -> str:
    assert HOST in BLOCKS[kind]
    return BLOCKS[kind].replace(HOST, record.address)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("ogr2ogr") is None and not os.environ.get("TWIN_REQUIRE_TESTDATA"), reason="not run: there is no ogr2ogr (gdal-bin)"
)
def test_the_commands_for_gdal_do_what_they_say(town: Town, record: Recorded, tmp_path: Path) -> None:
    told = {**os.environ, "TOKEN": town.token("council"), "GDAL_HTTP_HEADERS": ""}
    shown = subprocess.run(["bash", "-euc", block(record, "sh")], cwd=tmp_path, env=told, capture_output=True, text=True, timeout=300)
    assert shown.returncode == 0, shown.stderr
    assert "ERROR" not in shown.stdout + shown.stderr
    assert set(record.statuses) == {200}
    assert shown.stdout.count(": baeume (") == 2  # for citizens and for the council
    items = f"{record.address}/citizen/collections/baeume/items"
    for file, asked in {
        "baeume": {},
        "linden": {"art": "Linde", "bbox": "11.3,49.6,11.5,49.7"},
        "hohe-linden": {"filter": "art = 'Linde' AND hoehe_m > 5"},
    }.items():
        counted = subprocess.run(
            ["ogrinfo", "-so", "-al", tmp_path / f"{file}.gpkg"], capture_output=True, text=True, check=True, timeout=300
        ).stdout
        assert f"Feature Count: {httpx.get(items, params=asked).json()['numberMatched']}\n" in counted
        assert "Feature Count: 0\n" not in counted


def test_the_lines_for_owslib_do_what_they_say(record: Recorded) -> None:
    shown = subprocess.run([sys.executable, "-c", block(record, "python")], capture_output=True, text=True, check=True, timeout=300).stdout
    names, counted = shown.splitlines()
    assert "baeume" in names
    items = f"{record.address}/citizen/collections/baeume/items"
    assert int(counted) == httpx.get(items, params={"filter": "art = 'Linde' AND hoehe_m > 5"}).json()["numberMatched"] > 0


def test_a_page_with_maplibre_may_read_its_source_from_anywhere(record: Recorded) -> None:
    style = json.loads(block(record, "json maplibre"))
    assert {layer["source"] for layer in style["layers"]} == style["sources"].keys()
    (source,) = style["sources"].values()
    answer = httpx.get(source["data"], headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["numberReturned"] == answer.json()["numberMatched"] > 0


def test_the_layer_for_masterportal_is_offered_as_it_is_named(record: Recorded) -> None:
    (layer,) = json.loads(block(record, "json masterportal"))
    collection = httpx.get(f"{layer['url']}/collections/{layer['collection']}").json()
    assert {layer["crs"], layer["bboxCrs"]} <= set(collection["crs"])
    asked = {"limit": str(layer["limit"]), "crs": layer["crs"], "bbox": "600000,5400000,700000,5600000", "bbox-crs": layer["bboxCrs"]}
    answer = httpx.get(f"{layer['url']}/collections/{layer['collection']}/items", params=asked)
    assert answer.headers["content-crs"] == f"<{layer['crs']}>"
    assert answer.json()["numberReturned"] > 0
