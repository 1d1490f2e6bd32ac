"""`crs`: the same items with their coordinates in other systems, compared with pyproj; axes in the order of their authority."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest
import shapely
from pyproj import CRS, Transformer

from tests.door.clients import client_as
from tests.query.asked import ask, found, walk
from tests.towns import Town
from twin_api.query.crs import COMMON, CRS84, CRS84H, offered_crs, storage_crs
from twin_api.store.collection import Axes, Description
from twin_api.texts import Text

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
SHOWN = [
    ("citizen", "baeume"), ("council", "kanalschaechte"), ("administration", "kanalschaechte"), ("administration/bauamt", "bauantraege"),
]  # fmt: skip
CENTIMETRE = {True: 1.01e-7, False: 0.0101}  # of a degree, of a metre: the last digit may be rounded the other way


def told(geometry_type: str | None, epsg: int | None, axes: Axes | None = None) -> Description:
    return Description(Text("x"), (), geometry_type, epsg, None, "", "", axes=axes)


def points(features: list[Any]) -> dict[str, Any]:
    shapes = {feature["id"]: shapely.geometry.shape(feature["geometry"]) for feature in features}
    return {id: shapely.get_coordinates(shape, include_z=True) for id, shape in shapes.items()}


def stored(town: Town, role: str, collection: str) -> dict[str, Any]:
    """The published geometries, masked as the role sees them, in the layer's own CRS and PostGIS' order of axes."""
    with town.superuser() as connection:
        query = (
            f'SELECT id::text, postgis.ST_AsBinary(postgis.ST_ForcePolygonCCW(_geometry)) FROM "{role.replace("/", "_")}"."{collection}"'
        )
        rows: list[tuple[str, bytes]] = connection.execute(query.encode()).fetchall()
    return {id: shapely.get_coordinates(shapely.from_wkb(bytes(wkb)), include_z=True) for id, wkb in rows}


@pytest.mark.requirement("/req/crs/fc-crs-action")
@pytest.mark.requirement("/req/crs/geojson")
@pytest.mark.parametrize("crs", COMMON, ids=lambda crs: crs.uri.rpartition("/")[2])
@pytest.mark.parametrize(("role", "collection"), SHOWN)
def test_coordinates_are_those_of_pyproj_to_the_centimetre(town: Town, role: str, collection: str, crs: Any) -> None:
    transform = Transformer.from_crs(25832, CRS(crs.uri) if crs.uri.startswith(EPSG) else CRS("OGC:CRS84"))  # the authority's own order
    shown = points(found(town, role, collection, crs=crs.uri))
    before = stored(town, role, collection)
    assert shown.keys() == before.keys()
    for id, place in shown.items():
        wanted = np.column_stack(transform.transform(before[id][:, 0], before[id][:, 1]))
        assert place[:, :2] == pytest.approx(wanted, abs=CENTIMETRE[crs.is_degrees])
        heights = place[:, 2] if crs.is_flat else place[:, 2] - before[id][:, 2]
        assert np.all(np.isnan(place[:, 2])) if crs.is_flat else np.all(np.isnan(heights) | (np.abs(heights) < 0.006))


@pytest.mark.parametrize("crs", COMMON, ids=lambda crs: crs.uri.rpartition("/")[2])
def test_no_coordinate_has_more_digits_than_a_centimetre(town: Town, crs: Any) -> None:
    """What was coarse for somebody stays so: the digits of a transformed cell's centre tell nothing."""
    for feature in found(town, "council", "kanalschaechte", crs=crs.uri):
        assert all(round(number, crs.digits) == number for number in feature["geometry"]["coordinates"])


def test_a_coarse_place_is_one_place_in_every_crs(town: Town) -> None:
    cells = {tuple(feature["geometry"]["coordinates"]) for feature in found(town, "council", "kanalschaechte")}
    for crs in COMMON:
        assert len({tuple(f["geometry"]["coordinates"]) for f in found(town, "council", "kanalschaechte", crs=crs.uri)}) == len(cells)


@pytest.mark.parametrize("asked", [{}, {"art": "Linde"}, {"bbox": "11,49,12,50"}], ids=str)
def test_all_but_the_geometry_is_as_ever(town: Town, asked: dict[str, str]) -> None:
    plain = ask(town, limit=1000, **asked).json()["features"]
    other = ask(town, limit=1000, crs=f"{EPSG}25832", **asked).json()["features"]
    assert [f | {"geometry": None} for f in other] == [f | {"geometry": None} for f in plain]
    assert [f["geometry"]["type"] for f in other] == [f["geometry"]["type"] for f in plain]
    address = str(ask(town, limit=7, crs=f"{EPSG}25832", **asked).request.url)
    assert walk(client_as(town, "citizen"), address) == other


