"""Rules, masks and figures in words a mayor understands.

Must never say less than the policy: a rule that has no better words is said by its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

from twin_api.policy.documents import Attribute, Figure, Figures, Layer
from twin_api.policy.masks import Area, Band, GeometryMask, Grid, Hide, Reviewed, Round, Truncate, ValueMask, Xy
from twin_api.policy.rule import All, And, Between, Compare, Due, In, Inside, IsNull, Not, Operator, Or, Rule, Value
from twin_api.texts import Text

MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_OPPOSITE: Final[Mapping[Operator, Operator]] = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_ORDER: Final = {
    "<": (Text("unter", "below"), Text("vor dem", "before")),
    "<=": (Text("bis", "up to"), Text("bis", "until")),
    ">": (Text("über", "above"), Text("nach dem", "after")),
    ">=": (Text("ab", "from"), Text("ab", "from")),
}
REFRESHED: Final = {
    "daily": Text("täglich", "every day"),
    "weekly": Text("jede Woche", "every week"),
    "monthly": Text("jeden Monat", "every month"),
    "quarterly": Text("jedes Vierteljahr", "every quarter"),
    "yearly": Text("jedes Jahr", "every year"),
}


def joined(texts: Iterable[Text], separator: str | Text = ", ", last: Text | None = None) -> Text:
    """`a, b und c` where a word for the last comma is given."""
    every = list(texts)
    between = separator if isinstance(separator, Text) else Text(separator, separator)
    if last is None or len(every) < 2:
        return Text(between.de.join(t.de for t in every), between.en.join(t.say("en") for t in every))
    head = joined(every[:-1], between)
    return Text(f"{head.de}{last.de}{every[-1].de}", f"{head.en}{last.en}{every[-1].say('en')}")


def day_in_words(day: date) -> Text:
    return Text(f"{day.day:02}.{day.month:02}.{day.year}", f"{day.day} {MONTHS[day.month - 1]} {day.year}")


def number(value: float | Decimal, unit: str | None = None) -> Text:
    plain = f"{Decimal(repr(value)) if isinstance(value, float) else value:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    end = f" {unit}" if unit else ""
    return Text(plain.replace(".", ",") + end, plain + end)


OR: Final = Text(" oder ", " or ")
AND: Final = Text(" und ", " and ")


def rows_in_words(rule: Rule, layer: Layer, layers: Mapping[str, Layer]) -> Text:
    title = layer.title
    if isinstance(rule, All):
        return Text(f"{title.de}: alle Einträge.", f"{title.say('en')}: all entries.")
    said = _phrase(rule, layer, layers)
    return Text(f"{title.de}: nur Einträge {said.de}.", f"{title.say('en')}: only entries {said.en}.")


def _phrase(rule: Rule, layer: Layer, layers: Mapping[str, Layer]) -> Text:  # noqa: C901  # one case per kind of rule
    match rule:
        case And(terms) | Or(terms):
            inner = Or if isinstance(rule, And) else And
            parts = [_bracketed(_phrase(term, layer, layers), isinstance(term, inner)) for term in terms]
            word = AND if isinstance(rule, And) else OR
            return joined(parts, word)
        case In(name, values):
            return _equal(layer.attributes[name], values)
        case Compare(name, "=", value):
            return _equal(layer.attributes[name], (value,))
        case Compare(name, "<>", value):
            return _but(layer.attributes[name], (value,))
        case Compare(name, operator, value):
            return _ordered(layer.attributes[name], operator, value)
        case Between(name, low, high):
            return _between(layer.attributes[name], low, high)
        case IsNull(name):
            title = layer.attributes[name].title
            return Text(f"ohne Angabe zu „{title.de}“", f"without any “{title.say('en')}”")
        case Inside(areas, _, values):
            places = joined([Text(f"„{value}“", f"“{value}”") for value in values], last=OR)
            title = layers[areas].title
            return Text(f"im Gebiet {places.de} ({title.de})", f"in the area {places.en} ({title.say('en')})")
        case Not(term):
            return _negated(term, layer, layers)
        case Due(name):
            return Text(
                f"nach dem Tag in „{layer.attributes[name].title.de}“", f"past the day in “{layer.attributes[name].title.say('en')}”"
            )
        case All():
            return Text("ohne Bedingung", "without condition")


def _negated(term: Rule, layer: Layer, layers: Mapping[str, Layer]) -> Text:
    match term:
        case Not(inner):
            return _phrase(inner, layer, layers)
        case In(name, values):
            return _but(layer.attributes[name], values)
        case Compare(name, operator, value):
            return _phrase(Compare(name, _OPPOSITE[operator], value), layer, layers)
        case IsNull(name):
            title = layer.attributes[name].title
            return Text(f"mit irgendeiner Angabe zu „{title.de}“", f"with any “{title.say('en')}”")
    said = _phrase(term, layer, layers)
    return Text(f"außer solchen ({said.de})", f"except those ({said.en})")


def _bracketed(text: Text, needed: bool) -> Text:
    return Text(f"({text.de})", f"({text.en})") if needed else text


def value_in_words(attribute: Attribute, value: Value) -> Text:
    match value:
        case bool():
            return Text("ja", "yes") if value else Text("nein", "no")
        case datetime():
            day = day_in_words(value.date())
            return Text(f"{day.de}, {value:%H:%M} Uhr (UTC)", f"{day.en}, {value:%H:%M} (UTC)")
        case date():
            return day_in_words(value)
        case str():
            return Text(f"„{value}“", f"“{(attribute.enum or {}).get(value, value)}”")
    return number(value, attribute.unit)


def _equal(attribute: Attribute, values: Iterable[Value]) -> Text:
    said = joined([value_in_words(attribute, value) for value in values], last=OR)
    return Text(f"mit {attribute.title.de} {said.de}", f"with {attribute.title.say('en')} {said.en}")


def _but(attribute: Attribute, values: Iterable[Value]) -> Text:
    said = joined([value_in_words(attribute, value) for value in values], last=AND)
    return Text(f"mit jeder anderen Angabe zu {attribute.title.de} als {said.de}",
                f"with any {attribute.title.say('en')} but {said.en}")  # fmt: skip


def _ordered(attribute: Attribute, operator: Operator, value: Value) -> Text:
    said, word = value_in_words(attribute, value), _ORDER[operator][isinstance(value, date)]
    colon = ":" if isinstance(value, date) else ""
    return Text(f"mit {attribute.title.de}{colon} {word.de} {said.de}", f"with {attribute.title.say('en')}{colon} {word.en} {said.en}")


def _between(attribute: Attribute, low: Value | None, high: Value | None) -> Text:
    if low is None or high is None:
        return _ordered(attribute, "<=" if low is None else ">=", high if low is None else low)  # type: ignore[arg-type]  # one is there
    start, end = value_in_words(attribute, low), value_in_words(attribute, high)
    return Text(f"mit {attribute.title.de} von {start.de} bis {end.de}", f"with {attribute.title.say('en')} from {start.en} to {end.en}")


def place_in_words(mask: GeometryMask, layer: Layer, layers: Mapping[str, Layer]) -> Text:
    if layer.geometry is None:
        return Text("Ohne Ort: dieser Datensatz hat keine Karte.", "Without place: these data have no map.")
    kind, has_heights = layer.geometry.type.removesuffix("Z"), layer.geometry.type.endswith("Z")
    match mask:
        case Hide():
            return Text("Der Ort wird nicht gezeigt.", "The place is not shown.")
        case Grid(cell):
            size = f"{cell:,}".replace(",", " ")
            return Text(f"Auf {size} Meter genau: gezeigt wird die Mitte eines Quadrats von {size} Metern, ohne Höhe.",
                        f"To {size} metres: what is shown is the centre of a square of {size} metres, without height.")  # fmt: skip
        case Area(areas):
            title = layers[areas].title
            return Text(f"Nur das Gebiet: ein Punkt je Fläche aus „{title.de}“, für alle Einträge darin derselbe.",
                        f"The area only: one point per area of “{title.say('en')}”, the same for all entries in it.")  # fmt: skip
        case Xy():
            return Text("Genau, aber ohne Höhe.", "Exactly, but without height.")
    exact = Text("Genauer Umriss", "Exact outline") if "Polygon" in kind else Text("Genauer Verlauf", "Exact course")
    exact = Text("Genauer Punkt", "Exact point") if "Point" in kind else exact
    return Text(f"{exact.de}, mit Höhe.", f"{exact.en}, with height.") if has_heights else Text(f"{exact.de}.", f"{exact.en}.")


def attribute_in_words(attribute: Attribute, mask: ValueMask) -> Text:
    """The title, and in brackets how exactly its value is shown if it is not shown as it is."""
    title, how = attribute.title, _precision(attribute, mask)
    return Text(f"{title.de} ({how.de})", f"{title.say('en')} ({how.en})") if how else title


def _precision(attribute: Attribute, mask: ValueMask) -> Text | None:
    match mask:
        case Round(step):
            said = number(step, attribute.unit)
            return Text(f"auf {said.de} gerundet", f"rounded to {said.en}")
        case Band(limits):
            words = [number(limit, attribute.unit) for limit in limits]
            bands = [Text(f"unter {words[0].de}", f"below {words[0].en}")]
            bands += [Text(f"{a.de} bis unter {b.de}", f"{a.en} to below {b.en}") for a, b in pairwise(words)]
            said = joined([*bands, Text(f"ab {words[-1].de}", f"{words[-1].en} and more")])
            return Text(f"nur die Stufe: {said.de}", f"its band only: {said.en}")
        case Truncate("year"):
            return Text("nur das Jahr", "the year only")
        case Truncate():
            return Text("nur Monat und Jahr", "month and year only")
        case Reviewed():
            return Text("nur wo eine Person den Text gelesen hat", "only where a person has read the text")
    return None


def figures_in_words(figures: Figures, layer: Layer, layers: Mapping[str, Layer]) -> tuple[Text, ...]:
    """By which groups, which numbers, from how many on, how often."""
    title = (layers[figures.group_by] if figures.by_area else layer.attributes[figures.group_by]).title
    per = Text(f"je Fläche aus „{title.de}“" if figures.by_area else f"je {title.de}",
               f"per area of “{title.say('en')}”" if figures.by_area else f"per {title.say('en')}")  # fmt: skip
    numbers = joined([_figure(figure, layer) for figure in figures.figures], "; ")
    often = REFRESHED[figures.refresh]
    return (
        Text(f"Keine einzelnen Einträge, nur Zahlen {per.de}: {numbers.de}.", f"No single entries, only figures {per.en}: {numbers.en}."),
        Text(f"Gruppen mit weniger als {figures.at_least} Einträgen zeigen keine Zahl.",
             f"Groups of fewer than {figures.at_least} entries show no figure."),
        Text(f"Neu gerechnet wird {often.de}, nicht bei jeder Änderung.", f"Computed anew {often.en}, not with each change."),
    )  # fmt: skip


def _figure(figure: Figure, layer: Layer) -> Text:
    attribute = layer.attributes.get(figure.attribute or "")
    what = Text("Anzahl", "number of entries")
    unit = None
    if attribute is not None and figure.kind == "share":
        counted = _equal(attribute, figure.values)
        what, unit = Text(f"Anteil {counted.de}", f"share {counted.en}"), "%"
    elif attribute is not None:
        word = Text("Summe", "sum of") if figure.kind == "sum" else Text("Mittel", "mean")
        what, unit = Text(f"{word.de} {attribute.title.de}", f"{word.en} {attribute.title.say('en')}"), attribute.unit
    if figure.step is not None:
        step = number(figure.step, unit)
        what = Text(f"{what.de}, auf {step.de} gerundet", f"{what.en}, rounded to {step.en}")
    name = figure.title or Text(figure.name.replace("_", " ").capitalize(), figure.name.replace("_", " ").capitalize())
    return Text(f"{name.de} ({what.de})", f"{name.say('en')} ({what.en})")
