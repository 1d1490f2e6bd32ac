"""The programs that towns use read every collection of every role of the demo completely: QGIS, GDAL and OWSLib count alike."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from owslib.ogcapi.features import Features

from tests.cli.test_demo import _free_port

pytestmark = pytest.mark.acceptance
PROJECT = Path(__file__).parents[2]
QGIS_PYTHON = "/usr/bin/python3"  # Debian's and Ubuntu's QGIS is for their own Python
HANDBOOK = PROJECT / "docs/clients.md"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The sample town, served: the token of each twin by its address, an empty one for citizens."""
    folder, port = tmp_path_factory.mktemp("demo"), _free_port()
    told = dict(os.environ, TWIN_HOME=str(folder / "home"), TWIN_POLICIES=str(PROJECT / "policies"), PYTHONPATH=str(PROJECT))
    command = [sys.executable, "-m", "twin_api.cli", "demo", "--port", str(port), "--size", "5000"]
    process = subprocess.Popen(command, env=told, cwd=folder, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "curl -H" in line:  # all tokens have been told
                break
        tokens = dict(re.findall(r"(http://\S+) +(dtw_\w+)", said))
        assert len(tokens) > 5, said
        yield {f"http://127.0.0.1:{port}/citizen": "", **tokens}
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.wait(60)
        subprocess.run([sys.executable, "-m", "twin_api.cli", "stop"], env=told, cwd=folder, check=True, timeout=120)


def authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def counts(address: str, token: str) -> dict[str, int]:
    """How many items each collection says that it has."""
    with httpx.Client(headers=authorization(token), timeout=60) as client:
        names = [collection["id"] for collection in client.get(f"{address}/collections").json()["collections"]]
        return {name: client.get(f"{address}/collections/{name}/items", params={"limit": 1}).json()["numberMatched"] for name in names}


def test_gdal_reads_every_collection_of_the_demo(demo: dict[str, str]) -> None:
    assert shutil.which("ogrinfo"), "GDAL is missing: apt-get install gdal-bin"
    for address, token in demo.items():
        told = dict(os.environ, GDAL_HTTP_HEADERS="".join(f"{name}: {value}" for name, value in authorization(token).items()))
        for name, count in counts(address, token).items():
            command = ["ogrinfo", "-q", "-oo", "PAGE_SIZE=100", f"OAPIF:{address}", name]
            shown = subprocess.run(command, env=told, capture_output=True, text=True, check=True, timeout=300).stdout
            assert len(re.findall(r"^OGRFeature", shown, re.M)) == count, (address, name)


def test_owslib_reads_every_collection_of_the_demo(demo: dict[str, str]) -> None:
    for address, token in demo.items():
        twin = Features(address, headers=authorization(token) or None)
        for name, count in counts(address, token).items():
            assert len(twin.collection_items(name, limit=10_000)["features"]) == count, (address, name)


def qgis(script: Path | str, given: str = "") -> str:
    """What a script for QGIS prints, run by the Python that QGIS belongs to."""
    has_qgis = Path(QGIS_PYTHON).exists() and subprocess.run([QGIS_PYTHON, "-c", "import qgis.core"], capture_output=True).returncode == 0
    assert has_qgis, "QGIS is missing: apt-get install --no-install-recommends qgis python3-qgis"
    command = [QGIS_PYTHON, *([str(script)] if isinstance(script, Path) else ["-c", script])]
    told = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(command, input=given, env=told, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_qgis_reads_every_collection_of_the_demo(demo: dict[str, str]) -> None:
    for address, token in demo.items():
        expected = counts(address, token)
        given = json.dumps({"address": address, "token": token, "collections": list(expected)})
        told = json.loads(qgis(Path(__file__).with_name("reading_with_qgis.py"), given).splitlines()[-1])
        assert told["found"].keys() == expected.keys()
        for name, found in told["found"].items():
            assert (found.get("count"), found.get("read")) == (expected[name], expected[name]), (told["version"], address, name, found)
            agrees(address, token, name, found)


def agrees(address: str, token: str, name: str, found: dict[str, Any]) -> None:
    items = f"{address}/collections/{name}/items"
    features = httpx.get(items, params={"limit": "10000"}, headers=authorization(token), timeout=60).json()["features"]
    assert found["placed"] == sum(feature["geometry"] is not None for feature in features), (address, name)
    assert {key for feature in features for key in feature["properties"]} <= set(found["fields"]), (address, name)
    if "box" in found:
        assert found["crs"] == "EPSG:4326"
        asked = {"bbox": ",".join(map(str, found["box"])), "filter": "geometry IS NOT NULL", "limit": "1"}
        assert 0 < found["in_box"] == httpx.get(items, params=asked, headers=authorization(token), timeout=60).json()["numberMatched"], (
            address,
            name,
        )


def test_the_handbooks_lines_for_qgis_do_what_they_say(demo: dict[str, str]) -> None:
    (lines,) = re.findall(r"^```pyqgis\n(.*?)^```$", HANDBOOK.read_text(encoding="utf-8"), re.M | re.S)
    address = next(address for address, token in demo.items() if not token)
    begin = "from qgis.core import QgsApplication\napplication = QgsApplication([], False)\napplication.initQgis()\n"
    shown = qgis(begin + lines.replace("https://zwilling.musterdorf.example/citizen", address))
    assert int(shown.splitlines()[-1]) == counts(address, "")["baeume"]