def test_the_layers_own_coordinates_come_back(town: Town) -> None:
    trees = {tuple(feature["geometry"]["coordinates"]) for feature in found(town, crs=f"{EPSG}25832")}
    assert trees >= {(672000 + 37 * (n % 8), 5500000 + 53 * (n // 8)) for n in range(40)}


@pytest.mark.requirement("/req/crs/fc-crs-definition")
def test_an_item_is_shown_in_a_crs_as_its_page_shows_it(town: Town) -> None:
    for crs in offered_crs(told("PointZ", 25832)):
        for feature in found(town, "administration", "kanalschaechte", crs=crs.uri)[:3]:
            path = f"/administration/collections/kanalschaechte/items/{feature['id']}"
            answer = client_as(town, "administration").get(path, params={"crs": crs.uri})
            assert answer.headers["content-crs"] == f"<{crs.uri}>"
            one = answer.json()
            assert all("crs=" in link["href"] for link in one.pop("links") if link["rel"] in ("self", "alternate"))
            assert one == feature


@pytest.mark.requirement("/req/crs/ogc-crs-header")
@pytest.mark.requirement("/req/crs/ogc-crs-header-value")
@pytest.mark.requirement("/req/crs/fc-crs-default-value")
@pytest.mark.parametrize(("role", "collection", "default"), [("citizen", "baeume", CRS84), ("administration", "kanalschaechte", CRS84H)])
def test_every_answer_says_its_crs(town: Town, role: str, collection: str, default: Any) -> None:
    for form in ("json", "html"):
        assert ask(town, role, collection, f=form).headers["content-crs"] == f"<{default.uri}>"
        assert ask(town, role, collection, f=form, crs=COMMON[3].uri).headers["content-crs"] == f"<{COMMON[3].uri}>"
    assert ask(town, role, collection, crs=default.uri).json()["features"] == ask(town, role, collection).json()["features"]


@pytest.mark.requirement("/req/crs/fc-crs-valid-value")
@pytest.mark.parametrize(
    "uri",
    [
        "", "CRS84", "EPSG:25832", "25832", f"{EPSG}25834", f"{EPSG}25832/", f"{EPSG}025832", f"{EPSG}-1", f"{EPSG}99999999999999", CRS84H.uri,
        "http://www.opengis.net/def/crs/EPSG/0/25832 ", "HTTP://WWW.OPENGIS.NET/def/crs/EPSG/0/25832", "urn:ogc:def:crs:EPSG::25832", "a" * 4000,
        f"<{EPSG}25832>", f"{EPSG}25832,{EPSG}25833", "+proj=longlat +nadgrids=/etc/passwd", "' OR 1=1", "\x00", "file:///etc/passwd", f"{EPSG}٢٥٨٣٢",
    ],
)  # fmt: skip
def test_a_crs_that_is_not_offered_is_refused(town: Town, uri: str) -> None:
    id = found(town)[0]["id"]
    for refused in (ask(town, crs=uri), client_as(town, "citizen").get(f"/citizen/collections/baeume/items/{id}", params={"crs": uri})):
        assert (refused.status_code, refused.json()["parameter"]) == (400, "crs")


def test_a_reader_may_transform_by_number_only(town: Town) -> None:
    with town.login("citizen") as connection:
        shown = connection.execute("SELECT ST_AsGeoJSON(ST_Transform(_geometry, 25833)) FROM baeume").fetchone()
        assert shown is not None
        for other in ("ST_Transform(_geometry, '+proj=longlat')", "ST_Transform(_geometry, '+proj=longlat', 4326)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {other} FROM baeume".encode())
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute("UPDATE postgis.spatial_ref_sys SET proj4text = ''")


OWN: list[tuple[Description, tuple[str, bool, int] | None]] = [
    (told("Point", 25832, Axes(False, False)), (f"{EPSG}25832", False, 2)),
    (told("Point", 31468, Axes(True, False)), (f"{EPSG}31468", True, 2)),
    (told("Point", 4258, Axes(True, True)), (f"{EPSG}4258", True, 7)),
    (told("Point", 4326, Axes(True, True)), (f"{EPSG}4326", True, 7)),
    (told("Point", 31468), None),  # an older version did not say how its axes run
    (told(None, None), None),
]


@pytest.mark.requirement("/req/crs/fc-md-storageCrs-valid-value")
@pytest.mark.parametrize(("description", "wanted"), OWN)
def test_the_layers_own_crs_is_offered_where_its_axes_are_known(description: Description, wanted: tuple[str, bool, int] | None) -> None:
    own = storage_crs(description)
    assert (None if own is None else (own.uri, own.axes_swapped, own.digits)) == wanted
    uris = [crs.uri for crs in offered_crs(description)]
    assert len(uris) == len(set(uris))
    assert own is None or own.uri in uris


@pytest.mark.slow
def test_degrees_are_shown_latitude_first_and_what_a_zone_cannot_reach_has_no_geometry_there(new_town: Callable[..., Town]) -> None:
    town = new_town(apply=False)
    town.edit("layers/baeume.yaml", "epsg: 25832", "epsg: 4258")
    town.settle(rows=False)
    places = {"near": "11.25 49.5", "far": "100.125 0.5"}
    town.insert("baeume", [{"baum_nr": k, "art": k, "status": "steht", "geometry": f"SRID=4258;POINT({p})"} for k, p in places.items()])
    for uri in (*(crs.uri for crs in COMMON), f"{EPSG}4258"):
        shown = {f["properties"]["art"]: f["geometry"] and f["geometry"]["coordinates"] for f in found(town, crs=uri)}
        assert shown.keys() == places.keys()
        assert shown["near"] is not None
        assert (shown["far"] is None) is uri.endswith(("25832", "25833"))
    assert shown == {"near": [49.5, 11.25], "far": [0.5, 100.125]}
