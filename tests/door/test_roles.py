"""Who is let in where, as `docs` and the design say."""

from __future__ import annotations

from tests.towns import Town


def test_an_anonymous_client_sees_the_citizen_twin(town: Town) -> None:
    names = [c["id"] for c in town.client().get("/citizen/collections").json()["collections"]]
    assert names == ["baeume"]
