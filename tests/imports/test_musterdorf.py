"""The sample town: the same for the same seed, sound in itself, and good enough for its own import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import read

from tests.imports.things import Database, asked
from twin_api.imports.run import run_import
from twin_api.layers.musterdorf import LAYERS, write_town
from twin_api.policy.documents import Layer
from twin_api.policy.load import load
from twin_api.settings import PROJECT

SMALL = 5_000
TOWN = """
town: {name: Musterdorf, ags: "09572999", epsg: 25832, languages: [de, en]}
pages: {imprint: https://www.musterdorf.example/impressum, privacy: https://www.musterdorf.example/datenschutz}
departments: {wasser: W, bauhof: B, bauamt: A, feuerwehr: F, ordnung: O, kaemmerei: K, isb: I, dsb: D}
classes:
"""
CLASSES = ("public", "internal", "personal", "kritis", "einsatz")
CITIZEN = "{role: citizen, access: anonymous, collections: {ortsteile: {rows: all, geometry: keep, attributes: {name: keep}}}}"
NULLABLE = {"hoehe_m", "miete_eur_m2", "tiefe_bis_m"}

Files = Mapping[str, Path]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The town as the demo has it."""
    return write_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def town_layers() -> Mapping[str, Layer]:
    return load(PROJECT / "policies").layers


def content(path: Path) -> tuple[list[bytes], list[list[str]]]:
    _, _, shapes, columns = read(path)
    return list(shapes), [[str(value) for value in column] for column in columns]


def features(path: Path) -> tuple[Any, dict[str, Any]]:
    meta, _, shapes, columns = read(path)
    return shapely.from_wkb(shapes), dict(zip(meta["fields"], columns, strict=True))


def test_the_same_seed_builds_the_same_town_and_another_seed_another(tmp_path: Path) -> None:
    one, same, other = (write_town(tmp_path / name, seed, SMALL) for name, seed in (("a", 7), ("b", 7), ("c", 8)))
    assert all(content(one[layer]) == content(same[layer]) for layer in one)
    assert all(content(one[layer]) != content(other[layer]) for layer in one)


@pytest.mark.parametrize("size", [SMALL, 12_345, 40_000])
def test_the_town_is_as_large_as_asked_within_a_tenth(tmp_path: Path, size: int) -> None:
    counts = [len(read(file, columns=[])[2]) for file in write_town(tmp_path, 7, size).values()]
    assert sum(counts) == pytest.approx(size, rel=0.1)


def test_a_town_too_small_for_its_districts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 5000"):
        write_town(tmp_path, 7, 4_999)


def test_every_layer_is_announced_once_it_is_written(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    write_town(tmp_path, 7, SMALL, lambda *said: heard.append(said))
    assert heard == [(layer, number, 22) for number, layer in enumerate(LAYERS, 1)]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_geometry_is_valid_in_the_boundary_and_to_the_centimetre(town: Files, layer: str) -> None:
    shapes, columns = features(town[layer])
    shapes = shapes[~shapely.is_missing(shapes)]
    assert shapely.is_valid(shapes).all()
    assert not shapely.is_empty(shapes).any()
    corners = shapely.get_coordinates(shapes, include_z=bool(shapely.has_z(shapes).any()))
    assert np.abs(corners - np.round(corners, 2)).max() < 1e-6
    assert shapely.intersects(features(town["gemeindegebiet"])[0][0], shapes).all()
    assert all(np.isfinite(column).all() for name, column in columns.items() if column.dtype.kind == "f" and name not in NULLABLE)


def test_the_districts_part_the_boundary_without_gap_or_overlap(town: Files) -> None:
    boundary, districts = features(town["gemeindegebiet"])[0][0], features(town["ortsteile"])[0]
    assert shapely.area(districts).sum() == pytest.approx(boundary.area, abs=0.01)
    assert shapely.union_all(districts).equals(boundary)
    assert shapely.coverage_is_valid(districts)


def test_buildings_and_parcels_do_not_lie_over_each_other(town: Files) -> None:
    for layer in ("gebaeude", "flurstuecke"):
        shapes = features(town[layer])[0]
        one, other = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
        assert shapely.area(shapely.intersection(shapes[one], shapes[other])).max(initial=0) < 1


def test_sewers_fall_from_manhole_to_manhole(town: Files) -> None:
    manholes, of = features(town["kanalschaechte"])
    at = dict(zip(of["schacht_nr"], map(tuple, shapely.get_coordinates(manholes, include_z=True)), strict=True))
    sewers, named = features(town["kanalhaltungen"])
    ends = shapely.get_coordinates(sewers, include_z=True).reshape(-1, 2, 3)
    assert [at[number] for number in named["von_schacht"]] == [tuple(start) for start in ends[:, 0]]
    assert [at[number] for number in named["bis_schacht"]] == [tuple(end) for end in ends[:, 1]]
    assert (ends[:, 0, 2] > ends[:, 1, 2]).all()


def test_the_affected_buildings_are_those_that_stand_in_the_water_of_their_depth(town: Files) -> None:
    water, depth = features(town["hochwasser_hq100"])
    affected, of = features(town["hochwasser_gebaeude"])
    building, area = shapely.STRtree(water).query(affected, predicate="intersects")
    assert list(np.unique(building)) == list(range(len(affected)))
    deepest = np.where(np.isnan(depth["tiefe_bis_m"]), np.inf, depth["tiefe_bis_m"])
    assert (of["tiefe_m"][building] >= depth["tiefe_von_m"][area]).all()
    assert (of["tiefe_m"][building] <= deepest[area]).all()
    assert set(of["gebaeude_id"]) <= set(features(town["gebaeude"])[1]["gebaeude_id"])
    assert sorted(of["rang"]) == list(range(1, len(affected) + 1))


def test_small_and_large_cells_occur_in_the_districts(town: Files) -> None:
    assert min(by_district(town, "kanalschaechte")) >= 25
    assert sum(5 <= trees <= 15 for trees in by_district(town, "baeume")) == 2
    assert sum(affected >= 12 for affected in by_district(town, "hochwasser_gebaeude")) >= 4


def by_district(town: Files, layer: str) -> list[int]:
    districts, shapes = features(town["ortsteile"])[0], features(town[layer])[0]
    return list(np.bincount(shapely.STRtree(districts).query(shapes, predicate="intersects")[1], minlength=len(districts)))


def test_every_attribute_of_the_layer_files_has_a_column_of_its_name_and_every_value_its_word(
    town: Files, town_layers: Mapping[str, Layer]
) -> None:
    assert town_layers.keys() == set(LAYERS) == town.keys()
    for name, layer in town_layers.items():
        _, columns = features(town[name])
        assert list(columns) == list(layer.attributes)
        for attribute in layer.attributes.values():
            assert attribute.enum is None or set(columns[attribute.name]) - {None} == set(attribute.enum)


def test_the_town_is_imported_without_a_finding(database: Database, town_layers: Mapping[str, Layer], tmp_path: Path) -> None:
    files = write_town(tmp_path, 7, SMALL)
    database.create(*town_layers.values())
    for name, file in files.items():
        outcome = run_import(asked(file), town_layers[name], database.connect)
        assert outcome.inserted == outcome.read > 0
        assert outcome.ignored_columns == ()
