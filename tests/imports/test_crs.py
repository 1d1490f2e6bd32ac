"""From one coordinate system into another: checked against published points, and refused where it would not be exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio.raw import read
from pyproj import CRS

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused
from twin_api.imports.places.crs import read_crs, transform_into
from twin_api.imports.places.crs_names import find_named
from twin_api.policy.documents import Extent, Geometry, GeometryType

STUTTGART = Extent(25832, 500_000, 5_396_000, 525_000, 5_412_000)
PLAIN = Description()


def move(source: str, target: int, *place: float, said: Description = PLAIN, type_: GeometryType = "Point") -> list[float]:
    """One place, by the way an import takes."""
    origin = read_crs(source, said)
    assert origin is not None
    moved = transform_into(Geometry(type_, target, "public", "DHHN2016"), origin, said)(np.array([place]))
    return [float(number) for number in moved[0]]


# DHDN to ETRS89 by BeTA2007: the first two from the test data of its publisher (BKG), the third from a test of proj4js
PUBLISHED = [
    ("EPSG:31466", 25832, (2598417.333192, 5930677.980308), (399340.601863, 5928794.177992), 1e-5),
    ("EPSG:4314", 4258, (7.483333333333, 53.5), (7.482506019176, 53.498461143331), 1e-11),
    ("EPSG:31466", 25832, (2559552, 5670982), (349757.381712518, 5671004.065049540), 1e-3),
]


@pytest.mark.parametrize(("source", "target", "place", "expected", "tolerance"), PUBLISHED)
def test_published_points_of_the_national_grid_are_met(
    grids: None, source: str, target: int, place: tuple[float, ...], expected: tuple[float, ...], tolerance: float
) -> None:
    assert move(source, target, *place) == pytest.approx(expected, abs=tolerance)


def test_a_zone_in_front_of_eastings_is_thirty_two_million_metres() -> None:
    expected = pytest.approx([361_000.25, 5_700_000.5], abs=1e-6)
    assert move("EPSG:4647", 25832, 32_361_000.25, 5_700_000.5) == expected
    assert move("EPSG:25832", 25832, 32_361_000.25, 5_700_000.5, said=Description(zone_prefix=32)) == expected


def test_swapped_axes_change_places_before_the_zone_goes() -> None:
    said = Description(axes="swapped", zone_prefix=32)
    assert move("EPSG:25832", 25832, 5_700_000.5, 32_361_000.25, said=said) == [361_000.25, 5_700_000.5]


def test_a_place_in_the_layers_own_system_is_not_touched() -> None:
    assert move("EPSG:25832", 25832, 678_000.1234567, 5_540_000.7654321) == [678_000.1234567, 5_540_000.7654321]


def test_what_a_person_says_replaces_what_the_file_says(grids: None) -> None:
    said = Description(crs="EPSG:31466")
    assert move("EPSG:25832", 25832, *PUBLISHED[0][2], said=said) == pytest.approx(PUBLISHED[0][3], abs=1e-5)


@pytest.mark.parametrize("crs", ["EPSG:25832+7837", "EPSG:4647+7837", "EPSG:25832"])
def test_heights_are_kept_to_the_last_digit(crs: str) -> None:
    x = 32_678_000.0 if "4647" in crs else 678_000.0
    assert move(crs, 25832, x, 5_540_000.0, 412.3712345678912, type_="PointZ")[2] == 412.3712345678912


@pytest.mark.parametrize(
    ("crs", "found"),
    [("EPSG:25832+5783", "DHHN92 height"), ("EPSG:5555", "DHHN92 height"), ("EPSG:4979", "ellipsoid"), ("EPSG:4937", "ellipsoid")],
)
def test_other_heights_are_refused_with_or_without_grids(grids: None, crs: str, found: str) -> None:
    with pytest.raises(FileRefused, match=f"{found}.* DHHN2016 is required → deliver heights in DHHN2016"):
        move(crs, 25832, 11.5, 50.0, 400.0, type_="PointZ")


def test_heights_do_not_matter_where_the_layer_has_none() -> None:
    assert move("EPSG:25832+5783", 25832, 678_000.0, 5_540_000.0) == [678_000.0, 5_540_000.0]


def test_without_the_grid_the_transformation_is_refused_and_the_remedy_named(no_grids: None) -> None:
    with pytest.raises(FileRefused, match=r"grid `de_adv_BETA2007.tif` is missing → install the system's package `proj-data`"):
        move("EPSG:31467", 25832, 3_500_000, 5_500_000)


def test_a_state_with_a_grid_of_its_own_needs_it(grids: None) -> None:
    origin = CRS("EPSG:31467")
    with pytest.raises(FileRefused, match=r"grid `de_lgl_bw_BWTA2017.tif` is missing → fetch the grid \(`pyproj sync --file"):
        transform_into(Geometry("Point", 25832, "public"), origin, PLAIN, STUTTGART)


def test_a_system_that_is_not_meant_for_the_town_is_refused(grids: None) -> None:
    with pytest.raises(FileRefused, match="there is none"):
        transform_into(Geometry("Point", 25832, "public"), CRS("EPSG:2398"), PLAIN, STUTTGART)


GK3 = (
    'PROJCS["DHDN / 3-degree Gauss-Kruger zone 3",GEOGCS["DHDN",DATUM["Deutsches_Hauptdreiecksnetz",'
    'SPHEROID["Bessel 1841",6377397.155,299.1528128],TOWGS84[598.1,73.7,418.2,0.202,0.045,-2.455,6.7]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
    'PARAMETER["central_meridian",9],PARAMETER["scale_factor",1],PARAMETER["false_easting",3500000],PARAMETER["false_northing",0],'
    'UNIT["metre",1]]'
)


def test_seven_parameters_in_a_file_do_not_take_the_place_of_the_grid(no_grids: None) -> None:
    with pytest.raises(FileRefused, match="BETA2007"):
        move(GK3, 25832, 3_500_000, 5_500_000)


def test_a_definition_written_out_is_the_system_it_describes(grids: None) -> None:
    assert move(GK3, 25832, 3_500_000, 5_500_000) == move("EPSG:31467", 25832, 3_500_000, 5_500_000)


@pytest.mark.parametrize(
    ("name", "epsg"),
    [
        ("urn:ogc:def:crs:EPSG::25832", 25832), ("http://www.opengis.net/def/crs/EPSG/0/25833", 25833), ("epsg:25832", 25832),
        ("http://www.opengis.net/gml/srs/epsg.xml#31467", 31467), ("urn:ogc:def:crs:EPSG::102329", 4647), ("EPSG:102329", 4647),
        ("ESRI:102329", 4647), ("urn:adv:crs:ETRS89_UTM32", 25832), ("DE_DHDN_3GK4", 31468), ("EPSG:25832+7837", None),
        ("urn:adv:crs:ETRS89_UTM32*DE_DHHN2016_NH", None),
    ],
)  # fmt: skip
def test_the_names_of_german_files_are_known(name: str, epsg: int | None) -> None:
    crs = find_named(name)
    assert crs is not None
    if epsg is None:
        assert crs.equals(CRS("EPSG:25832+7837"))
    else:
        assert crs.equals(CRS.from_epsg(epsg), ignore_axis_order=True)


@pytest.mark.parametrize("name", ["EPSG:999999", "urn:adv:crs:DE_DHDN_3GK3_NW101", "Gauß-Krüger", "x" * 100_000, "EPSG:", "+proj=nothing"])
def test_a_name_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(FileRefused, match="there is no coordinate reference system"):
        read_crs(name, PLAIN)


@pytest.mark.parametrize(
    "name", ["", "+proj=utm +zone=32 +ellps=GRS80 +units=m", "+proj=utm +zone=32 +ellps=GRS80 +towgs84=0,0,0 +units=m +type=crs",
             'LOCAL_CS["Undefined Cartesian SRS",UNIT["metre",1]]']
)  # fmt: skip
def test_an_ellipsoid_alone_is_no_coordinate_system(name: str) -> None:
    assert read_crs(name, PLAIN) is None


def test_the_borders_of_the_states_lie_within_a_metre_of_those_of_their_towns(grids: None, testdata: Path) -> None:
    """VG5000 in Gauß-Krüger and in UTM. The latter was made by seven parameters, not by the grid: a metre off at most."""
    meta, _, borders, fields = read(f"/vsizip/{testdata / 'admin-vg5000/original-gk3/VG5000_LAN.zip'}")
    names = fields[list(meta["fields"]).index("GEN")]
    states = shapely.from_wkb(borders[np.isin(names, ["Bayern", "Rheinland-Pfalz"])])
    towns = shapely.from_wkb(read(testdata / "admin-vg5000/vg5000_gem_rlp_by.gpkg", layer="gem", columns=[])[2])
    corners = shapely.STRtree(shapely.points(np.unique(shapely.get_coordinates(towns), axis=0)))
    moved = transform_into(Geometry("Point", 25832, "public"), CRS(meta["crs"]), PLAIN)(shapely.get_coordinates(states))
    _, apart = corners.query_nearest(shapely.points(moved), return_distance=True, all_matches=False)
    assert (len(moved), float(np.max(apart)) < 1.1, float(np.median(apart)) < 0.5) == (1_772, True, True)
