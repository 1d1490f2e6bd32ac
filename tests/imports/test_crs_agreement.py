"""Python and the database transform alike, everywhere in Germany, and `twin doctor` says where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import psycopg
import pytest
from pyproj import Transformer

from tests.cli.test_commands import twin
from tests.imports.conftest import new_database
from tests.imports.things import Database
from tests.towns import Town
from twin_api.imports.places.agreement import USUAL, find_disagreements, transform_in_database, transform_in_python
from twin_api.policy.documents import Extent
from twin_api.store.embedded import Cluster

TOWN = Extent(25832, 674_000, 5_536_000, 682_000, 5_544_000)
STUTTGART = Extent(25832, 500_000, 5_396_000, 525_000, 5_412_000)
POINTS = 500


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        yield connection


@pytest.fixture
def spoilt(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """To a database that nobody needs afterwards."""
    with new_database(cluster) as database, psycopg.connect(database.conninfo, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("target", [25832, 25833])
def test_random_points_of_germany_come_out_alike_to_the_millimetre(connection: psycopg.Connection, grids: None, target: int) -> None:
    seed = Random().randrange(10**6)
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(6.0, 15.0, POINTS), rng.uniform(47.4, 54.9, POINTS)
    for source in (*USUAL, 31466, 31469, 5650, 4258):
        points = np.column_stack(Transformer.from_crs(4258, source, always_xy=True).transform(lon, lat))
        here, there = transform_in_python(source, target, points, None), transform_in_database(connection, source, target, points)
        assert np.hypot(*(here - there).T).max() < 0.001, f"EPSG:{source}"


@pytest.mark.parametrize("extent", [None, TOWN, STUTTGART])
def test_nothing_disagrees_with_the_systems_grids(connection: psycopg.Connection, grids: None, extent: Extent | None) -> None:
    assert list(find_disagreements(connection, [25832, 25833, 4326], extent)) == []


def test_a_grid_that_is_missing_here_is_named(connection: psycopg.Connection, no_grids: None) -> None:
    found = [finding.text().say("en") for finding in find_disagreements(connection, [25832], TOWN)]
    assert len(found) == 3  # EPSG:31467, 31468, 5678
    assert all("grid `de_adv_BETA2007.tif` is missing → install the system's package `proj-data`" in text for text in found)


def test_a_database_that_takes_another_way_is_found_out(spoilt: psycopg.Connection, grids: None) -> None:
    """Seven parameters in the place of the grid, as a database without it would take them."""
    spoilt.execute(
        "UPDATE postgis.spatial_ref_sys SET auth_name = NULL, auth_srid = NULL, srtext = '', proj4text ="
        " '+proj=tmerc +lat_0=0 +lon_0=12 +k=1 +x_0=4500000 +ellps=bessel +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7 +units=m'"
        " WHERE srid = 31468"
    )
    found = [finding.text().say("en") for finding in find_disagreements(spoilt, [25832], TOWN)]
    assert len(found) == 1
    assert found[0].startswith("EPSG:31468 → EPSG:25832: Python and database are ")


def test_a_database_that_lacks_a_system_is_told(spoilt: psycopg.Connection, grids: None) -> None:
    spoilt.execute("DELETE FROM postgis.spatial_ref_sys WHERE srid = 4647")
    found = [finding.text().say("en") for finding in find_disagreements(spoilt, [25832], TOWN)]
    assert len(found) == 1
    assert "EPSG:4647 → EPSG:25832: the database cannot do it" in found[0]


def test_the_doctor_names_what_is_missing_and_ends_with_exit_code_1(town: Town) -> None:
    sound = twin(town, "doctor", "--only", "coordinates")
    assert (sound.returncode, sound.stdout) == (0, "✓ Koordinaten: Python und Datenbank rechnen gleich\nAlles in Ordnung.\n")
    ended = twin(town, "doctor", "--only", "coordinates", TWIN_PROJ_DATA="/nowhere", TWIN_LANG="en")
    assert ended.returncode == 1
    assert "✗ Coordinates: Python and database transform alike\n" in ended.stdout
    assert "the grid `de_adv_BETA2007.tif` is missing" in ended.stdout
    assert "→ install the system's package `proj-data`" in ended.stdout
