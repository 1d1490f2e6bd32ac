"""The schemas for editors: whatever loads is valid, misspellings are not, and every key the readers know is explained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.policy.editing import use_every_word
from twin_api.policy.fields import Fields
from twin_api.policy.finding import Findings
from twin_api.policy.hovers import HOVERS
from twin_api.policy.load import load
from twin_api.policy.masks import GEOMETRY_MASKS, VALUE_MASKS, Reviewed
from twin_api.policy.schema import schemas
from twin_api.policy.town import ROLE_FILES
from twin_api.policy.yaml_file import Items, Node, Scalar, read

PROJECT = Path(__file__).parents[2]
FOLDERS = {name: PROJECT / name for name in ("tests/policy/small", "tests/town/policies", "policies")}
FILES = [(name, path.relative_to(folder)) for name, folder in FOLDERS.items() for path in sorted(folder.rglob("*.yaml"))]
LOADED = {name: load(folder) for name, folder in FOLDERS.items()}
TOWN = "tests/policy/small"


def plain(node: Node | None) -> Any:
    if isinstance(node, Scalar) or node is None:
        return node.value if node is not None else None
    return [plain(item) for item in node.items] if isinstance(node, Items) else {key: plain(entry) for key, entry in node.entries.items()}


def values(path: Path) -> Any:
    return plain(read(path.read_bytes(), path.name, Findings()))


def kind_of(file: Path) -> str:
    return {"layers": "layer", "tests": "test"}.get(file.parent.name, file.stem)


def mistakes(schema: dict[str, Any], value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(schema).iter_errors(value)]


def every_map(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of the schema that has keys of its own."""
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from every_map(part)
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield schema


@pytest.fixture
def full(small: Path) -> Path:
    return use_every_word(small)


@pytest.mark.parametrize(("folder", "file"), FILES, ids=[f"{name}/{file}" for name, file in FILES])
@pytest.mark.parametrize("knows_the_town", [True, False])
def test_every_policy_file_of_the_house_is_valid(folder: str, file: Path, knows_the_town: bool) -> None:
    schema = schemas(LOADED[folder] if knows_the_town else None)[kind_of(file)]
    assert mistakes(schema, values(FOLDERS[folder] / file)) == []


def test_every_schema_is_one_itself_and_says_what_it_is() -> None:
    for policies in (None, LOADED[TOWN]):
        for schema in schemas(policies).values():
            Draft202012Validator.check_schema(schema)
            assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
            assert schema["title"]
            assert schema["description"]


