"""What somebody has made up who knows the public key: sealed as it should be, and refused before anything is touched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backup.backups import NOW, repacked, standing
from tests.towns import Town
from twin_api.backup.manifest import FormUnknown
from twin_api.backup.restore import PepperDiffers, restore_backup
from twin_api.backup.sealed import Damaged, Identity
from twin_api.backup.take import Made

FORGED: dict[str, tuple[type[Exception], dict[str, Any]]] = {
    "a row more under the old manifest": (Damaged, {"change": {"rows/store.baeume": lambda rows: rows * 2}, "fitting": False}),
    "no rows of a table": (Damaged, {"without": "rows/store.baeume"}),
    "no pepper": (Damaged, {"without": "secrets/pepper"}),
    "no definitions": (Damaged, {"without": "store.dump"}),
    "no manifest": (Damaged, {"without": "manifest.json"}),
    "definitions twice": (Damaged, {"twice": "store.dump"}),
    "a manifest that is none": (Damaged, {"change": {"manifest.json": lambda _: b"[]"}}),
    "a pepper that is none": (Damaged, {"change": {"secrets/pepper": lambda _: b"\xff"}}),
    "another town's pepper": (PepperDiffers, {"change": {"secrets/pepper": lambda _: b"another"}}),
    "a form that is none": (FormUnknown, {"change": {"about.json": lambda told: told.replace(b'"form": 1', b'"form": 0')}}),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_backup_is_refused_before_anything_is_touched(town: Town, made: Made, identity: Identity, how: str) -> None:
    refusal, forgery = FORGED[how]
    before = standing(town)
    with pytest.raises(refusal):
        restore_backup(repacked(made.path, identity, **{"change": {}, **forgery}), [identity], town.admin, town.secrets, NOW, replace=True)
    assert standing(town) == before
