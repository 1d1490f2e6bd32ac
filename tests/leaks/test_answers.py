"""No canary in any byte of any answer, and every answer exact."""

from __future__ import annotations

import shapely
from pyproj import Transformer

from tests.leaks.answers import find_leaks
from tests.leaks.canaries import Canaries, name_of
from tests.leaks.seen import Seen
from tests.towns import Town
from twin_api.query.crs import COMMON


def test_no_role_learns_anything_it_must_not_see(town: Town) -> None:
    assert find_leaks(town) == []


def test_a_hidden_place_is_a_canary_in_every_crs(town: Town) -> None:
    seen = Seen(town)
    for role in seen.roles:
        canaries = Canaries(seen, role)
        shown = {item.row.id for _, item in seen.all_items(role) if item.coordinates}
        for row in (row for rows in seen.rows.values() for row in rows if row.geometry is not None and row.id not in shown):
            x, y = shapely.get_coordinates(row.geometry)[0].tolist()
            for crs in COMMON:
                east, north = Transformer.from_crs(25832, crs.srid, always_xy=True).transform(x, y)
                written = f"[{east:.{crs.digits}f}, {north:.{crs.digits}f}]"
                assert any(what.startswith("place of ") for what in canaries.find(written.encode())), (role, crs.uri, name_of(row))
