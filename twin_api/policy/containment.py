"""Who sees at least what: an own grant against the included one it replaces, and grids against grids.

Must never say yes without proof: where implication cannot be shown by structure, it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from twin_api.policy.documents import Grant
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.masks import Grid
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
