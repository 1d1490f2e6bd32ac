"""One hostile file: how it is made, and either words of its refusal or the number of rows that it honestly holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin_api.policy.documents import GeometryType

Make = Callable[[Path], Path]  # writes the file, and what belongs to it, into an empty folder
SPY = "127.0.0.1:00000"  # replaced in every file by the address, as long as this, of a socket that must stay alone
WORLD = "urn:ogc:def:crs:EPSG::25832"


@dataclass(frozen=True)
class Case:
    name: str
    make: Make
    expected: str | int
    type: GeometryType | None = "Point"  # of the layer's geometry
    source_layer: str | None = None
    key: str = "nr"  # the column that holds the layer's key
    fatal: bool = False  # it kills a reader, so that only the process around it helps

    def __str__(self) -> str:
        return self.name

    def place(self, folder: Path, spy: str) -> Path:
        """Make the file, with the true address of the spy."""
        path = self.make(folder)
        for file in folder.iterdir():
            if (
                file.is_file()
                and not file.is_symlink()
                and file.stat().st_size < 4_000_000
                and SPY.encode() in (content := file.read_bytes())
            ):
                file.write_bytes(content.replace(SPY.encode(), spy.encode()))
        return path


def written(name: str, content: str | bytes) -> Make:
    """A file of this content."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return folder / name

    return make


POINT = '{"type": "Point", "coordinates": [678000, 5540000]}'


def feature(properties: str = '"nr": "1"', geometry: str = POINT, more: str = "") -> str:
    return f'{{"type": "Feature", "properties": {{{properties}}}, "geometry": {geometry}{more}}}'


def collection(*features: str, more: str = "", crs: str = WORLD) -> str:
    name = json.dumps(crs)
    return f'{{"type": "FeatureCollection", "crs": {{"type": "name", "properties": {{"name": {name}}}}}{more}, "features": [{", ".join(features)}]}}'


def harmless(**more: Any) -> str:
    return collection(feature(), **more)
