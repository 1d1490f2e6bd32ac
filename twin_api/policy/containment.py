"""Who sees at least what: an own grant against the included one it replaces, grids against grids, rounds against rounds.

Must never say yes without proof: where implication cannot be shown by structure, it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, permutations
from typing import Any

from twin_api.policy.documents import Grant, Layer, Place, Role
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.masks import Grid, Round
from twin_api.policy.rule import All, And, Between, Compare, In, Or, Rule
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
    """An own grant replaces an included one of the same name: whoever could see something before still can."""
    if own.layer != included.layer:
        what = Text(
            f"{quoted(own.collection)} kommt hier aus `{own.layer}`, bei `{included.file_role}` aus `{included.layer}`",
            f"{quoted(own.collection)} comes from `{own.layer}` here, but from `{included.layer}` for `{included.file_role}`",
        )
        remedy = Text("den Grant anders nennen, oder denselben Layer verwenden", "give it another name, or use the same layer")
        findings.add(own.place, what, remedy)
        return
    for less in _shortfalls(own, included):
        what = Text(
            f"{quoted(own.collection)} zeigt weniger, als `{included.file_role}` schon sieht: {less.de}",
            f"{quoted(own.collection)} shows less than `{included.file_role}` already sees: {less.en}",
        )
        remedy = Text(
            f"mindestens zeigen, was in {included.place} steht, oder den Grant hier löschen",
            f"show at least what {included.place} shows, or delete this grant",
        )
        findings.add(own.place, what, remedy)


def _shortfalls(own: Grant, included: Grant) -> Iterable[Text]:
    if not implies(included.rows, own.rows):
        yield Text("andere oder weniger Zeilen (`rows`)", "other or fewer rows (`rows`)")
    if not own.geometry.shows_at_least(included.geometry):
        yield Text("eine gröbere Geometrie", "a coarser geometry")
    for name, mask in included.attributes.items():
        shown = own.attributes.get(name)
        if shown is None:
            yield Text(f"das Attribut {quoted(name)} fehlt", f"the attribute {quoted(name)} is missing")
        elif not shown.shows_at_least(mask):
            yield Text(f"das Attribut {quoted(name)} ist gröber", f"the attribute {quoted(name)} is coarser")


def check_grids(grants: Iterable[Grant], findings: Findings) -> None:
    """Grids over one layer must nest: two that cross would cut a cell into smaller pieces for whoever sees both."""
    by_layer: dict[str, dict[int, Grant]] = {}
    for grant in grants:
        if isinstance(grant.geometry, Grid):
            by_layer.setdefault(grant.layer, {}).setdefault(grant.geometry.cell_m, grant)
    for cells in by_layer.values():
        sizes = sorted(cells)
        for fine, coarse in pairwise(sizes):
            if coarse % fine:
                _add_crossing(cells[fine], cells[coarse], fine, coarse, findings)


def _add_crossing(fine_grant: Grant, grant: Grant, fine: int, coarse: int, findings: Findings) -> None:
    what = Text(
        f"das Raster {coarse} m ist kein Vielfaches des Rasters {fine} m in {fine_grant.place}",
        f"the grid of {coarse} m is no multiple of the grid of {fine} m in {fine_grant.place}",
    )
    right = f"`{{grid_m: {(coarse // fine + 1) * fine}}}`"
    findings.add(grant.place, what, Text(f"etwa {right} schreiben", f"write {right}, for example"))


def check_rounds(grants: Iterable[Grant], findings: Findings) -> None:
    """Rounds of one attribute must nest: whoever finds an item in two collections would know it more exactly than either shows it."""
    by_attribute: dict[tuple[str, str], dict[Decimal, Grant]] = {}
    for grant in grants:
        for name, mask in grant.attributes.items():
            if isinstance(mask, Round):
                by_attribute.setdefault((grant.layer, name), {}).setdefault(mask.step, grant)
    for (_, name), steps in by_attribute.items():
        for fine, coarse in pairwise(sorted(steps)):
            if not Round(fine).shows_at_least(Round(coarse)):
                _add_crossing_rounds(name, fine, coarse, steps[fine].place, steps[coarse].place, findings)


def _add_crossing_rounds(name: str, fine: Decimal, coarse: Decimal, fine_place: Place, place: Place, findings: Findings) -> None:
    larger, smaller = (Round(step).as_policy()["round"] for step in (coarse, fine))
    what = Text(
        f"{quoted(name)}: der Schritt {larger} ist kein ungerades Vielfaches des Schritts {smaller} in {fine_place}",
        f"{quoted(name)}: the step {larger} is no odd multiple of the step {smaller} in {fine_place}",
    )
    factor = int(coarse // fine)
    right = f"`{{round: {Round(fine * (factor + 1 + factor % 2)).as_policy()['round']}}}`"
    findings.add(
        place, what, Text(f"etwa {right} schreiben, oder {smaller} wie dort", f"write {right}, for example, or {smaller} as there")
    )


def check_groups(twins: Iterable[Role], layers: Mapping[str, Layer | None], findings: Findings) -> None:
    """In one twin, on any day: a collection on a grid beside one of its group that shows places more exactly (manholes, their pipes)."""
    for role in twins:
        for day in _turning_days(role):
            by_group: dict[str, list[Grant]] = {}
            for grant in role.open_on(day).values():
                layer = layers.get(grant.layer)
                if layer is not None and layer.group is not None:
                    by_group.setdefault(layer.group, []).append(grant)
            for group, grants in by_group.items():
                for coarse, fine in permutations(grants, 2):
                    _check_pair(coarse, fine, group, findings)


def _turning_days(role: Role) -> set[date]:
    """One day in each span during which the same grants are in force."""
    releases = [grant.release for grants in role.grants.values() for grant in grants if grant.release is not None]
    return {date.min, *(release.until + timedelta(days=1) for release in releases)}


def _check_pair(coarse: Grant, fine: Grant, group: str, findings: Findings) -> None:
    if not isinstance(coarse.geometry, Grid) or fine.geometry.word == "hide":
        return
    if isinstance(fine.geometry, Grid) and fine.geometry.cell_m >= coarse.geometry.cell_m:
        return
    cell = f"`{{grid_m: {coarse.geometry.cell_m}}}`"
    what = Text(
        f"{quoted(fine.collection)} verrät die Orte von {quoted(coarse.collection)} ({cell} in {coarse.place}), Gruppe {quoted(group)}",
        f"{quoted(fine.collection)} betrays the places of {quoted(coarse.collection)} ({cell} in {coarse.place}), group {quoted(group)}",
    )
    remedy = Text(
        f"{cell} oder `hide` schreiben, oder in derselben Datei auch {quoted(coarse.collection)} so genau zeigen",
        f"write {cell} or `hide`, or show {quoted(coarse.collection)} as exactly in the same file",
    )
    findings.add(fine.place, what, remedy)
