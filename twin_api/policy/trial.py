"""Policy tests, run: what each role sees of the example rows, against what was expected.

Must never look at the store: the rows are those of the tests, and every release counts as approved and open, since a test tells
what the wording means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isclose
from typing import Any, Final

from twin_api.policy.coordinates import as_coordinates, is_geometry
from twin_api.policy.coverage import Coverage, Covered
from twin_api.policy.documents import Grant, Layer, Place, Policies
from twin_api.policy.evaluate import GEOMETRY, Item, groups, shown
from twin_api.policy.examples import HIDDEN, NO_FIGURE, Examples, Expected, ExpectedTwin, examples_of
from twin_api.policy.fields import parse_date
from twin_api.policy.finding import listed, quoted
from twin_api.policy.rule import World
from twin_api.policy.values import parse_moment
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class Result:
    """One expectation, written or meant by not being named. `difference` is None where it holds."""

    place: Place
    subject: tuple[str, ...]  # role, collection, row or group
    difference: Text | None

    def say(self) -> Text:
        who = " · ".join(self.subject)
        told = self.difference or Text("bestanden", "passed")
        return Text(f"{self.place}: {who}: {told.de}", f"{self.place}: {who}: {told.say('en')}")


@dataclass(frozen=True, slots=True)
class Trial:
    results: tuple[Result, ...]
    coverage: tuple[Covered, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.difference is not None)


def run_examples(policies: Policies) -> Trial:
    """Every test of the folder, and what all of them together have seen of the grants."""
    coverage = Coverage()
    results = [
        result
        for examples in examples_of(policies)
        for twin in examples.expect
        for result in _Twin(policies, examples, twin, coverage).results()
    ]
    return Trial(tuple(results), tuple(coverage.of(policies)))


class _Twin:
    """One role's view of one file's rows."""

    def __init__(self, policies: Policies, examples: Examples, expected: ExpectedTwin, coverage: Coverage) -> None:
        self._layers: Mapping[str, Layer] = policies.layers
        self._examples, self._expected, self._coverage = examples, expected, coverage
        self._world: World = examples.world(policies.town.time_zone)
        every = {name: many[0] for name, many in policies.roles[expected.role].grants.items()}
        self._grants: dict[str, Grant] = {name: grant for name, grant in every.items() if grant.layer == examples.layer.name}

    def results(self) -> Iterator[Result]:
        for collection, expected in self._by_collection().items():
            grant = self._grants.get(collection)
            if grant is None:
                yield from self._of_none(collection, expected)
            elif grant.figures is None:
                yield from self._of_items(grant, expected)
            else:
                yield from self._of_figures(grant, expected)

    def _by_collection(self) -> Mapping[str, list[Expected]]:
        """Every collection of the role over the layer, and every other that is named; rows without one belong to the layer's own."""
        told: dict[str, list[Expected]] = {name: [] for name in self._grants}
        for name, expected in self._expected.collections.items():
            told.setdefault(name, []).extend(expected)
        if self._expected.rows:
            told.setdefault(self._home(), []).extend(self._expected.rows)
        return told

    def _home(self) -> str:
        items = [name for name, grant in self._grants.items() if grant.figures is None]
        return items[0] if len(items) == 1 else self._examples.layer.name

    def _result(self, place: Place, collection: str, name: str, difference: Text | None) -> Result:
        subject = (self._expected.role, collection, name) if name else (self._expected.role, collection)
        return Result(place, subject, difference)

    def _of_none(self, collection: str, expected: Sequence[Expected]) -> Iterator[Result]:
        """The role has no such collection: right where nothing is expected of it."""
        names = listed(name for name, grant in self._grants.items() if grant.figures is None)
        for row in expected:
            why = Text("die Rolle hat keine solche Collection", "the role has no such collection") if row.shown is not None else None
            if names and row in self._expected.rows:
                why = Text(f"die Zeile unter ihrer Collection nennen: {names}", f"name the row under its collection: {names}")
            yield self._result(row.place, collection, row.name, why)
        if not expected:
            yield self._result(self._expected.place, collection, "", None)

    def _of_items(self, grant: Grant, expected: Sequence[Expected]) -> Iterator[Result]:
        named = {row.name for row in expected}
        unnamed = [Expected(name, None, self._expected.place) for name in self._examples.rows if name not in named]
        for wanted in (*expected, *unnamed):
            row = self._examples.rows[wanted.name]
            item = shown(grant, self._examples.layer, row, self._world)
            self._coverage.note_row(grant, row, item, self._world)
            yield self._result(wanted.place, grant.collection, wanted.name, _difference(wanted.shown, item))

    def _of_figures(self, grant: Grant, expected: Sequence[Expected]) -> Iterator[Result]:
        layer, figures = self._examples.layer, grant.figures
        if figures is None:
            return
        rows = list(self._examples.rows.values())
        areas = self._layers[figures.group_by] if figures.by_area else None
        found = groups(grant, layer, areas, rows, self._world)
        self._coverage.note_figures(grant, rows, found, self._world)
        label = areas.key if areas is not None else (figures.group_by,)
        by_name = {" / ".join(str(group[name]) for name in label): group for group in found}
        named = {wanted.name for wanted in expected}
        unnamed = [Expected(name, {}, self._expected.place) for name in by_name if name not in named]
        for wanted in (*expected, *unnamed):
            yield self._result(wanted.place, grant.collection, wanted.name, _figures_differ(wanted, by_name, grant))
        if not expected and not unnamed:
            yield self._result(self._expected.place, grant.collection, "", None)


