"""A layer's fields for the record of processing activities (Art. 30 GDPR), as far as the policies know them.

Must never say that there are no personal data: by class and by name is all it can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from twin_api.policy.documents import Layer, Policies, SensitivityClass
from twin_api.policy.lint import personal_attributes
from twin_api.policy.report.document import Fact, Record
from twin_api.policy.report.sentences import day_in_words, joined
from twin_api.policy.report.shown import areas_of
from twin_api.policy.report.words import role_title
from twin_api.policy.vocabulary import first_match, words_of
from twin_api.texts import Text

# what a class says of itself where it is about people
PERSONAL_CLASS: Final = ("person*", "dsgvo", "gdpr", "datenschutz")
NONE_FOUND: Final = Text("Nach Klassen und Namen keine erkennbar", "None to be seen by classes and names")
TERMS: Final = {
    "own": Text("eigene Daten", "own data"),
    "open": Text("offene Lizenz", "open licence"),
    "internal-only": Text("nur für internen Gebrauch", "for internal use only"),
}


def record(layer: Layer, policies: Policies, day: date) -> Record:
    owner, by = policies.town.departments[layer.owner], policies.town.departments[layer.classified_by]
    on, review = day_in_words(layer.classified_on), day_in_words(layer.review)
    terms = TERMS[layer.terms]
    overdue = Text(" (überfällig)", " (overdue)") if layer.review < day else Text("")
    return Record(layer.title, (
        Fact(Text("Zweck", "Purpose"), (Text(f"{layer.purpose}", f"{layer.purpose}"),)),
        Fact(Text("Verantwortlich", "Controller"), (Text(f"{policies.town.name}, {owner}", f"{policies.town.name}, {owner}"),)),
        Fact(Text("Personenbezogene Daten", "Personal data"), (personal_data(layer, policies),)),
        Fact(Text("Empfänger", "Recipients"), (_recipients(layer, policies, day),)),
        Fact(Text("Klassen", "Classes"), tuple(_classes(layer, policies))),
        Fact(Text("Quelle und Lizenz", "Source and licence"), (
            Text(f"{layer.holder}; {layer.licence} ({terms.de})", f"{layer.holder}; {layer.licence} ({terms.en})"),
        )),
        Fact(Text("Einstufung", "Classification"), (
            Text(f"durch {by} am {on.de}; zu überprüfen bis {review.de}{overdue.de}",
                 f"by {by} on {on.en}; review by {review.en}{overdue.en}"),
        )),
    ))  # fmt: skip


def personal_data(layer: Layer, policies: Policies) -> Text:
    """By class, by name, by free text; else no sign of any."""
    classes = policies.town.classes
    named = {attribute.name for attribute in personal_attributes(layer)}
    sure = [a.title for a in layer.attributes.values() if a.name in named or _is_personal(classes[a.class_])]
    if _is_personal(classes[layer.existence]):
        sure.insert(0, Text("schon das Vorhandensein", "their very existence"))
    if layer.geometry is not None and _is_personal(classes[layer.geometry.class_]):
        sure.insert(0, Text("der Ort", "the place"))
    what, free = joined(sure), joined([a.title for a in layer.attributes.values() if a.free_text])
    certain = [Text(f"Ja: {what.de}", f"Yes: {what.en}")] if sure else []
    possible = [Text(f"Möglich, in Freitext: {free.de}", f"Possible, in free text: {free.en}")] if free.de else []
    if certain and possible:
        return Text(f"{certain[0].de}; möglich, in Freitext: {free.de}", f"{certain[0].en}; possible, in free text: {free.en}")
    return (certain + possible + [NONE_FOUND])[0]


def _is_personal(class_: SensitivityClass) -> bool:
    return first_match(words_of(class_.name, class_.title, class_.ground), PERSONAL_CLASS) is not None


def _recipients(layer: Layer, policies: Policies, day: date) -> Text:
    seeing = [
        role_title(role.name, policies.town)
        for role in policies.roles.values()
        if any(grant.layer == layer.name or layer.name in areas_of(grant) for grant in role.open_on(day).values())
    ]
    return joined(seeing, "; ") if seeing else Text("niemand", "nobody")


def _classes(layer: Layer, policies: Policies) -> Iterator[Text]:
    """Each class once, with what is of it, its ground, and whether reading is noted."""
    used: dict[str, list[Text]] = {layer.existence: [Text("Vorhandensein", "existence")]}
    if layer.geometry is not None:
        used.setdefault(layer.geometry.class_, []).append(Text("Ort", "place"))
    for attribute in layer.attributes.values():
        used.setdefault(attribute.class_, []).append(attribute.title)
    for name, subjects in used.items():
        class_, what = policies.town.classes[name], joined(subjects)
        noted = Text(" Jedes Lesen wird vermerkt.", " Every reading is noted.") if class_.audited else Text("")
        ground = class_.ground.rstrip(".")
        yield Text(f"{class_.title} ({ground}): {what.de}.{noted.de}", f"{class_.title} ({ground}): {what.en}.{noted.en}")
