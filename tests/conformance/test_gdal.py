"""GDAL reads every collection of every role, through the links, and gets what is published."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

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
    return subprocess.run([program, *arguments], env=told | environment, capture_output=True, text=True, check=True, timeout=60)


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


def test_gdal_asks_for_one_page_after_the_other(town: Town) -> None:
    source = f"OAPIF:{str(client_as(town, 'citizen').base_url).rstrip('/')}/citizen"
    told = run(town, "citizen", "ogrinfo", "-oo", "PAGE_SIZE=7", "-al", "-so", source)
    assert "Feature Count: 41" in told
    features = run(town, "citizen", "ogrinfo", "-oo", "PAGE_SIZE=7", "-q", "-geom=NO", source, "baeume")
    assert len(re.findall(r"^OGRFeature", features, re.M)) == 41


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
