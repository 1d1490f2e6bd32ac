"""The generated town: the same for the same seed, another for another, and good enough for its own import."""

from __future__ import annotations

from pathlib import Path

from pyogrio.raw import read

from tests.imports.things import Database
from twin_api.imports.run import ImportRequest, run_import
from twin_api.layers.musterdorf import write_generated
from twin_api.policy.documents import Layer


def content(path: Path) -> tuple[list[bytes], list[list[object]]]:
    _, _, shapes, columns = read(path)
    return list(shapes), [[str(value) for value in column] for column in columns]


def test_the_same_seed_builds_the_same_town_and_another_seed_another(tmp_path: Path) -> None:
    one, same, other = (write_generated(tmp_path / name, seed) for name, seed in (("a", 7), ("b", 7), ("c", 8)))
    assert all(content(one[layer]) == content(same[layer]) for layer in one)
    assert all(content(one[layer]) != content(other[layer]) for layer in one)


def test_the_town_is_imported_without_a_finding(database: Database, layers: dict[str, Layer], tmp_path: Path) -> None:
    place = write_generated(tmp_path)
    database.create(*(layers[name] for name in place))
    counts = {name: run_import(ImportRequest(file), layers[name], database.connect).inserted for name, file in place.items()}
    assert counts == {"gebaeude": 287, "strassen": 25, "landnutzung": 74, "kanalschaechte": 160}


def test_every_attribute_of_the_layer_files_has_a_column_of_its_name(layers: dict[str, Layer], tmp_path: Path) -> None:
    for name, path in write_generated(tmp_path).items():
        assert set(read(path)[0]["fields"]) == set(layers[name].attributes)