def test_the_full_language_is_valid_and_its_readers_know_exactly_the_keys_of_the_schemas(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compares the maps the readers open, required and possible keys, with the maps the schemas describe."""
    read_maps: set[tuple[frozenset[str], frozenset[str]]] = set()
    check = Fields._check

    def recording(self: Fields, known: tuple[str, ...], required: tuple[str, ...], later: tuple[str, ...]) -> None:
        read_maps.add((frozenset(required), frozenset(known)))
        check(self, known, required, later)

    monkeypatch.setattr(Fields, "_check", recording)
    load(full)
    found = schemas(None)
    for path in full.rglob("*.yaml"):
        assert mistakes(found[kind_of(path)], values(path)) == [], path
    maps = [part for kind in found if kind != "test" for part in every_map(found[kind]) if part.get("additionalProperties") is False]
    masks = {mask.word for mask in (*GEOMETRY_MASKS, *VALUE_MASKS) if mask is not Reviewed}  # which layers say too, as a key
    described = {(frozenset(part["required"]), frozenset(part["properties"])) for part in maps if not set(part["properties"]) <= masks}
    assert described == read_maps


def test_every_mask_of_the_shelves_can_be_written() -> None:
    text = str(schemas(None)["citizen"])
    assert [mask.word for mask in (*GEOMETRY_MASKS, *VALUE_MASKS) if f"'{mask.word}'" not in text] == []


def test_every_key_is_explained_in_both_languages() -> None:
    for policies in (None, LOADED[TOWN]):
        for kind, schema in schemas(policies).items():
            keys = [(kind, key, part) for found in every_map(schema) for key, part in found["properties"].items() if "$ref" not in part]
            assert [(kind, key) for kind, key, part in keys if "\n\n" not in part.get("description", "")] == []
    assert [path for path, text in HOVERS.items() if not text.en] == []


MISSPELT = [
    ("town", "pages", "page", None),
    ("town", "town.ags", "town.agz", None),
    ("town", "town.epsg", "town.epsg", "25832"),
    ("town", "town.ags", "town.ags", 9572999),
    ("town", "classes.public.seen_by", "classes.public.seen_by", ["citizens"]),
    ("town", "pages.imprint", "pages.imprint", "http://unsafe.example"),
    ("layer", "owner", "ownr", None),
    ("layer", "owner", "owner", "bauhoff"),
    ("layer", "existence", "existence", "publik"),
    ("layer", "classified.review", "classified.review", "31.12.2027"),
    ("layer", "attributes.art.type", "attributes.art.type", "string"),
    ("layer", "attributes.art.class", "attributes.art.klasse", None),
    ("layer", "geometry.type", "geometry.type", "Pont"),
    ("citizen", "access", "access", "login"),
    ("citizen", "collections.baeume.rows", "collections.baeume.row", None),
    ("citizen", "collections.baeume.rows", "collections.baeume.rows", "alle"),
    ("citizen", "collections.baeume.rows.art", "collections.baeume.rows.artt", None),
    ("citizen", "collections.baeume.geometry", "collections.baeume.geometry", {"grid": 10}),
    ("citizen", "collections.baeume.attributes.art", "collections.baeume.attributes.artt", None),
    ("citizen", "collections.baeume.attributes", "collections.baeume.attributes", "all"),
    ("citizen", "collections.baeume", "collections.baeumen", None),
    ("council", "includes", "includes", "council"),
    ("council", "collections.schaechte.release.until", "collections.schaechte.release.till", None),
    ("council", "collections.schaechte.release.approve", "collections.schaechte.release.approve", ["waser"]),
    ("administration", "parts.wasser", "parts.waser", None),
    ("approvals", "approvals", "approval", None),
]


@pytest.mark.parametrize(("kind", "old", "new", "value"), MISSPELT, ids=[f"{case[0]} {case[2]} {case[3] or ''}" for case in MISSPELT])
def test_what_the_loader_refuses_is_red_in_the_editor(kind: str, old: str, new: str, value: object) -> None:
    document = values(FOLDERS[TOWN] / ("layers/baeume.yaml" if kind == "layer" else f"{kind}.yaml"))
    *above, last = old.split(".")
    holder = document
    for key in above:
        holder = holder[key]
    before = holder.pop(last)
    holder[new.split(".")[-1]] = before if value is None else value
    assert mistakes(schemas(LOADED[TOWN])[kind], document)


def test_a_collection_of_another_name_must_say_where_it_comes_from() -> None:
    schema = schemas(LOADED[TOWN])["citizen"]
    grant = {"rows": "all", "geometry": "keep", "attributes": {"art": "keep"}}
    document = {"role": "citizen", "access": "anonymous", "collections": {"liste": grant}}
    assert mistakes(schema, document)
    grant["from"] = "baeume"
    assert mistakes(schema, document) == []


def test_the_example_of_the_design_is_a_valid_test() -> None:
    example = {
        "layer": "schaechte",
        "rows": {"K1": {"nr": "K-014", "geometry": [631512.4, 5498020.9, 415.02]}},
        "expect": {"citizen": {"zahlen": "nothing"}, "council": {"K1": {"zustand": "schlecht"}, "K2": "hidden"}},
    }
    assert mistakes(schemas(LOADED[TOWN])["test"], example) == []
    assert mistakes(schemas(LOADED[TOWN])["test"], {**example, "expect": {"citzen": {}}})


def test_every_role_file_has_its_schema() -> None:
    assert set(schemas(None)) == {"town", "layer", *ROLE_FILES, "approvals", "test"}
