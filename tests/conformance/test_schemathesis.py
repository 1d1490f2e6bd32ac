"""Each twin does what its OpenAPI document says, whatever is asked: Schemathesis draws requests from the document and checks every answer."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import schemathesis
from jsonschema import Draft202012Validator
from jsonschema_rs import ValidationError

from tests.conformance.test_features_core import ROLES
from tests.door.clients import client_as
from tests.towns import Town
from twin_api.encodings.openapi import as_3_1
from twin_api.encodings.shapes import feature

PROJECT = Path(__file__).parents[2]
Json = dict[str, Any]


def run(town: Town, role: str, folder: Path, seed: int, *options: str) -> None:
    """Every check on every operation; an item's address is that of a true item, which no generator would find."""
    client = client_as(town, role)
    config, base = folder / "schemathesis.toml", f"{str(client.base_url).rstrip('/')}/{role}"
    items = [f"/collections/{collection['id']}/items" for collection in client.get(f"/{role}/collections").json()["collections"]]
    ids = {path: client.get(f"/{role}{path}?limit=1").json()["features"][0]["id"] for path in items}
    config.write_text(
        "".join(f'[[operations]]\ninclude-path = "{path}/{{id}}"\nparameters = {{ id = "{id}" }}\n' for path, id in ids.items())
    )
    told = [
        "--config-file",
        str(config),
        "run",
        f"{base}/api?f=json",
        "--checks",
        "all",
        "--exclude-checks",
        "positive_data_acceptance,negative_data_rejection",
    ]
    token = [] if role == "citizen" else ["--header", f"Authorization: {client.headers['authorization']}"]
    program = Path(sys.executable).with_name("schemathesis")
    ran = subprocess.run(
        [program, *told, *token, "--continue-on-failure", "--max-response-time", "60", "--suppress-health-check", "all", "--no-color", "--generation-database", "none", "--seed", str(seed), *options],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.conformance.schemathesis_hooks", "PYTHONPATH": str(PROJECT)},
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    config.unlink()  # what a department sees is no business of the scan at the end
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.requirement("/req/oas30/oas-definition-2")
@pytest.mark.parametrize(("version", "made"), [("3.0.3", dict), ("3.1.0", as_3_1)])
def test_every_document_is_valid_in_both_versions(version: str, made: Callable[[Json], Json]) -> None:
    documents = [made(orjson.loads(path.read_bytes())) for path in (PROJECT / "openapi").glob("*.json")]
    assert {document["openapi"] for document in documents} == {version}
    for document in documents:
        schemathesis.openapi.from_dict(document).validate()
    broken = documents[0] | {"openapi": version, "paths": {"/": {"get": {"responses": {"200": {}}}}}}
    with pytest.raises(ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_what_may_be_null_in_3_0_is_null_in_3_1() -> None:
    """By JSON Schema alone, as 3.1 means it; and a property called `nullable` stays one."""
    schema = feature({"art": {"type": "string", "enum": ["Linde"]}, "nullable": {"type": "integer"}})
    told = as_3_1({"openapi": "3.0.3", "components": {"schemas": {"feature": schema}}})["components"]["schemas"]["feature"]
    properties = told["properties"]["properties"]
    Draft202012Validator.check_schema(properties)
    for value in ({"art": None, "nullable": None}, {"art": "Linde", "nullable": 1}):
        Draft202012Validator(properties).validate(value)
    for wrong in ({"art": "Ulme"}, {"nullable": "a"}):
        assert not Draft202012Validator(properties).is_valid(wrong)
    assert schema["properties"]["properties"]["properties"]["art"]["enum"] == ["Linde", None]


@pytest.mark.slow
@pytest.mark.requirement("/req/oas30/oas-impl")
@pytest.mark.requirement("/req/oas30/exceptions-codes")
@pytest.mark.parametrize("role", ROLES)
def test_a_twin_does_what_its_definition_says(town: Town, role: str, tmp_path: Path) -> None:
    run(town, role, tmp_path, 1, "--phases", "coverage,fuzzing", "--max-examples", "5")


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_a_twin_does_what_its_definition_says_at_length(town: Town, role: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    run(town, role, tmp_path, seed, "--max-examples", "300")
