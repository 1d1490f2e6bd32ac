"""A preview stands beside the real twins and is in nobody's way."""

from __future__ import annotations

import asyncio
from datetime import date

import httpx
import pytest

from tests.publish.test_upkeep import items, town
from tests.towns import Town
from twin_api.main import create_preview
from twin_api.publish.bulk import published_setwise
from twin_api.publish.preview import previewed

__all__ = ["town"]  # the fixture


def test_an_apply_and_a_large_import_go_on_beside_a_preview(town: Town) -> None:
    policies = town.policies
    with (
        town.login("owner") as owner,
        town.login("owner") as importer,
        previewed(owner, policies, policies.roles["citizen"], date.today(), town.secrets),
    ):
        with importer.transaction(), published_setwise(importer, "ortsteile", 6000):
            importer.execute("UPDATE store.ortsteile SET name = name")
        town.edit("citizen.yaml", "    attributes: {nr: keep, hoehe_m: {band: [10]}}", "    attributes: {hoehe_m: {band: [10]}}")
        town.apply()
        assert len(items(town, "citizen", "nordbaeume")) == 6
        assert len(items(town, "citizen", "ortsteile")) == 2
    assert town.drift() == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example", ""])
def test_a_preview_answers_to_its_own_address_alone(town: Town, host: str) -> None:
    """A page on the same machine's browser could else read it through a name that leads here (DNS rebinding)."""
    policies = town.policies
    with town.login("owner") as owner, previewed(owner, policies, policies.roles["citizen"], date.today(), town.secrets) as schema:
        here, elsewhere = asyncio.run(_asked(town, schema, ["127.0.0.1:8001", host]))
    assert here.status_code == 200
    assert elsewhere.status_code == 400
    assert "baeume" not in elsewhere.text


async def _asked(town: Town, schema: str, hosts: list[str]) -> list[httpx.Response]:
    app = create_preview(town.server, "citizen", schema, town.settings())
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return [await client.get("http://127.0.0.1:8001/citizen/collections", headers={"Host": host}) for host in hosts]
