"""The way of the store's tables to what the layer files say, as data: the steps with their SQL, and all that stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from twin_api.policy.finding import listed
from twin_api.texts import Text

# `settle` says nothing to people: what has to be done with the others
Kind = Literal["create", "rename", "retype", "drop", "add", "geometry", "key", "settle"]


class LayersRefused(Exception):
    """The store cannot follow the layer files. `reasons` has one text each, all of them; nothing was changed."""

    def __init__(self, reasons: Sequence[Text]) -> None:
        super().__init__("; ".join(reason.en for reason in reasons))
        self.reasons = list(reasons)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one layer: `before` and `after` are names or types; `values` says how many go with it."""

    kind: Kind
    layer: str
    statements: tuple[str, ...]
    attribute: str = ""
    before: str = ""
    after: str = ""
    values: int = 0


@dataclass(slots=True)
class LayerPlan:
    """Steps in the order in which they have to be done; with any refusal none of them is."""

    steps: list[Step] = field(default_factory=list)
    refusals: list[Text] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # layers that stand in the store without a file: nobody sees them

    @property
    def created(self) -> set[str]:
        return {step.layer for step in self.steps if step.kind == "create"}

    @property
    def altered(self) -> list[str]:
        """Layers that are there and change."""
        return sorted({step.layer for step in self.steps} - self.created)

    def refuse(self) -> None:
        """Raise `LayersRefused` if anything stands in the way."""
        if self.refusals:
            raise LayersRefused(self.refusals)


def describe(plan: LayerPlan) -> list[Text]:
    """One sentence for every step that people want to know of; true before and after it is done."""
    return [_SENTENCES[step.kind](step) for step in plan.steps if step.kind in _SENTENCES]


_SENTENCES: Final[Mapping[str, Callable[[Step], Text]]] = {
    "create": lambda s: Text(f"{s.layer}: neuer Layer", f"{s.layer}: new layer"),
    "add": lambda s: Text(f"{s.layer}: neues Attribut `{s.attribute}`", f"{s.layer}: new attribute `{s.attribute}`"),
    "rename": lambda s: Text(f"{s.layer}: `{s.before}` heißt jetzt `{s.after}`", f"{s.layer}: `{s.before}` is now called `{s.after}`"),
    "retype": lambda s: Text(
        f"{s.layer}: `{s.attribute}` ist jetzt `{s.after}`, bisher `{s.before}`",
        f"{s.layer}: `{s.attribute}` is now `{s.after}`, so far `{s.before}`",
    ),
    "drop": lambda s: Text(
        f"{s.layer}: `{s.attribute}` fällt weg, mit {_values(s.values).de}",
        f"{s.layer}: `{s.attribute}` goes, with {_values(s.values).en}",
    ),
    "geometry": lambda s: Text(
        f"{s.layer}: die Geometrie ist jetzt {s.after}, bisher {s.before}", f"{s.layer}: the geometry is now {s.after}, so far {s.before}"
    ),
    "key": lambda s: Text(f"{s.layer}: der Schlüssel ist jetzt {s.after}", f"{s.layer}: the key is now {s.after}"),
}


def _values(number: int) -> Text:
    return Text("1 Wert", "1 value") if number == 1 else Text(f"{number} Werten", f"{number} values")


def unknown_column(layer: str, column: str, values: int) -> Text:
    """A column that the file says nothing about."""
    name, counted = f"{layer}.{column}", _values(values)
    return Text(
        f"{name} steht im Speicher (mit {counted.de}), aber nicht in der Datei. Das Attribut wieder aufnehmen, mit `was: {column}` "
        f"umbenennen, oder seine Werte mit `dropped: [{column}]` aufgeben.",
        f"{name} is in the store (with {counted.en}) but not in the file. Put the attribute back, rename it with `was: {column}`, or give "
        f"its values up with `dropped: [{column}]`.",
    )


def both_there(layer: str, before: str, after: str) -> Text:
    return Text(
        f"{layer}.{before} kann nicht `{after}` werden: im Speicher stehen beide. `was: {before}` löschen und `dropped: [{before}]` "
        "schreiben, oder dem neuen einen anderen Namen geben.",
        f"{layer}.{before} cannot become `{after}`: both are in the store. Delete `was: {before}` and write `dropped: [{before}]`, or "
        "give the new one another name.",
    )


def unfit_values(layer: str, attribute: str, types: tuple[str, str], rows: Sequence[object], number: int) -> Text:
    """Values that do not convert, told by the ids of their rows."""
    before, after = types
    some = listed(map(str, rows)) + (" …" if number > len(rows) else "")
    return Text(
        f"{layer}.{attribute} ist im Speicher `{before}` und in der Datei `{after}`. Werte, die sich nicht umwandeln lassen: {number}, "
        f"in den Zeilen {some}. Diese Werte vorher berichtigen oder leeren.",
        f"{layer}.{attribute} is `{before}` in the store and `{after}` in the file. Values that do not convert: {number}, "
        f"in the rows {some}. Correct or empty them first.",
    )


def same_key(layer: str, key: Sequence[str], number: int) -> Text:
    names = listed(key)
    return Text(
        f"{layer}: der Schlüssel {names} wäre nicht mehr eindeutig. Zeilen, die ihn mit einer anderen gemein hätten: {number}. Diese "
        "Zeilen vorher unterscheidbar machen, oder andere Attribute mit `key: true` versehen.",
        f"{layer}: the key {names} would no longer be unique. Rows that would share it with another one: {number}. Tell these rows "
        "apart first, or mark other attributes with `key: true`.",
    )


def geometry_holds(layer: str, before: str, after: str, number: int) -> Text:
    return Text(
        f"{layer}: die Geometrie ist im Speicher {before} und in der Datei {after}. Sie ändert sich nur, wo noch keine steht; Zeilen mit "
        f"Geometrie: {number}. Die Datei an den Speicher anpassen, oder diese Zeilen vorher löschen.",
        f"{layer}: the geometry is {before} in the store and {after} in the file. It changes only where there is none yet; rows with "
        f"geometry: {number}. Let the file follow the store, or delete these rows first.",
    )


def still_shown(layer: str, attribute: str) -> Text:
    """For an apply of layers alone."""
    return Text(
        f"{layer}.{attribute} wird veröffentlicht. `twin policy apply` ändert Layer und Richtlinien in einem Schritt.",
        f"{layer}.{attribute} is published. `twin policy apply` changes layers and policies in one step.",
    )


def other_in_store(layer: str, attribute: str) -> Text:
    """For what stands on the store without changing it."""
    return Text(
        f"{layer}.{attribute} fehlt im Speicher oder ist dort von anderer Art. Layer ändern sich mit `twin policy apply`.",
        f"{layer}.{attribute} is not in the store or has another type there. Layers change with `twin policy apply`.",
    )


def absent_layer(layer: str) -> Text:
    """For what stands on a layer that is still to be made."""
    return Text(
        f"{layer}: diesen Layer gibt es im Speicher noch nicht. `twin layers apply` legt ihn leer an, und niemand sieht ihn.",
        f"{layer}: this layer is not in the store yet. `twin layers apply` makes it empty, and nobody sees it.",
    )
