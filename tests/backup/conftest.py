"""A key, and a backup of the town that nobody changes."""

from __future__ import annotations

import pytest

from tests.backup.backups import backed_up
from tests.towns import Town
from twin_api.backup.sealed import Identity
from twin_api.backup.take import Made


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity.generate()


@pytest.fixture(scope="module")
def made(town: Town, identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One backup of the town that nobody changes."""
    return backed_up(town, tmp_path_factory.mktemp("backups"), identity)
