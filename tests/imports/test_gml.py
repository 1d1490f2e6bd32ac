"""GML 2 and 3: axes as the CRS has them, arcs as chords, every value as text, nothing dropped and nothing fetched."""

from __future__ import annotations

import gzip
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused
from twin_api.imports.formats import open_file
from twin_api.imports.source import Source

URN = "urn:ogc:def:crs:EPSG::25832"


def gml(*members: str, version: str = "/3.2", more: str = "") -> str:
    spaces = f'xmlns:gml="http://www.opengis.net/gml{version}" xmlns:t="urn:t" xmlns:wfs="http://www.opengis.net/wfs/2.0"'
    spaces += f' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {more}'
    inside = "".join(f"<wfs:member>{member}</wfs:member>\n" for member in members)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<wfs:FeatureCollection {spaces}>\n{inside}</wfs:FeatureCollection>'


def thing(inside: str, name: str = "thing") -> str:
    return f'<t:{name} gml:id="a1">{inside}</t:{name}>'


def place(geometry: str) -> str:
    return f"<t:ort>{geometry}</t:ort>"


def point(x: Any = 678_000, y: Any = 5_540_000, crs: str = URN) -> str:
    return place(f'<gml:Point srsName="{crs}"><gml:pos>{x} {y}</gml:pos></gml:Point>')


def curve(segments: str) -> str:
    return f'<gml:Curve srsName="{URN}"><gml:segments>{segments}</gml:segments></gml:Curve>'


ARC = "<gml:Arc><gml:posList>0 0 1 1 2 0</gml:posList></gml:Arc>"
RETURN = "<gml:LineStringSegment><gml:posList>2 0 0 0</gml:posList></gml:LineStringSegment>"
CURVED_PATCH = f"<gml:PolygonPatch><gml:exterior><gml:Ring><gml:curveMember>{curve(ARC + RETURN)}</gml:curveMember></gml:Ring></gml:exterior></gml:PolygonPatch>"
PATCH = "<gml:PolygonPatch><gml:exterior><gml:LinearRing><gml:posList>{0} 0 {1} 0 {1} 1 {0} 0</gml:posList></gml:LinearRing></gml:exterior></gml:PolygonPatch>"


def surface(*patches: str) -> str:
    return f'<gml:Surface srsName="{URN}"><gml:patches>{"".join(patches)}</gml:patches></gml:Surface>'


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Source]:
    """A GML file of this text, opened as described; what has to be unpacked or noted goes to a folder of its own."""
    (tmp_path / "own").mkdir()

    def open_(text: str, name: str = "a.gml", **said: Any) -> Source:
        (tmp_path / name).write_text(text)
        return open_file(tmp_path / name, Description(**said), tmp_path / "own")

    return open_


def values(source: Source, column: str) -> list[Any]:
    return [value for batch in source.batches([column]) for value in batch.columns[column]]


def shape(source: Source) -> Any:
    return shapely.from_wkb(next(source.batches([])).wkb[0])


def refusal(opened: Callable[..., Source], text: str, **said: Any) -> str:
    with pytest.raises(FileRefused) as caught:
        list(opened(text, **said).batches([]))
    return str(caught.value)


@pytest.mark.parametrize("written", ["007", "1,5", "true", "2026-02-30", "9" * 40])
def test_every_value_is_the_text_that_stands_there(opened: Callable[..., Source], written: str) -> None:
    source = opened(gml(thing(f"<t:wert>{written}</t:wert>{point()}")))
    assert (source.columns["wert"], values(source, "wert")) == ("text", [written])


def test_what_is_empty_or_nil_is_not_known(opened: Callable[..., Source]) -> None:
    source = opened(gml(thing(f'<t:a/><t:b xsi:nil="true"/><t:c>x</t:c>{point()}'), thing(f"<t:a>1</t:a><t:b>2</t:b>{point()}")))
    assert (values(source, "a"), values(source, "b"), values(source, "c")) == ([None, "1"], [None, "2"], ["x", None])


@pytest.mark.parametrize(
    ("crs", "first", "second"),
    [
        ("urn:ogc:def:crs:EPSG::4326", 49.9, 11.5),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", 49.9, 11.5),
        ("EPSG:4326", 11.5, 49.9),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", 11.5, 49.9),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 11.5, 49.9),
    ],
)
def test_the_order_of_axes_is_that_of_the_name(opened: Callable[..., Source], crs: str, first: float, second: float) -> None:
    source = opened(gml(thing(point(first, second, crs))))
    assert shape(source).wkt == "POINT (11.5 49.9)"


