"""What names a feature once and for all."""

from __future__ import annotations

from typing import Any

import pytest

from twin_api.imports.drafts.keys import CHECK_AT, Uniqueness, pairs, singles, sounds_like_key


def found(columns: dict[str, list[Any]], *, paired: bool = False, size: int = 1_000_000) -> list[tuple[str, ...]]:
    unique = Uniqueness(pairs(columns) if paired else singles(columns), lambda value: value in (None, "-"))
    count = len(next(iter(columns.values())))
    for start in range(0, count, size):
        unique.look({name: values[start : start + size] for name, values in columns.items()})
    return unique.found()


@pytest.mark.parametrize(
    "header", ["ID", "Baum-Nr.", "baumnr", "Nummer", "OBJECTID", "gml:id", "Kennung", "AGS", "osm_id", "Schachtnummer", "uuid"]
)
def test_a_header_sounds_like_a_key(header: str) -> None:
    assert sounds_like_key(header)


@pytest.mark.parametrize("header", ["Art", "Höhe", "Nutzung", "kann", "Straße", "Identität"])
def test_a_header_does_not_sound_like_a_key(header: str) -> None:
    assert not sounds_like_key(header)


def test_the_towns_own_number_comes_before_a_programs_and_both_before_the_rest() -> None:
    columns = {"art": ["a", "b"], "OBJECTID": [1, 2], "baum_nr": ["x", "y"]}
    assert found(columns) == [("baum_nr",), ("OBJECTID",), ("art",)]


@pytest.mark.parametrize("values", [["a", "a", "b"], ["a", None, "b"], ["a", "-", "b"]])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_is_twice_or_missing_is_no_key_wherever_the_file_is_cut(values: list[Any], size: int) -> None:
    assert found({"nr": values}, size=size) == []


def test_a_repetition_is_found_across_a_large_file() -> None:
    numbers = [*range(2 * CHECK_AT), 7]
    assert found({"nr": numbers}, size=5_000) == []
    assert found({"nr": numbers[:-1]}, size=5_000) == [("nr",)]


def test_a_whole_number_and_the_same_digits_are_one_value() -> None:
    assert found({"nr": [1, "1"]}) == []
    assert found({"nr": [-1, -2]}) == [("nr",)]


def test_two_columns_are_a_key_together() -> None:
    assert found({"strasse": ["a", "a", "b"], "nr": [1, 2, 1]}, paired=True) == [("nr", "strasse")]


def test_either_of_two_numbers_may_be_missing_but_not_both() -> None:
    ids = {"osm_id": ["1", None, "3"], "osm_way_id": [None, "2", None]}
    assert found(ids, paired=True) == [("osm_id", "osm_way_id")]
    assert found({"osm_id": ["1", None], "osm_way_id": ["2", None]}, paired=True) == []
    assert found({"art": ["1", None], "lage": ["2", "3"]}, paired=True) == []


def test_one_feature_proves_no_key() -> None:
    assert found({"nr": [1]}) == []
