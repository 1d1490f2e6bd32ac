"""Who sees at least what: an own grant against the included one it replaces, grids against grids, rounds against rounds.

Must never say yes without proof: where implication cannot be shown by structure, it does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise, permutations
from typing import Any, TypeVar

from twin_api.policy.documents import Grant, Layer, Place, Role
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.masks import Area, Band, GeometryMask, Grid, Round, Truncate, ValueMask
from twin_api.policy.matrix import describe_mask
from twin_api.policy.rule import All, And, Between, Compare, In, Or, Rule, Value
from twin_api.texts import Text


def implies(narrow: Rule, wide: Rule) -> bool:
    """Whether every row shown by `narrow` is shown by `wide`, as far as their structure proves it (sound, not complete)."""
    narrow, wide = _plainest(narrow), _plainest(wide)
    if isinstance(wide, All) or narrow == wide:
        return True
    if isinstance(wide, And):
        return all(implies(narrow, term) for term in wide.terms)
    if isinstance(narrow, Or):
        return all(implies(term, wide) for term in narrow.terms)
    if isinstance(wide, Or) and any(implies(narrow, term) for term in wide.terms):
        return True
    if isinstance(narrow, And):
        return any(implies(term, wide) for term in narrow.terms)
    return _atom_implies(narrow, wide)


def _plainest(rule: Rule) -> Rule:
    """Equalities as lists and one-sided comparisons as ranges, so that there are fewer pairs to compare."""
    match rule:
        case Compare(attribute, "=", value):
            return In(attribute, (value,))
        case Compare(attribute, ">=", value):
            return Between(attribute, value, None)
        case Compare(attribute, "<=", value):
            return Between(attribute, None, value)
    return rule


def _atom_implies(narrow: Rule, wide: Rule) -> bool:
    match narrow, wide:
        case (In(a, few), In(b, many)):
            return a == b and set(few) <= set(many)
        case (In(a, few), Between(b, low, high)):
            return a == b and all(_within(value, value, low, high) for value in few)
        case (Between(a, from_, to), Between(b, low, high)):
            return a == b and _within(from_, to, low, high)
    return False


def _within(from_: Any, to: Any, low: Any, high: Any) -> bool:
    """Whether [from_, to] lies in [low, high]; None is an open end."""
    return (low is None or (from_ is not None and from_ >= low)) and (high is None or (to is not None and to <= high))


def check_replacement(own: Grant, included: Grant, findings: Findings) -> None:
    """An own grant replaces an included one of the same name: of the same layer, and figures by figures; rows and masks are proved."""
    if own.layer != included.layer:
        what = Text(
            f"{quoted(own.collection)} kommt hier aus `{own.layer}`, bei `{included.file_role}` aus `{included.layer}`",
            f"{quoted(own.collection)} comes from `{own.layer}` here, but from `{included.layer}` for `{included.file_role}`",
        )
        remedy = Text("den Grant anders nennen, oder denselben Layer verwenden", "give it another name, or use the same layer")
        findings.add(own.place, what, remedy)
        return
    for less in _fewer_figures(own, included) if own.figures is not None or included.figures is not None else ():
        what = Text(
            f"{quoted(own.collection)} zeigt weniger, als `{included.file_role}` schon sieht: {less.de}",
            f"{quoted(own.collection)} shows less than `{included.file_role}` already sees: {less.en}",
        )
        remedy = Text(
            f"mindestens zeigen, was in {included.place} steht, oder den Grant hier löschen",
            f"show at least what {included.place} shows, or delete this grant",
        )
        findings.add(own.place, what, remedy)


def _fewer_figures(own_grant: Grant, included_grant: Grant) -> Iterable[Text]:
    own, included = own_grant.figures, included_grant.figures
    if own is None or included is None or own.group_by != included.group_by:
        yield Text("andere Gruppen", "other groups")
        return
    shown = {figure.name: figure for figure in own.figures}
    for figure in included.figures:
        mine = shown.get(figure.name)
        if mine is None or (mine.kind, mine.attribute, mine.values, mine.step) != (
            figure.kind,
            figure.attribute,
            figure.values,
            figure.step,
        ):
            yield Text(
                f"die Zahl {quoted(figure.name)} fehlt oder ist eine andere", f"the figure {quoted(figure.name)} is missing or another"
            )
    if own.at_least > included.at_least:
        yield Text("ein größeres `at_least`", "a larger `at_least`")


def check_chains(grants: Iterable[Grant], findings: Findings) -> None:
    """Coarse masks over one thing must nest: whoever meets an item in two collections would know it more exactly than either shows it."""
    places: dict[str, list[tuple[GeometryMask, Place]]] = {}
    values: dict[tuple[str, str], list[tuple[ValueMask, Place]]] = {}
    for grant in grants:
        if isinstance(grant.geometry, Grid | Area):
            places.setdefault(grant.layer, []).append((grant.geometry, grant.place))
        for name, mask in grant.attributes.items():
            if isinstance(mask, Round | Band | Truncate):
                values.setdefault((grant.layer, name), []).append((mask, grant.place))
    for geometries in places.values():
        _check_chain(geometries, _crossing_places, findings)
    for (_, name), masks in values.items():
        _check_chain(masks, partial(_crossing_values, name), findings)


M = TypeVar("M", GeometryMask, ValueMask)
Crossing = Callable[[M, Place, M], tuple[Text, Text]]


def _check_chain(masks: list[tuple[M, Place]], crossing: Crossing[M], findings: Findings) -> None:
    """Each pair of neighbours, the finer first, where one is finer; an order of size stands in where none is."""
    first = dict(reversed(masks))
    ordered = sorted(first, key=_fineness)
    for fine, coarse in pairwise(ordered):
        if not fine.shows_at_least(coarse) and not coarse.shows_at_least(fine):
            findings.add(first[coarse], *crossing(fine, first[fine], coarse))


def _fineness(mask: GeometryMask | ValueMask) -> tuple[str, Decimal]:
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


def _crossing_places(fine: GeometryMask, fine_place: Place, coarse: GeometryMask) -> tuple[Text, Text]:
    if isinstance(fine, Grid) and isinstance(coarse, Grid):
        what = Text(
            f"das Raster {coarse.cell_m} m ist kein Vielfaches des Rasters {fine.cell_m} m in {fine_place}",
            f"the grid of {coarse.cell_m} m is no multiple of the grid of {fine.cell_m} m in {fine_place}",
        )
        right = f"`{{grid_m: {(coarse.cell_m // fine.cell_m + 1) * fine.cell_m}}}`"
        return what, Text(f"etwa {right} schreiben", f"write {right}, for example")
    return _crossing_kinds("geometry", fine, fine_place, coarse)


def _crossing_values(name: str, fine: ValueMask, fine_place: Place, coarse: ValueMask) -> tuple[Text, Text]:
    if not (isinstance(fine, Round) and isinstance(coarse, Round)):
        return _crossing_kinds(name, fine, fine_place, coarse)
    larger, smaller = (mask.as_policy()["round"] for mask in (coarse, fine))
    what = Text(
        f"{quoted(name)}: der Schritt {larger} ist kein ungerades Vielfaches des Schritts {smaller} in {fine_place}",
        f"{quoted(name)}: the step {larger} is no odd multiple of the step {smaller} in {fine_place}",
    )
    factor = int(coarse.step // fine.step)
    right = f"`{{round: {Round(fine.step * (factor + 1 + factor % 2)).as_policy()['round']}}}`"
    return what, Text(f"etwa {right} schreiben, oder {smaller} wie dort", f"write {right}, for example, or {smaller} as there")


def _crossing_kinds(name: str, fine: GeometryMask | ValueMask, place: Place, coarse: GeometryMask | ValueMask) -> tuple[Text, Text]:
    one, other = describe_mask(fine), describe_mask(coarse)
    what = Text(
        f"{quoted(name)}: {quoted(other)} und {quoted(one)} in {place} ergeben zusammen mehr, als jedes für sich zeigt",
        f"{quoted(name)}: {quoted(other)} and {quoted(one)} in {place} together show more than either does alone",
    )
    return what, Text(f"dieselbe Maske wie dort nehmen: {quoted(one)}", f"take the same mask as there: {quoted(one)}")


def check_lattices(grants: Iterable[Grant], findings: Findings) -> None:
    """Figures over one layer share their areas: the difference of two would show the few that lie in one only. Their rows are proved."""
    by_area: dict[str, Grant] = {}
    for grant in grants:
        if grant.figures is not None and grant.figures.by_area:
            _check_same_areas(by_area.setdefault(grant.layer, grant), grant, findings)


def _check_same_areas(earlier: Grant, grant: Grant, findings: Findings) -> None:
    if earlier.figures is None or grant.figures is None or earlier.figures.group_by == grant.figures.group_by:
        return
    what = Text(
        f"die Zahlen über `{grant.layer}` sind anders eingeteilt als {quoted(earlier.collection)} in {earlier.place}",
        f"the figures over `{grant.layer}` are grouped differently from {quoted(earlier.collection)} in {earlier.place}",
    )
    right = f"`group_by: {earlier.figures.group_by}`"
    findings.add(grant.place, what, Text(f"{right} schreiben wie dort", f"write {right} as there"))


def check_shares(grants: Iterable[Grant], findings: Findings) -> None:
    """One share of an attribute and no other: the difference of two, or what both leave, would show the few in between."""
    first: dict[tuple[str, str], tuple[frozenset[Value], Grant]] = {}
    for grant in grants:
        for figure in grant.figures.figures if grant.figures is not None else ():
            if figure.kind != "share" or figure.attribute is None:
                continue
            values, earlier = first.setdefault((grant.layer, figure.attribute), (frozenset(figure.values), grant))
            if values != frozenset(figure.values):
                findings.add(grant.place, *_second_share(figure.name, figure.attribute, earlier))


def _second_share(name: str, attribute: str, earlier: Grant) -> tuple[Text, Text]:
    where = f"{quoted(earlier.collection)} ({earlier.place})"
    what = Text(
        f"{quoted(name)} ist ein zweiter Anteil von {quoted(attribute)}, neben {where}",
        f"{quoted(name)} is a second share of {quoted(attribute)}, beside {where}",
    )
    return what, Text("nur einen der beiden zeigen", "show one of the two only")


def check_groups(twins: Iterable[Role], layers: Mapping[str, Layer | None], findings: Findings) -> None:
    """In one twin, on any day: a collection on a grid beside one of its group that shows places more exactly (manholes, their pipes)."""
    for role in twins:
        for day in _turning_days(role):
            by_group: dict[str, list[Grant]] = {}
            for grant in _approved(role).open_on(day).values():
                layer = layers.get(grant.layer)
                if grant.figures is None and layer is not None and layer.group is not None:
                    by_group.setdefault(layer.group, []).append(grant)
            for group, grants in by_group.items():
                for coarse, fine in permutations(grants, 2):
                    _check_pair(coarse, fine, group, findings)


def _approved(role: Role) -> Role:
    """The role with every approval given: what a release would show is judged before anybody approves it."""
    return replace(role, grants={name: tuple(replace(g, missing=()) for g in grants) for name, grants in role.grants.items()})


def _turning_days(role: Role) -> set[date]:
    """One day in each span during which the same grants are in force."""
    releases = [grant.release for grants in role.grants.values() for grant in grants if grant.release is not None]
    return {date.min, *(release.until + timedelta(days=1) for release in releases)}


def _check_pair(coarse: Grant, fine: Grant, group: str, findings: Findings) -> None:
    if not isinstance(coarse.geometry, Grid | Area) or fine.geometry.word == "hide" or coarse.geometry == fine.geometry:
        return
    if isinstance(coarse.geometry, Grid) and isinstance(fine.geometry, Grid) and fine.geometry.cell_m >= coarse.geometry.cell_m:
        return
    ((word, argument),) = coarse.geometry.as_policy().items()
    cell = f"`{{{word}: {argument}}}`"
    what = Text(
        f"{quoted(fine.collection)} verrät die Orte von {quoted(coarse.collection)} ({cell} in {coarse.place}), Gruppe {quoted(group)}",
        f"{quoted(fine.collection)} betrays the places of {quoted(coarse.collection)} ({cell} in {coarse.place}), group {quoted(group)}",
    )
    remedy = Text(
        f"{cell} oder `hide` schreiben, oder in derselben Datei auch {quoted(coarse.collection)} so genau zeigen",
        f"write {cell} or `hide`, or show {quoted(coarse.collection)} as exactly in the same file",
    )
    findings.add(fine.place, what, remedy)
