"""Layers that speak of each other: one names the other's key, or both hold the same thing that locates.

Must never call two layers related for a name that everything has, such as `nr` or `id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Final

from twin_api.policy.documents import Grant, Layer, Policies
from twin_api.policy.masks import Area, Grid
from twin_api.policy.vocabulary import words_of

# what names end in, and what says nothing without the rest
ENDINGS: Final = ("nr", "nummer", "id", "no", "number", "kennung", "key", "m", "von", "bis", "ref")
EMPTY: Final = frozenset({*ENDINGS, "osm", "way", "gml", "oid", "name", "art", "lfd"})


def betrayals(policies: Policies) -> Iterator[tuple[str, Grant, Grant, str]]:
    """Role, coarse grant, fine grant, and the attribute that ties them; each pair of grants once, groups of layers left out."""
    seen = set()
    for role in policies.roles.values():
        shown = [grant for grants in role.grants.values() for grant in grants if grant.figures is None]
        for coarse, fine in permutations(shown, 2):
            one, other = policies.layers[coarse.layer], policies.layers[fine.layer]
            if not _is_finer(coarse, fine) or one.name == other.name or (one.group is not None and one.group == other.group):
                continue
            link, pair = _link(one, other), (str(coarse.place), str(fine.place))
            if link is not None and pair not in seen:
                seen.add(pair)
                yield role.name, coarse, fine, link


def _is_finer(coarse: Grant, fine: Grant) -> bool:
    return isinstance(coarse.geometry, Grid | Area) and not coarse.geometry.shows_at_least(fine.geometry)


def _link(coarse: Layer, fine: Layer) -> str | None:
    """The attribute of `fine` that names an item of `coarse`, or that both hold and that locates."""
    keys = {_stem(name) for name in coarse.key} - {""}
    located = {_stem(a.name) for a in coarse.attributes.values() if a.locates} - {""}
    for attribute in fine.attributes.values():
        named = keys & set(_telling(attribute.name))
        if (named and not attribute.key and attribute.unit is None) or (attribute.locates and _stem(attribute.name) in located):
            return attribute.name
    keys = {_stem(name) for name in fine.key} - {""}
    naming = (a for a in coarse.attributes.values() if not a.key and a.unit is None)  # what is measured names nothing
    return next((a.name for a in naming if keys & set(_telling(a.name))), None)


def _telling(name: str) -> list[str]:
    words = [word for word in words_of(name.replace("_", " ")) if word not in EMPTY]
    return [*words, "_".join(words)] if words else []


def _stem(name: str) -> str:
    """`schacht_nr` and `von_schacht` are both about `schacht`."""
    return "_".join(word for word in words_of(name.replace("_", " ")) if word not in EMPTY)