def _difference(wanted: Mapping[str, Any] | None, item: Item | None) -> Text | None:
    if wanted is None or item is None:
        if wanted is item:
            return None
        one, other = (quoted(HIDDEN) if side is None else _as_written(side) for side in (wanted, item))
        return Text(f"erwartet {one}, gefunden {other}", f"expected {one}, found {other}")
    clauses = [clause for name in dict.fromkeys((*wanted, *item)) if (clause := _clause(name, wanted, item)) is not None]
    return Text("; ".join(c.de for c in clauses), "; ".join(c.say("en") for c in clauses)) if clauses else None


def _clause(name: str, wanted: Mapping[str, Any], item: Item) -> Text | None:
    if name not in item:
        return Text(f"{quoted(name)} wird nicht gezeigt", f"{quoted(name)} is not shown")
    found = _written(item[name])
    if name not in wanted:
        return Text(f"{quoted(name)} wird gezeigt ({found}), steht aber nicht im Test", f"{quoted(name)} is shown ({found}), but not named")
    if is_geometry(wanted[name], item[name]) if name == GEOMETRY else _is_value(wanted[name], item[name]):
        return None
    return _unlike(name, _written(wanted[name]), found)


def _unlike(name: str, wanted: str, found: str) -> Text:
    return Text(f"{quoted(name)}: erwartet {wanted}, gefunden {found}", f"{quoted(name)}: expected {wanted}, found {found}")


def _is_value(plain: Any, value: Any) -> bool:
    """Whether what stands in the test means the value that is shown."""
    if plain is None or value is None:
        return plain is value
    if isinstance(value, bool) or isinstance(plain, bool):
        return plain is value
    if isinstance(value, date):  # a moment is one too
        read = parse_moment if isinstance(value, datetime) else parse_date
        return isinstance(plain, str) and read(plain) == value
    return bool(plain == value)


def _figures_differ(wanted: Expected, found: Mapping[str, Item], grant: Grant) -> Text | None:
    """A figure that is not named must not be shown; the zero of an empty group says nothing."""
    group = found.get(wanted.name)
    if group is None:
        return Text(f"diese Gruppe gibt es nicht, nur {listed(found)}", f"there is no such group, but {listed(found)}")
    told = wanted.shown or {}
    clauses = []
    for figure in grant.figures.figures if grant.figures else ():
        value, expected = group[figure.name], told.get(figure.name)
        is_silent = figure.name not in told and figure.kind == "count" and value == 0
        if not is_silent and not _is_number(expected, value):
            clauses.append(_unlike(figure.name, _as_figure(expected), _as_figure(value)))
    surplus = sorted(told.keys() - {figure.name for figure in grant.figures.figures} if grant.figures else ())
    clauses += [Text(f"{quoted(name)} wird nicht gezeigt", f"{quoted(name)} is not shown") for name in surplus]
    return Text("; ".join(c.de for c in clauses), "; ".join(c.say("en") for c in clauses)) if clauses else None


def _is_number(expected: Any, value: Any) -> bool:
    if expected is None or value is None:
        return expected is value
    return isclose(expected, value, rel_tol=_CLOSE)


_CLOSE: Final = 1e-9


def _as_figure(value: Any) -> str:
    return NO_FIGURE if value is None else str(value)


def _as_written(item: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {_written(value)}" for name, value in item.items()) + "}"


def _written(value: Any) -> str:
    """A value of a test row, as it would stand in the file."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    return as_coordinates(value) if hasattr(value, "geom_type") else str(value)
