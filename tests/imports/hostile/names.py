"""Names that a reader takes for more than a name, and files beside the file that it would rather believe."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.imports.hostile.case import SPY, Case, harmless, written

PAGE = f'<OGRVRTDataSource><OGRVRTLayer name="thing"><SrcDataSource>/vsicurl/http://{SPY}/x.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
FEED = f"<OGRWFSDataSource><URL>http://{SPY}/wfs</URL></OGRWFSDataSource>"


def _called(name: str) -> Case:
    return Case(f"name: {name[:40]!r}", written(name, harmless()), 1)


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "thing.geojson")
    return folder / "thing.geojson"


def _device(folder: Path) -> Path:
    (folder / "thing.geojson").symlink_to("/dev/zero")
    return folder / "thing.geojson"


def _directory(folder: Path) -> Path:
    (folder / "thing.gpkg").mkdir()
    return folder / "thing.gpkg"


def _beside(folder: Path) -> Path:
    """Files that a reader would look for beside the one it was given."""
    for ending in (".gfs", ".xsd", ".aux.xml", ".prj", ".qpj", ".vrt", ".csvt", ".cpg", ".qix"):
        (folder / f"thing{ending}").write_text(PAGE)
        (folder / f"thing.geojson{ending}").write_text(PAGE)
    return written("thing.geojson", harmless())(folder)


def _locked(folder: Path) -> Path:
    """A folder that nobody may write into."""
    path = written("thing.geojson", harmless())(folder)
    shutil.copystat(folder, path)
    folder.chmod(0o500)
    return path


CASES = [
    _called("PG:dbname=x.geojson"),
    _called("GPKG:thing.gpkg:x.geojson"),
    _called(f"WFS:http:{SPY.replace('/', '')}.geojson"),
    _called("http:x.geojson"),
    _called("thing.zip!x.geojson"),
    _called("thing|layer=x.geojson"),
    _called("thing?x=1&y=2#z.geojson"),
    _called("--config GDAL_HTTP_PROXY x.geojson"),
    _called("$(touch x) `touch y`;.geojson"),
    _called("{thing}%s%n.geojson"),
    _called("\x1b[2Jthing\n.geojson"),
    _called("ä" * 100 + ".geojson"),
    _called("...geojson"),
    Case("name: a path into the network", lambda folder: Path(f"/vsicurl/http://{SPY}/x.geojson"), "there is no file"),
    Case("name: a path into an archive", lambda folder: Path("/vsizip/x.zip/x.geojson"), "there is no file"),
    Case("name: a path into memory", lambda folder: Path("/vsimem/x.gpkg"), "there is no file"),
    Case("name: standard input", lambda folder: Path("/vsistdin/x.geojson"), "there is no file"),
    Case("name: a pipe", _pipe, "there is no file"),
    Case("name: a device", _device, "there is no file"),
    Case("name: a folder", _directory, "there is no file"),
    Case("name: neighbours that claim to know better", _beside, 1),
    Case("name: a folder that is not to be written", _locked, 1),
    Case("name: a virtual file called GeoJSON", written("thing.geojson", PAGE), "content is not"),
    Case("name: a feed called GeoPackage", written("thing.gpkg", FEED), "content is not"),
    Case("name: a virtual file by its own name", written("thing.vrt", PAGE), "no known format"),
    Case("name: a feed by its own name", written("thing.xml", FEED), "content is not"),
]  # fmt: skip