def test_northing_comes_first_where_the_crs_says_so(opened: Callable[..., Source]) -> None:
    source = opened(gml(thing(point(5_540_000, 4_468_000, "urn:ogc:def:crs:EPSG::31468"))))
    assert (source.crs, shape(source).wkt) == ("EPSG:31468", "POINT (4468000 5540000)")


def test_heights_keep_their_system(opened: Callable[..., Source]) -> None:
    crs = "urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::7837"
    source = opened(gml(thing(place(f'<gml:Point srsName="{crs}" srsDimension="3"><gml:pos>678000 5540000 300</gml:pos></gml:Point>'))))
    assert "DHHN2016" in str(source.crs)
    assert shape(source).z == 300


def test_an_arc_is_a_row_of_chords_close_to_its_circle(opened: Callable[..., Source]) -> None:
    arc = shape(opened(gml(thing(place(curve(ARC))))))
    assert arc.length == pytest.approx(math.pi, abs=1e-4)
    assert all(math.dist(at, (1, 0)) == pytest.approx(1) for at in arc.coords)


def test_an_arc_is_the_same_whichever_way_it_is_walked(opened: Callable[..., Source]) -> None:
    there, back = (shape(opened(gml(thing(place(curve(arc)))))) for arc in (ARC, ARC.replace("0 0 1 1 2 0", "2 0 1 1 0 0")))
    assert list(there.coords) == list(back.coords)[::-1]


@pytest.mark.parametrize(
    ("geometry", "type_", "area"),
    [
        (surface(CURVED_PATCH), "Polygon", math.pi / 2),
        (surface(PATCH.format(0, 1), PATCH.format(1, 2)), "MultiPolygon", 1.0),
        (
            f'<gml:MultiSurface srsName="{URN}"><gml:surfaceMember>{surface(CURVED_PATCH)}</gml:surfaceMember></gml:MultiSurface>',
            "MultiPolygon",
            math.pi / 2,
        ),
    ],
)
def test_surfaces_become_polygons(opened: Callable[..., Source], geometry: str, type_: str, area: float) -> None:
    found = shape(opened(gml(thing(place(geometry)))))
    assert (found.geom_type, found.area) == (type_, pytest.approx(area, abs=1e-3))


def test_gml_2_is_read_with_its_own_way_to_write_coordinates(opened: Callable[..., Source]) -> None:
    ring = "<gml:LinearRing><gml:coordinates>0,0 1,0 1,1 0,0</gml:coordinates></gml:LinearRing>"
    polygon = f'<gml:Polygon srsName="{URN}"><gml:outerBoundaryIs>{ring}</gml:outerBoundaryIs></gml:Polygon>'
    assert shape(opened(gml(thing(place(polygon)), version=""))).area == 0.5
    comma = f'<gml:Point srsName="{URN}"><gml:coordinates decimal="," cs=" " ts=";">1,5 2,5</gml:coordinates></gml:Point>'
    assert shape(opened(gml(thing(place(comma)), version=""))).wkt == "POINT (1.5 2.5)"


def test_one_of_several_feature_types_is_chosen(opened: Callable[..., Source]) -> None:
    text = gml(thing(point(), "Plan"), thing(point(), "Flaeche"), thing(point(), "Flaeche"))
    assert refusal(opened, text).endswith("choose one with `--from`: `Plan`, `Flaeche`")
    assert opened(text, source_layer="Flaeche").total == 2


@pytest.mark.parametrize("coordinates", ["abc 5540000", "678.000,5 5.540.000", "1,5 2,5", "678000", "", "nan 1", "1_0 2", "1e 2"])
def test_coordinates_that_are_none_are_refused_with_their_line(opened: Callable[..., Source], coordinates: str) -> None:
    text = gml(thing(point()), thing(place(f'<gml:Point srsName="{URN}"><gml:pos>{coordinates}</gml:pos></gml:Point>')))
    assert refusal(opened, text).startswith("line 4: `gml:pos` holds no coordinates → numbers with a decimal point")


def test_elements_of_ones_own_may_be_called_like_those_of_gml(opened: Callable[..., Source]) -> None:
    assert values(opened(gml(thing(f"<t:pos>links</t:pos>{point()}"))), "pos") == ["links"]


def test_coordinates_are_looked_at_wherever_the_file_is_cut(opened: Callable[..., Source], monkeypatch: pytest.MonkeyPatch) -> None:
    text = gml(*(thing(point(n)) for n in range(20)), thing(point("abc")), *(thing(point(n)) for n in range(20)))
    for size in (7, 64, 333):
        monkeypatch.setattr("twin_api.imports.guards.gml_scan.CHUNK", size)
        assert refusal(opened, text).startswith("line 23: `gml:pos`")


