"""Every planted leak is found by every proof that promises it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.leaks.planted import CAUGHT, PLANTED, PROOFS, Planted
from tests.towns import Town
from twin_api.query import page


@pytest.fixture
def _texts_forgotten() -> Iterator[None]:
    """SQL texts are remembered in the process; a patched one must not outlive its test."""
    page._compile.cache_clear()
    yield
    page._compile.cache_clear()


@pytest.mark.parametrize("leak", PLANTED, ids=lambda leak: leak.name)
@pytest.mark.usefixtures("_texts_forgotten")
def test_a_planted_leak_is_found(
    leak: Planted, new_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    record_property("planted", 1)
    leak.before(monkeypatch)
    town = new_town()
    leak.after(town, monkeypatch)
    found = {proof: PROOFS[proof](town, leak) for proof in leak.proofs}
    CAUGHT[leak.name] = [proof for proof, findings in found.items() if findings]
    assert CAUGHT[leak.name] == list(leak.proofs)
