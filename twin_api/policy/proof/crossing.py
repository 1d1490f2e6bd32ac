"""Grants over one layer side by side: coarse masks over one thing nest, figures share their areas and their shares.

Must never say yes without proof: masks are compared by their order, cell by cell, and figures by their words, stricter than need be.
What is wrong is shown with two values where there are some, and with both lines of policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any, TypeAlias

from twin_api.policy.check import GEOMETRY
from twin_api.policy.documents import Grant, Layer
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.masks import Area, Band, GeometryMask, Grid, Round, Truncate, ValueMask
from twin_api.policy.matrix import describe_mask
from twin_api.policy.places import Places
from twin_api.policy.proof.told import line_of, pair_of, told_apart
from twin_api.policy.proof.witness import Pair, place_pair, value_pair
from twin_api.texts import Text

Mask: TypeAlias = GeometryMask | ValueMask


def check_crossings(grants: Sequence[Grant], layers: Mapping[str, Layer | None], places: Places, findings: Findings) -> None:
    """All grants of all files, in force or not."""
    check_chains(grants, layers, places, findings)
    check_lattices(grants, places, findings)
    check_shares(grants, places, findings)


def check_chains(grants: Iterable[Grant], layers: Mapping[str, Layer | None], places: Places, findings: Findings) -> None:
    """Coarse masks over one thing must nest: whoever meets an item in two collections would know it more exactly than either shows it."""
    by_thing: dict[tuple[str, str], dict[Mask, Grant]] = {}
    for grant in grants:
        for name, mask in ((GEOMETRY, grant.geometry), *grant.attributes.items()):
            if isinstance(mask, Grid | Area | Round | Band | Truncate):
                by_thing.setdefault((grant.layer, name), {}).setdefault(mask, grant)
    for (layer, name), first in by_thing.items():
        for fine, coarse in pairwise(sorted(first, key=_fineness)):
            if not fine.shows_at_least(coarse) and not coarse.shows_at_least(fine):  # type: ignore[arg-type]  # both of one shelf
                what, remedy = _crossing(name, fine, first[fine], coarse)
                both = (fine, first[fine]), (coarse, first[coarse])
                shown = (*_counterexample(name, both, layers.get(layer)), *_lines(places, (first[fine], first[coarse]), name))
                findings.add(first[coarse].place, what, remedy, shown)


def _fineness(mask: Mask) -> tuple[str, Decimal]:
    """Each mask before those that it can show at least as exactly as; an order of size stands in where there is none."""
    match mask:
        case Grid(cell_m):
            return "1", Decimal(cell_m)
        case Area(layer):
            return f"2{layer}", Decimal(0)
        case Round(step):
            return "1", step
        case Band(limits):
            return "2", -Decimal(len(limits))
        case _:
            return "3", Decimal(0)


def _crossing(name: str, fine: Mask, grant: Grant, coarse: Mask) -> tuple[Text, Text]:
    match fine, coarse:
        case Grid(small), Grid(large):
            what = Text(
                f"das Raster {large} m ist kein Vielfaches des Rasters {small} m in {grant.place}",
                f"the grid of {large} m is no multiple of the grid of {small} m in {grant.place}",
            )
            right = f"`{{grid_m: {(large // small + 1) * small}}}`"
            return what, Text(f"etwa {right} schreiben", f"write {right}, for example")
        case Round(), Round():
            return _crossing_rounds(name, fine, grant, coarse)
    one, other = describe_mask(fine), describe_mask(coarse)
    what = Text(
        f"{quoted(name)}: {quoted(other)} und {quoted(one)} in {grant.place} ergeben zusammen mehr, als jedes für sich zeigt",
        f"{quoted(name)}: {quoted(other)} and {quoted(one)} in {grant.place} together show more than either does alone",
    )
    return what, Text(f"dieselbe Maske wie dort nehmen: {quoted(one)}", f"take the same mask as there: {quoted(one)}")


def _crossing_rounds(name: str, fine: Round, grant: Grant, coarse: Round) -> tuple[Text, Text]:
    larger, smaller = (mask.as_policy()["round"] for mask in (coarse, fine))
    what = Text(
        f"{quoted(name)}: der Schritt {larger} ist kein ungerades Vielfaches des Schritts {smaller} in {grant.place}",
        f"{quoted(name)}: the step {larger} is no odd multiple of the step {smaller} in {grant.place}",
    )
    factor = int(coarse.step // fine.step)
    right = f"`{{round: {Round(fine.step * (factor + 1 + factor % 2)).as_policy()['round']}}}`"
    return what, Text(f"etwa {right} schreiben, oder {smaller} wie dort", f"write {right}, for example, or {smaller} as there")


def _counterexample(name: str, both: tuple[tuple[Mask, Grant], tuple[Mask, Grant]], layer: Layer | None) -> Iterator[Text]:
    """Two values that the finer mask, the first, shows as one and the coarser tells apart; none where that hangs on where areas lie."""
    (fine, _), (coarse, _) = both
    for edge in _edges(coarse):
        pair = _pair(name, fine, coarse, layer, edge)
        if pair is not None:
            yield pair_of(name, pair)
            yield from (told_apart(quoted(grant.file_role), mask, pair) for mask, grant in both)
            return


def _pair(name: str, fine: Any, coarse: Any, layer: Layer | None, edge: Fraction) -> Pair | None:
    if name == GEOMETRY:
        return place_pair(coarse, fine, (edge, True)) if isinstance(fine, Grid) else None
    type_ = layer.attributes[name].type if layer is not None and name in layer.attributes else "number"
    return value_pair(coarse, fine, type_, (Fraction(ceil(edge)) if type_ == "integer" else edge, True))


def _edges(mask: Mask) -> Iterator[Fraction]:
    """Where cells begin; one that is no edge of a finer mask is among the first of them."""
    match mask:
        case Grid(cell_m):
            yield Fraction(cell_m)
        case Round(step):
            yield Fraction(step) / 2
        case Band(limits):
            yield from map(Fraction, limits)


def check_lattices(grants: Iterable[Grant], places: Places, findings: Findings) -> None:
    """Figures over one layer share their areas: the difference of two would show the few that lie in one only. Their rows are proved."""
    by_area: dict[str, Grant] = {}
    for grant in grants:
        if grant.figures is not None and grant.figures.by_area:
            _check_same_areas(by_area.setdefault(grant.layer, grant), grant, places, findings)


def _check_same_areas(earlier: Grant, grant: Grant, places: Places, findings: Findings) -> None:
    if earlier.figures is None or grant.figures is None or earlier.figures.group_by == grant.figures.group_by:
        return
    what = Text(
        f"die Zahlen über `{grant.layer}` sind anders eingeteilt als {quoted(earlier.collection)} in {earlier.place}",
        f"the figures over `{grant.layer}` are grouped differently from {quoted(earlier.collection)} in {earlier.place}",
    )
    right = f"`group_by: {earlier.figures.group_by}`"
    shown = tuple(line_of(places, places.in_grant(each, "group_by")) for each in (earlier, grant))
    findings.add(grant.place, what, Text(f"{right} schreiben wie dort", f"write {right} as there"), shown)


def check_shares(grants: Iterable[Grant], places: Places, findings: Findings) -> None:
    """One share of an attribute and no other: the difference of two, or what both leave, would show the few in between."""
    first: dict[tuple[str, str], tuple[frozenset[Any], str, Grant]] = {}
    for grant in grants:
        for figure in grant.figures.figures if grant.figures is not None else ():
            if figure.kind != "share" or figure.attribute is None:
                continue
            mine = frozenset(figure.values)
            values, name, earlier = first.setdefault((grant.layer, figure.attribute), (mine, figure.name, grant))
            if values != mine:
                both = ((earlier, name), (grant, figure.name))
                lines = tuple(line_of(places, places.in_grant(each, "figures", its_name)) for each, its_name in both)
                counted = _counted_once(figure.attribute, (name, values), (figure.name, mine))
                findings.add(grant.place, *_second_share(figure.name, figure.attribute, earlier), (counted, *lines))


def _second_share(name: str, attribute: str, earlier: Grant) -> tuple[Text, Text]:
    where = f"{quoted(earlier.collection)} ({earlier.place})"
    what = Text(
        f"{quoted(name)} ist ein zweiter Anteil von {quoted(attribute)}, neben {where}",
        f"{quoted(name)} is a second share of {quoted(attribute)}, beside {where}",
    )
    return what, Text("nur einen der beiden zeigen", "show one of the two only")


def _counted_once(attribute: str, one: tuple[str, frozenset[Any]], other: tuple[str, frozenset[Any]]) -> Text:
    """A value that one of two shares counts and the other does not."""
    value = min(one[1] ^ other[1], key=str)
    counts, not_ = (one, other) if value in one[1] else (other, one)
    row = f"{attribute} = {value}"
    return Text(f"Gegenbeispiel: {quoted(row)} zählt für {quoted(counts[0])} und nicht für {quoted(not_[0])}",
                f"Counterexample: {quoted(row)} counts for {quoted(counts[0])} and not for {quoted(not_[0])}")  # fmt: skip


def _lines(places: Places, grants: Iterable[Grant], name: str) -> Iterator[Text]:
    keys = (GEOMETRY,) if name == GEOMETRY else ("attributes", name)
    yield from (line_of(places, places.in_grant(grant, *keys)) for grant in grants)