@pytest.mark.parametrize("where", [None, "gml_id = 'a1'"])
def test_a_geometry_the_reader_gives_up_on_is_noticed(opened: Callable[..., Source], where: str | None) -> None:
    broken = place(f'<gml:LineString srsName="{URN}"><gml:posList>0 0 1 0 1</gml:posList></gml:LineString>')
    source = opened(gml(thing(point()), thing(broken), thing(point())), where=where)
    assert source.total == (3 if where is None else None)
    if where is None:
        assert sum(len(batch.fids) for batch in source.batches([])) < 3
    else:
        with pytest.raises(FileRefused, match="the file holds 3 features"):
            list(source.batches([]))


@pytest.mark.parametrize(
    ("first", "second"), [(URN, "urn:ogc:def:crs:EPSG::25833"), (URN, "EPSG:25832"), ("EPSG:4326", "urn:ogc:def:crs:EPSG::4326")]
)
def test_several_coordinate_systems_in_one_file_are_refused(opened: Callable[..., Source], first: str, second: str) -> None:
    text = gml(thing(point(crs=first)), thing(point(crs=second)))
    assert f"several coordinate reference systems: `{first}`, `{second}` → deliver one file for each" in refusal(opened, text)


@pytest.mark.parametrize(("crs", "is_same"), [("EPSG:25832", True), ("EPSG:4326", False)])
def test_an_extent_in_another_system_is_not_taken_for_that_of_the_geometries(
    opened: Callable[..., Source], crs: str, is_same: bool
) -> None:
    corners = "<gml:lowerCorner>1 2</gml:lowerCorner><gml:upperCorner>3 4</gml:upperCorner>"
    extent = f'<gml:boundedBy><gml:Envelope srsName="{crs}">{corners}</gml:Envelope></gml:boundedBy>'
    text = gml(thing(point())).replace("<wfs:member>", f"{extent}<wfs:member>", 1)
    if is_same:
        assert opened(text).crs == "EPSG:25832"
    else:
        assert f"several coordinate reference systems: `{URN}`, `EPSG:4326`" in refusal(opened, text)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda text: text[:-30], "is no XML from line 3 on"),
        (lambda text: text.replace("</t:ort>", "", 1), "is no XML from line 3 on"),
        (lambda text: text.replace("\n", '\n<!DOCTYPE x [<!ENTITY a "b">]>', 1), "holds a document type declaration"),
        (lambda text: gml(), "holds no data"),
    ],
)
def test_what_is_no_sound_gml_is_refused(opened: Callable[..., Source], harm: Callable[[str], str], expected: str) -> None:
    assert expected in refusal(opened, harm(gml(thing(point()))))


def test_features_with_two_geometries_are_refused_and_other_types_are_not(opened: Callable[..., Source]) -> None:
    line = f'<t:achse><gml:LineString srsName="{URN}"><gml:posList>0 0 1 1</gml:posList></gml:LineString></t:achse>'
    text = gml(thing(point() + line, "Strasse"), thing(point(), "Strasse"), thing(point(), "Schild"))
    expected = "`a.gml`: features with several geometries in `Strasse` → export one geometry for each feature"
    assert refusal(opened, text) == refusal(opened, text, source_layer="Strasse") == expected
    assert opened(text, source_layer="Schild").total == 1


def test_nothing_is_left_beside_the_file_and_nothing_there_is_believed(opened: Callable[..., Source], tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text("<schema/>")
    classes = "<GMLFeatureClass><Name>other</Name><ElementPath>other</ElementPath></GMLFeatureClass>"
    (tmp_path / "a.gfs").write_text(f"<GMLFeatureClassList>{classes}</GMLFeatureClassList>")
    os.utime(tmp_path / "a.gfs", (time.time() + 99,) * 2)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name != "own"}
    assert values(opened(gml(thing(f"<t:nr>007</t:nr>{point()}"))), "nr") == ["007"]
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name not in ("own", "a.gml")} == before


def test_a_reference_is_followed_neither_within_the_file_nor_beyond_it(opened: Callable[..., Source], tmp_path: Path) -> None:
    (tmp_path / "other.gml").write_text(gml(thing(point())))
    source = opened(gml(thing('<t:ort xlink:href="other.gml#a1"/><t:nr>1</t:nr>'), thing(point())))
    assert [wkb is None for wkb in next(source.batches([])).wkb] == [True, False]


@pytest.mark.parametrize("name", ["a.gml.gz", "a.xml", "A.GML"])
def test_the_file_may_be_packed_or_called_xml(opened: Callable[..., Source], tmp_path: Path, name: str) -> None:
    text = gml(thing(f"<t:nr>007</t:nr>{point()}"))
    if not name.endswith(".gz"):
        assert opened(text, name).total == 1
        return
    (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    assert open_file(tmp_path / name, Description(), tmp_path / "own").total == 1
