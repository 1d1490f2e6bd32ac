"""What policy tests have seen of each grant: rows shown and hidden, each term of its rule true and false, each mask at work.

Must never count what was only named: a claim is met by an example row that a test judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin_api.policy.coordinates import as_coordinates
from twin_api.policy.documents import Grant, Place, Policies
from twin_api.policy.evaluate import GEOMETRY, Item, standing
from twin_api.policy.masks import Hide, Keep, KeepGeometry
from twin_api.policy.matrix import describe_mask, describe_rule
from twin_api.policy.rule import All, And, Not, Or, Row, Rule, World, truth
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class Covered:
    """One grant: how many of its claims tests have seen, and which they have not."""

    role: str
    collection: str
    place: Place
    seen: int
    missing: tuple[Text, ...]

    @property
    def claims(self) -> int:
        return self.seen + len(self.missing)


@dataclass(slots=True)
class Coverage:
    """Filled while tests run. A claim is a pair of what it speaks of and how that was seen."""

    _seen: dict[Place, set[tuple[object, str]]] = field(default_factory=dict)

    def note_row(self, grant: Grant, row: Row, item: Item | None, world: World) -> None:
        seen = self._note_rule(grant, row, world)
        seen.add(("row", "hidden" if item is None else "shown"))
        for name, value in (item or {}).items():
            is_changed = as_coordinates(value) != as_coordinates(row[name]) if name == GEOMETRY else value != row[name]
            if is_changed:
                seen.add((name, "changed"))

    def note_figures(self, grant: Grant, rows: Sequence[Row], groups: Sequence[Item], world: World) -> None:
        for row in rows:
            self._note_rule(grant, row, world)
        names = [figure.name for figure in grant.figures.figures] if grant.figures else []
        for group in groups:
            if all(group[name] is None for name in names):
                self._of(grant).add(("group", "hidden"))
            elif any(group[name] for name in names):
                self._of(grant).add(("group", "shown"))

    def of(self, policies: Policies) -> list[Covered]:
        """Every grant where it stands, in the order of the files."""
        every = [(role.name, grant) for role in policies.roles.values() for grants in role.grants.values() for grant in grants]
        return [self._covered(role, grant) for role, grant in every if grant.file_role == role]

    def _covered(self, role: str, grant: Grant) -> Covered:
        claims = list(_claims(grant))
        seen = self._seen.get(grant.place, set())
        missing = tuple(text for claim, text in claims if claim not in seen)
        return Covered(role, grant.collection, grant.place, len(claims) - len(missing), missing)

    def _of(self, grant: Grant) -> set[tuple[object, str]]:
        return self._seen.setdefault(grant.place, set())

    def _note_rule(self, grant: Grant, row: Row, world: World) -> set[tuple[object, str]]:
        seen = self._of(grant)
        seen |= {(atom, str(truth(atom, standing(row), world))) for atom in atoms_of(grant.shown_rows)}
        return seen


def atoms_of(rule: Rule) -> Iterator[Rule]:
    """The comparisons, lists, areas and days that a rule is made of."""
    match rule:
        case All():
            return
        case And(terms) | Or(terms):
            for term in terms:
                yield from atoms_of(term)
        case Not(term):
            yield from atoms_of(term)
        case _:
            yield rule


def _claims(grant: Grant) -> Iterator[tuple[tuple[object, str], Text]]:
    if grant.figures is not None:
        yield ("group", "shown"), Text("eine Gruppe mit Zahlen", "a group with figures")
        yield ("group", "hidden"), Text("eine Gruppe ohne Zahlen, weil sie klein ist", "a group without figures, for being small")
    else:
        yield ("row", "shown"), Text("eine Zeile, die gezeigt wird", "a row that is shown")
        if not isinstance(grant.shown_rows, All):
            yield ("row", "hidden"), Text("eine Zeile, die verborgen bleibt", "a row that stays hidden")
    for atom in dict.fromkeys(atoms_of(grant.shown_rows)):
        said = describe_rule(atom)
        yield (atom, "True"), Text(f"eine Zeile, für die gilt: {said}", f"a row for which this holds: {said}")
        yield (atom, "False"), Text(f"eine Zeile, für die nicht gilt: {said}", f"a row for which this does not hold: {said}")
    yield from (((name, "changed"), _coarsened(name, mask)) for name, mask in _masks(grant))


def _masks(grant: Grant) -> Iterator[tuple[str, Any]]:
    yield from ((name, mask) for name, mask in grant.attributes.items() if not isinstance(mask, Keep))
    if not isinstance(grant.geometry, KeepGeometry | Hide):
        yield GEOMETRY, grant.geometry


def _coarsened(name: str, mask: Any) -> Text:
    said = describe_mask(mask)
    return Text(f"ein Wert, den die Maske ändert: {name} {said}", f"a value that the mask changes: {name} {said}")
