"""GDAL reads every collection of every role, through the links, and gets what is published."""

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
from tests.door.clients import client_as
from tests.query.asked import walk
from tests.towns import Town

pytestmark = pytest.mark.slow
ROLES = ["citizen", "council", "administration", "administration/wasser", "administration/bauhof", "administration/bauamt"]


@pytest.fixture(scope="module", autouse=True)
def gdal() -> None:
    if shutil.which("ogrinfo") is None:
        reason = "not run: there is no ogrinfo (apt-get install gdal-bin)"
        pytest.fail(reason) if os.environ.get("TWIN_REQUIRE_TESTDATA") == "1" else pytest.skip(reason)


def run(town: Town, role: str, program: str, *arguments: str) -> str:
    """The program's output, seeing as the role."""
    return ran(town, role, program, *arguments).stdout


def ran(town: Town, role: str, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    told = dict(os.environ, OGR_OAPIF_PAGE_SIZE="7", GDAL_HTTP_HEADERS="")
    if role != "citizen":
        told["GDAL_HTTP_HEADERS"] = f"Authorization: {client_as(town, role).headers['authorization']}"
    return subprocess.run([program, *arguments], env=told | environment, capture_output=True, text=True, check=True, timeout=300)


@pytest.mark.parametrize("role", ROLES)
def test_gdal_reads_all_collections_of_a_role(town: Town, role: str, tmp_path: Path) -> None:
    client = client_as(town, role)
    source = f"OAPIF:{str(client.base_url).rstrip('/')}/{role}"
    names = [collection["id"] for collection in client.get(f"/{role}/collections").json()["collections"]]
    assert re.findall(r"^\d+: (\w+)", run(town, role, "ogrinfo", "-q", source), re.M) == names
    for name in names:
        wanted = {feature["id"]: feature for feature in walk(client, f"/{role}/collections/{name}/items?limit=1000")}
        counted = run(
            town, role, "ogrinfo", "-q", "-oo", "PAGE_SIZE=7", source, "-dialect", "SQLite", "-sql", f"SELECT count(*) AS n FROM {name}"
        )
        assert f"n (Integer) = {len(wanted)}" in counted
        file = tmp_path / f"{name}.geojson"
        run(town, role, "ogr2ogr", "-oo", "PAGE_SIZE=7", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=7", str(file), source, name)
        read = {feature["properties"].pop("id"): feature for feature in json.loads(file.read_text())["features"]}
        file.unlink()  # what a department sees is no business of the scan at the end
        assert {id: feature["geometry"] for id, feature in read.items()} == {id: feature["geometry"] for id, feature in wanted.items()}
        for id, feature in read.items():
            assert _known(feature["properties"]) == _known(wanted[id]["properties"])


def _known(properties: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in properties.items() if value is not None}


@pytest.mark.parametrize(
    ("where", "pushed", "count"),
    [("art = 'Linde'", "art=Linde", 14), ("anzahl = 1", "anzahl=1", 20), ("art = 'Linde' AND hoehe_m > 10", "art=Linde", 13)],
)
def test_gdal_leaves_the_choice_by_properties_to_the_server(town: Town, where: str, pushed: str, count: int) -> None:
    source = f"OAPIF:{str(client_as(town, 'citizen').base_url).rstrip('/')}/citizen"
    told = ran(town, "citizen", "ogrinfo", "-q", "-geom=NO", "-where", where, source, "baeume", CPL_DEBUG="ON")
    fetched = re.findall(r"(http://[^\s)]*/collections/baeume/items\?[^\s)]*)", told.stderr)
    assert any(pushed in address for address in fetched), told.stderr
    assert len(re.findall(r"^OGRFeature", told.stdout, re.M)) == count


@pytest.fixture(scope="module")
def record(town: Town) -> Iterator[Recorded]:
    with recorded_server(town) as record:
        yield record


def ogrinfo(record: Recorded, *arguments: str) -> list[str]:
    """The ids of the trees that `ogrinfo` finds; what it asked for them is on record."""
    record.clear()
    told = dict(os.environ, GDAL_HTTP_HEADERS="")
    command = ["ogrinfo", "-q", "-geom=NO", "-oo", "PAGE_SIZE=7", f"OAPIF:{record.address}/citizen", "baeume", *arguments]
    shown = subprocess.run(command, env=told, capture_output=True, text=True, check=True, timeout=300).stdout
    assert set(record.statuses) == {200}
    return sorted(re.findall(r"^  id \(String\) = (\S+)", shown, re.M))


def ours(record: Recorded, **asked: str) -> list[str]:
    """The same by a request of our own."""
    features = httpx.get(f"{record.address}/citizen/collections/baeume/items", params={"limit": "1000", **asked}).json()["features"]
    assert 0 < len(features) < 41 or not asked
    return sorted(feature["id"] for feature in features)


def test_gdal_asks_for_one_page_after_the_other(record: Recorded) -> None:
    assert ogrinfo(record) == ours(record)
    pages = [params for params in record.items("baeume") if params["limit"] == "7"]
    assert sum("cursor" in params for params in pages) == 5  # 41 trees
    assert len({params.get("cursor") for params in pages}) == 6


def test_gdal_leaves_conditions_to_the_server(record: Recorded) -> None:
    kind = httpx.get(f"{record.address}/citizen/collections/baeume/items").json()["features"][0]["properties"]["art"]
    assert ogrinfo(record, "-where", f"art = '{kind}'") == ours(record, art=kind)
    assert {params.get("art") for params in record.items("baeume")[1:]} == {kind}
    assert ogrinfo(record, "-where", f"art = '{kind}' AND anzahl > 0") == ours(record, art=kind, filter="anzahl > 0")
    assert {params.get("art") for params in record.items("baeume")[1:]} == {kind}  # and the other half it looks for itself
    first = ours(record)[0]
    assert ogrinfo(record, "-where", f"id = '{first}'") == [first]
    assert record.asked[-1].path == f"/citizen/collections/baeume/items/{first}"  # one item, not all of them


def test_gdal_asks_for_a_box(record: Recorded) -> None:
    places = [
        feature["geometry"]["coordinates"] for feature in httpx.get(f"{record.address}/citizen/collections/baeume/items").json()["features"]
    ]
    (west, south), (east, north) = (tuple(map(end, zip(*places[:5], strict=True))) for end in (min, max))
    assert ogrinfo(record, "-spat", *map(str, (west, south, east, north))) == ours(record, bbox=f"{west},{south},{east},{north}")
    assert all("bbox" in params for params in record.items("baeume")[1:])


NEWER = """
import sys
import pyogrio
address, *options = sys.argv[1:]
told = dict(option.split("=", 1) for option in options)
bbox = tuple(map(float, told.pop("bbox").split(","))) if "bbox" in told else None
info, ids, geometry, fields = pyogrio.raw.read(f"OAPIF:{address}/citizen", layer="baeume", bbox=bbox, PAGE_SIZE=7, **told)
print(pyogrio.__gdal_version__ >= (3, 8), info["crs"], *(fields[list(info["fields"]).index("id")]))
"""


@pytest.mark.parametrize(("option", "crs"), [((), 25832), (("CRS=EPSG:3857",), 3857), (("PREFERRED_CRS=EPSG:25833",), 25833)])
def test_a_newer_gdal_asks_in_the_coordinate_system_that_is_wanted(record: Recorded, option: tuple[str, ...], crs: int) -> None:
    uri = f"http://www.opengis.net/def/crs/EPSG/0/{crs}"
    places = [
        f["geometry"]["coordinates"]
        for f in httpx.get(f"{record.address}/citizen/collections/baeume/items", params={"crs": uri}).json()["features"][:5]
    ]
    bbox = ",".join(str(end(values)) for end in (min, max) for values in zip(*places, strict=True))
    for narrow in ((), (f"bbox={bbox}",)):
        record.clear()
        command = [sys.executable, "-c", NEWER, record.address, *option, *narrow]  # its GDAL would hold up our server's thread
        is_newer, named, *ids = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.split()
        assert (is_newer, named) == ("True", f"EPSG:{crs}")
        assert sorted(ids) == ours(record, **({"bbox": bbox, "bbox-crs": uri} if narrow else {}))
