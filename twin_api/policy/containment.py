"""Who sees at least what: an own grant against the included one it replaces, layers of one group against each other.

Must never say yes without proof: where implication cannot be shown by structure, it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

from twin_api.policy.documents import Grant, Layer, Role
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.masks import Area, Grid
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
