"""Files whose coordinates are misunderstood: one finding says what would bring the features into the town, and nothing is guessed."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from pyogrio.raw import read, write

from tests.imports.things import Database, attribute, point
from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused
from twin_api.imports.places.shapes import ShapeCheck
from twin_api.imports.run import ImportRequest, run_import
from twin_api.policy.documents import Extent, Geometry, Layer
from twin_api.settings import Settings

NewLayer = Callable[..., Layer]
Write = Callable[..., Path]
TOWN = Extent(25832, 674_000, 5_536_000, 682_000, 5_544_000)
ESSEN = Extent(25832, 352_000, 5_689_000, 378_000, 5_712_000)
PLACES = {
    "UTM 32": (678_000.0, 5_540_000.0), "UTM 33": (247_985.0, 5_544_355.0), "degrees": (11.48367, 49.98393), "Mercator": (1_278_356.0, 6_443_148.0),
    "GK 4": (4_463_060.0, 5_538_917.0),
}  # fmt: skip


def refusal(database: Database, layer: Layer, file: Path, said: Description, extent: Extent | None) -> list[str]:
    """The findings in English; the layer's table stays empty."""
    database.create(layer)
    with pytest.raises(FileRefused) as caught:
        run_import(ImportRequest([file], said, extent=extent), layer, database.connect)
    assert database.value("SELECT count(*) FROM store.thing") == 0
    return [finding.text().say("en") for finding in caught.value.findings]


def several(x: float, y: float, count: int = 4) -> list[tuple[dict[str, Any], Any]]:
    return [({"nr": str(n)}, point(x, y)) for n in range(count)]


def turned(place: tuple[float, float]) -> tuple[float, float]:
    return place[1], place[0]


MISUNDERSTOOD: list[tuple[str | None, tuple[float, float], Description, str]] = [  # declared CRS (None: degrees), place, said, would help
    ("EPSG::25832", turned(PLACES["UTM 32"]), Description(), "`axes: swapped`"),
    ("EPSG::25832", PLACES["UTM 32"], Description(axes="swapped"), "`axes: as-declared`"),
    ("EPSG::25832", (32_678_000.0, 5_540_000.0), Description(), "`zone_prefix: 32`"),
    ("EPSG::25832", (5_540_000.0, 32_678_000.0), Description(), "`axes: swapped`, `zone_prefix: 32`"),
    ("EPSG::25832", (678_000.0, 5_540_000.0), Description(zone_prefix=32), "`zone_prefix` left out"),
    ("EPSG::4647", PLACES["UTM 32"], Description(), "`crs: EPSG:25832`"),
    ("EPSG::25832", PLACES["degrees"], Description(), "`crs: EPSG:4326`"),
    ("EPSG::25832", turned(PLACES["degrees"]), Description(), "`crs: EPSG:4326`, `axes: swapped`"),
    ("EPSG::25832", PLACES["Mercator"], Description(), "`crs: EPSG:3857`"),
    ("EPSG::25832", PLACES["UTM 33"], Description(), "`crs: EPSG:25833`"),
    ("EPSG::25832", PLACES["GK 4"], Description(), "`crs: EPSG:31468` or `crs: EPSG:2398`"),
    ("EPSG::25832", PLACES["UTM 32"], Description(crs="EPSG:25833"), "`crs: EPSG:25832`"),
    (None, PLACES["UTM 32"], Description(), "`crs: EPSG:25832`"),
    (None, turned(PLACES["degrees"]), Description(), "`axes: swapped`"),
    (None, PLACES["GK 4"], Description(), "`crs: EPSG:31468` or `crs: EPSG:2398`"),
]


@pytest.mark.parametrize(("crs", "place", "said", "help_"), MISUNDERSTOOD)
def test_what_would_bring_all_features_into_the_town_is_said_once(
    database: Database, new_layer: NewLayer, geojson: Write, crs: str | None, place: tuple[float, float], said: Description, help_: str
) -> None:
    found = refusal(database, new_layer(), geojson(*several(*place), crs=crs), said, TOWN)
    assert found == [f"4 of 4 features lie outside the town; with {help_} all would lie inside → say so if the source confirms it"]


