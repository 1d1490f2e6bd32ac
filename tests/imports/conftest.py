"""A database of its own for every test, and files written for the occasion."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from pyproj import datadir

from tests.imports.certificates import Certificates, found
from tests.imports.things import OSM_POLICIES, Database, attribute
from tests.towns import TEMPLATE
from twin_api.imports.places.grids import offer_grids
from twin_api.policy.documents import Attribute, Geometry, GeometryType, Layer, Place
from twin_api.policy.load import load
from twin_api.settings import Settings
from twin_api.store.embedded import Cluster
from twin_api.texts import Text

END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
FOREIGN_SCHEMAS = r"SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', 'postgis')"
BAYREUTH = "osm-bayreuth-nord"


@pytest.fixture(scope="session")
def shared_database(cluster: Cluster) -> Iterator[Database]:
    with new_database(cluster) as database:
        yield database


@pytest.fixture
def database(shared_database: Database) -> Iterator[Database]:
    """An empty store and nothing else: no policies, no triggers. Emptied for the next test: a new database takes longer than most tests."""
    yield shared_database
    with psycopg.connect(shared_database.conninfo, autocommit=True) as connection:
        connection.execute(END_OTHERS)
        for (schema,) in connection.execute(FOREIGN_SCHEMAS).fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        connection.execute("CREATE SCHEMA store")


@contextmanager
def new_database(cluster: Cluster) -> Iterator[Database]:
    name = f"imports_{uuid4().hex[:12]}"
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}".encode())
        connection.execute(f"ALTER DATABASE {name} SET search_path = postgis".encode())
    with psycopg.connect(cluster.conninfo(name), autocommit=True) as inside:
        inside.execute("CREATE SCHEMA store")
    yield Database(cluster.conninfo(name))
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def no_grids() -> Iterator[None]:
    """PROJ as the Python package brings it: without any grid of the system's."""
    before = datadir.get_data_dir()
    datadir.set_data_dir(before.partition(":")[0])
    yield
    datadir.set_data_dir(before)


@pytest.fixture
def grids(no_grids: None) -> None:
    """PROJ with the system's grids."""
    offer_grids(Settings().proj_data)


@pytest.fixture(scope="session")
def layers() -> dict[str, Layer]:
    """Layers in the shape of OpenStreetMap, as the policy files of `tests/osm` describe them."""
    return dict(load(OSM_POLICIES).layers)


@pytest.fixture(scope="session")
def bayreuth(testdata: Path) -> Path:
    return testdata / "osm-bayreuth-nord"


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


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return found(tmp_path_factory.mktemp("certificates"))
