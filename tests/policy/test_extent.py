"""The rectangle around the town: it is read, it stays within the town's coordinate system, and it changes nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.policy.editing import edit
from twin_api.policy.documents import Extent, Policies
from twin_api.policy.load import load

EXTENT = ", extent: [674000, 5536000, 682000, 5544000]"


def missing_approvals(policies: Policies) -> dict[tuple[str, str], tuple[str, ...]]:
    grants = (grant for role in policies.roles.values() for kept in role.grants.values() for grant in kept)
    return {(grant.file_role, grant.collection): grant.missing for grant in grants if grant.release}


def test_a_town_may_say_where_it_lies(small: Path) -> None:
    assert load(small).town.extent is None
    edit(small, "town.yaml", "epsg: 25832", "epsg: 25832" + EXTENT)
    assert load(small).town.extent == Extent(25832, 674_000, 5_536_000, 682_000, 5_544_000)


def test_the_extent_voids_no_approval(small: Path) -> None:
    before = missing_approvals(load(small))
    edit(small, "town.yaml", "epsg: 25832", "epsg: 25832" + EXTENT)
    assert before
    assert missing_approvals(load(small)) == before
    assert () in before.values()