def test_what_is_proposed_then_brings_them_in(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    database.create(layer := new_layer())
    file = geojson(*several(5_540_000.25, 32_678_000.5))
    run_import(ImportRequest([file], Description(axes="swapped", zone_prefix=32), extent=TOWN), layer, database.connect)
    assert set(database.rows("SELECT postgis.ST_AsText(geometry) FROM store.thing")) == {("POINT(678000.5 5540000.25)",)}


@pytest.mark.parametrize("place", [turned(PLACES["UTM 32"]), (32_678_000.0, 5_540_000.0), PLACES["degrees"]])
def test_without_an_extent_the_area_of_the_layers_system_is_what_is_known(
    database: Database, new_layer: NewLayer, geojson: Write, place: tuple[float, float]
) -> None:
    found = refusal(database, new_layer(), geojson(*several(*place)), Description(), None)
    assert found[0].startswith("4 of 4 features lie outside the area of EPSG:25832; with `")


def test_features_nothing_would_help_are_counted_too(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    found = refusal(database, new_layer(), geojson(*several(0.0, 0.0)), Description(), TOWN)
    assert found == ["4 of 4 features lie outside the town → check the file's CRS and axis order"]


def test_a_few_features_outside_are_named_one_by_one(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    file = geojson(*several(*PLACES["UTM 32"]), ({"nr": "away"}, point(698_001.0, 5_540_000.0)), ({"nr": "zero"}, point(0.0, 0.0)))
    found = refusal(database, new_layer(), file, Description(), TOWN)
    assert found == [
        "feature 5, fid 4: lies outside the town → check the file's CRS and axis order",
        "feature 6, fid 5: lies outside the town → check the file's CRS and axis order",
    ]


def test_what_lies_within_the_towns_own_size_around_it_is_let_in(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    database.create(layer := new_layer())
    file = geojson(({"nr": "near"}, point(689_999.0, 5_540_000.0)))
    assert run_import(ImportRequest([file], extent=TOWN), layer, database.connect).inserted == 1


def test_what_only_reaches_out_of_the_town_is_let_in(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    database.create(layer := new_layer(type_="LineString"))
    road = {"type": "LineString", "coordinates": [[500_000, 5_540_000], [678_000, 5_540_000]]}
    assert run_import(ImportRequest([geojson(({"nr": "A 70"}, road))], extent=TOWN), layer, database.connect).inserted == 1


def test_thousands_outside_are_one_finding_beside_the_others(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("zahl", "integer"))
    swapped = point(*turned(PLACES["UTM 32"]))
    file = geojson(*(({"nr": str(n), "zahl": "x" if n == 7 else "1"}, swapped) for n in range(12_000)))
    found = refusal(database, layer, file, Description(), TOWN)
    assert found[0].startswith("feature 8, fid 7, `zahl`: ")
    assert found[1:] == [
        "12000 of 12000 features lie outside the town; with `axes: swapped` all would lie inside → say so if the source confirms it"
    ]


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize(("place", "help_"), [("UTM 32", "`crs: EPSG:25832`"), ("GK 4", "`crs: EPSG:31468` or `crs: EPSG:2398`")])
def test_a_file_that_names_no_system_is_told_which_would_fit(
    database: Database, new_layer: NewLayer, tmp_path: Path, place: str, help_: str
) -> None:
    shapes = shapely.to_wkb(shapely.points([PLACES[place]] * 3))
    keys = np.array(["1", "2", "3"], dtype=object)
    write(
        tmp_path / "a.gpkg", shapes, [keys], ["nr"], driver="GPKG", geometry_type="Point", crs=None, layer_options={"SPATIAL_INDEX": "NO"}
    )
    found = refusal(database, new_layer(), tmp_path / "a.gpkg", Description(), TOWN)
    assert len(found) == 1
    assert found[0].startswith(f"the file names no coordinate reference system; with {help_} all would lie inside the town → set the CRS")


def test_it_is_said_in_german_too(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    database.create(layer := new_layer())
    file = geojson(*several(*turned(PLACES["UTM 32"])))
    with pytest.raises(FileRefused) as caught:
        run_import(ImportRequest([file], extent=TOWN), layer, database.connect)
    assert caught.value.findings[0].text().de == (
        "4 von 4 Objekten liegen außerhalb der Gemeinde; mit `axes: swapped` lägen alle innerhalb → so angeben, wenn die Quelle es bestätigt"
    )


@pytest.mark.filterwarnings("ignore:EPSG.102329 is not a valid CRS code")
def test_the_addresses_of_essen_are_recognised_and_placed(testdata: Path, tmp_path: Path) -> None:
    """An Esri number written as one of EPSG's, and northing before easting with a zone in front."""
    file = tmp_path / "addresses.gml"
    file.write_bytes(gzip.decompress((testdata / "addresses-essen/wfs_page_000.gml.gz").read_bytes()))
    declared = pyogrio.read_info(file)["crs"]
    wkb = list(read(file, columns=[])[2])
    geometry, astray = Geometry("Point", 25832, "public"), []
    check = ShapeCheck(geometry, declared, Description(), ESSEN)
    check.ewkb(wkb, pytest.fail, lambda row, what, remedy: astray.append(row))
    assert len(astray) == 1_000
    finding = check.conclude()
    assert finding is not None
    assert "1000 of 1000 features lie outside the town; with `axes: swapped` all would lie inside" in finding.text().say("en")
    placed = ShapeCheck(geometry, declared, Description(axes="swapped"), ESSEN)
    first = shapely.from_wkb(placed.ewkb(wkb, pytest.fail, pytest.fail)[0])
    assert placed.conclude() is None
    assert (first.x, first.y) == pytest.approx((362_105.0, 5_710_920.0), abs=1e-6)


def test_a_file_in_gauss_krueger_arrives_where_its_publisher_says(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    """A point of the test data of BeTA2007, through the process that reads files, into the database."""
    database.create(layer := new_layer())
    file = geojson(({"nr": "1"}, point(2_598_417.333192, 5_930_677.980308)), crs="EPSG::31466")
    run_import(ImportRequest([file], grids=Settings().proj_data), layer, database.connect)
    x, y = database.rows("SELECT postgis.ST_X(geometry), postgis.ST_Y(geometry) FROM store.thing")[0]
    assert (x, y) == pytest.approx((399_340.601863, 5_928_794.177992), abs=1e-5)
