"""A database of its own for every test, and files written for the occasion."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from things import Database, attribute

from twin_api.policy.documents import Attribute, Geometry, GeometryType, Layer, Place
from twin_api.policy.load import load
from twin_api.settings import PROJECT, Settings
from twin_api.store.embedded import Cluster
from twin_api.store.secrets import Secrets
from twin_api.texts import Text

BAYREUTH = "osm-bayreuth-nord"


@pytest.fixture(scope="session")
def import_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("imports")
    cluster = Cluster(home, Secrets(home / "secrets"))
    cluster.ensure_running()
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE imports_template")
    with psycopg.connect(cluster.conninfo("imports_template"), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA postgis")
        connection.execute("CREATE EXTENSION postgis SCHEMA postgis")
        connection.execute("CREATE SCHEMA store")
    yield cluster
    cluster.remove()


@pytest.fixture
def database(import_cluster: Cluster) -> Iterator[Database]:
    name = f"imports_{uuid4().hex[:12]}"
    with psycopg.connect(import_cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE imports_template".encode())
        connection.execute(f"ALTER DATABASE {name} SET search_path = postgis".encode())
    yield Database(import_cluster.conninfo(name))
    with psycopg.connect(import_cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def layers() -> dict[str, Layer]:
    """The sample town's layers as its policy files describe them."""
    return dict(load(PROJECT / "policies").layers)


@pytest.fixture(scope="session")
def bayreuth() -> Path:
    folder = Settings().testdata / BAYREUTH
    if not folder.is_dir():
        reason = f"no test data at `{folder}`; set TWIN_TESTDATA"
        pytest.fail(reason) if Settings().require_testdata else pytest.skip(reason)
    return folder


@pytest.fixture
def new_layer() -> Callable[..., Layer]:
    """A layer `thing` with these attributes, by default a text key `nr`."""

    def new(
        *attributes: Attribute, type_: GeometryType | None = "Point", epsg: int = 25832, class_: str = "public", heights: str | None = None
    ) -> Layer:
        known = attributes or (attribute("nr", key=True), attribute("art"))
        geometry = Geometry(type_, epsg, class_, heights) if type_ else None
        return Layer(
            "thing", Text("Ding"), "bauhof", "Markt", "dl-de/by-2-0", "own", "test", "bauhof", date(2026, 1, 1), date(2027, 1, 1),
            None, "public", geometry, {a.name: a for a in known}, None, Place("test", 1),
        )  # fmt: skip

    return new


Feature = tuple[dict[str, Any], Any]  # properties, geometry as a GeoJSON object or None


@pytest.fixture
def geojson(tmp_path: Path) -> Callable[..., Path]:
    """A GeoJSON file of these features, in EPSG:25832 unless told otherwise (`crs=None` for plain RFC 7946)."""

    def write(*features: Feature, crs: str | None = "EPSG::25832", name: str = "thing.geojson") -> Path:
        members = [{"type": "Feature", "properties": properties, "geometry": geometry} for properties, geometry in features]
        collection: dict[str, Any] = {"type": "FeatureCollection", "features": members}
        if crs:
            collection = {
                "type": "FeatureCollection",
                "crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{crs}"}},
            } | collection
        path = tmp_path / name
        path.write_text(json.dumps(collection))
        return path

    return write
