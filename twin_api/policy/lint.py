"""Concerns (German: Bedenken): what is allowed, but often a thing forgotten. Nobody is refused anything for one.

Must never be taken for the wall: what must not happen is refused by the loader, not by a word list here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from twin_api.policy.check import read_by
from twin_api.policy.documents import Attribute, Grant, Layer, Policies
from twin_api.policy.finding import Finding, Findings, listed, quoted
from twin_api.policy.lint_relations import betrayals
from twin_api.policy.lint_rules import Exclusion, exclusions
from twin_api.policy.masks import Keep
from twin_api.policy.places import Places
from twin_api.policy.role import CITIZEN
from twin_api.policy.rule import attributes_of, insides_of
from twin_api.policy.town import UNREVIEWED
from twin_api.policy.vocabulary import CRITICAL, FIRST_NAME, FREE_TEXT, PERSONAL, first_match, tells_place, words_of
from twin_api.texts import Text

# the escape: a reason at the end of the line, for whoever reads the file next
ANSWERED: Final = re.compile(r"#\s*(geprüft|checked):\s*\S")


def lint(policies: Policies) -> list[Finding]:
    """All concerns by file and line, without those whose line ends in `# geprüft: <reason>`."""
    places, found = Places(policies.files), Findings()
    for check in (_places_told, _related_layers, _critical, _free_texts, _personal, _exclusions, _reviews, _unused):
        found += check(policies, places)
    return [finding for finding in found.in_order() if not ANSWERED.search(places.line(finding.place))]


def own_grants(policies: Policies) -> list[Grant]:
    """Every grant once, wherever else it is included."""
    every = [grant for role in policies.roles.values() for grants in role.grants.values() for grant in grants]
    return list({(grant.file_role, grant.collection): grant for grant in every}.values())


def _places_told(policies: Policies, places: Places) -> Iterator[Finding]:
    """(a) An address beside a coarse place makes it exact again."""
    for grant in own_grants(policies):
        layer = policies.layers[grant.layer]
        if layer.geometry is None or grant.figures is not None or grant.geometry.word in ("keep", "xy"):
            continue
        for name in dict.fromkeys((*grant.attributes, *attributes_of(grant.rows))):
            attribute = layer.attributes[name]
            if tells_place(name, attribute.title) and not attribute.locates:
                what = Text(
                    f"{quoted(name)} klingt nach einem Ort, den `geometry` ({quoted(grant.geometry.word)}) gerade vergröbert oder verbirgt",
                    f"{quoted(name)} sounds like a place, which `geometry` ({quoted(grant.geometry.word)}) coarsens or hides",
                )
                remedy = Text(f"{quoted(name)} weglassen, und in {attribute.place} mit `locates: true` kennzeichnen",
                              f"leave {quoted(name)} out, and mark it with `locates: true` in {attribute.place}")  # fmt: skip
                entry = ("attributes", name) if name in grant.attributes else ("rows",)
                yield Finding(places.in_grant(grant, *entry), what, remedy)


def _related_layers(policies: Policies, places: Places) -> Iterator[Finding]:
    """(b) What is shown exactly and speaks of what is shown coarsely."""
    for role, coarse, fine, link in betrayals(policies):
        one, other, who = policies.layers[coarse.layer], policies.layers[fine.layer], quoted(role)
        what = Text(
            f"{quoted(fine.collection)} nennt über {quoted(link)} Objekte aus {quoted(coarse.collection)}, das {who} nur grob sieht",
            f"{quoted(fine.collection)} refers by {quoted(link)} to items of {quoted(coarse.collection)}, which {who} sees coarsely",
        )
        group = one.group or other.group or one.name
        remedy = Text(f"in {one.place.file} und {other.place.file} dieselbe `group: {group}` eintragen, damit die Prüfung beide vergleicht",
                      f"enter the same `group: {group}` in {one.place.file} and {other.place.file}, so that both are compared")  # fmt: skip
        yield Finding(places.in_grant(fine), what, remedy)


def _is_open(policies: Policies, class_: str) -> bool:
    return policies.town.classes[class_].is_seen_by(CITIZEN)


def _critical(policies: Policies, places: Places) -> Iterator[Finding]:
    """(c) Critical installations that citizens may see by class, or see by grant."""
    remedy = Text("Klasse und Grant mit der Informationssicherheit prüfen; im Zweifel eine Klasse, die Bürger nicht sehen",
                  "check class and grant with information security; in doubt a class that citizens do not see")  # fmt: skip
    granted = [grant for grant in own_grants(policies) if grant.file_role == CITIZEN]
    for layer in policies.layers.values():
        word = first_match(words_of(layer.name, layer.title), CRITICAL)
        by_word = {a.name: first_match(words_of(a.name, a.title), CRITICAL) for a in layer.attributes.values()}
        if word is not None:
            for entry, class_ in (("existence", layer.existence), ("geometry", layer.geometry.class_ if layer.geometry else "")):
                if class_ and _is_open(policies, class_):
                    yield Finding(places.at(layer.place.file, entry), _sounds_critical(layer.name, word, entry), remedy)
        for name, said in by_word.items():
            if said is not None and _is_open(policies, layer.attributes[name].class_):
                yield Finding(layer.attributes[name].place, _sounds_critical(layer.name, said, name), remedy)
        for grant in (grant for grant in granted if grant.layer == layer.name):
            said = word or next((by_word[name] for name in read_by(grant) if by_word[name]), None)
            if said is not None:
                what = Text(f"Bürger sehen hier {quoted(said)}, das nach kritischer Infrastruktur klingt",
                            f"citizens see {quoted(said)} here, which sounds like critical infrastructure")  # fmt: skip
                yield Finding(grant.place, what, remedy)


def _sounds_critical(layer: str, word: str, entry: str) -> Text:
    said, seen = f"{quoted(word)} in {quoted(layer)}", quoted(entry)
    return Text(f"{said} klingt nach kritischer Infrastruktur, und die Klasse von {seen} dürfen Bürger sehen",
                f"{said} sounds like critical infrastructure, and citizens may see the class of {seen}")  # fmt: skip


def _free_texts(policies: Policies, places: Places) -> Iterator[Finding]:
    """(d) Remarks that nobody marked as free text."""
    for grant in own_grants(policies):
        for name, mask in grant.attributes.items() if grant.file_role == CITIZEN else ():
            attribute = policies.layers[grant.layer].attributes[name]
            if isinstance(mask, Keep) and _sounds_free(attribute):
                what = Text(f"{quoted(name)} klingt nach Freitext; darin können Namen und Orte stehen",
                            f"{quoted(name)} sounds like free text, which may hold names and places")  # fmt: skip
                marked = f"`free_text: {{reviewed: {name}_gelesen}}`"
                remedy = Text(f"in {attribute.place} {marked} eintragen und hier `{name}: reviewed`, oder weglassen",
                              f"enter {marked} in {attribute.place} and `{name}: reviewed` here, or leave it out")  # fmt: skip
                yield Finding(places.in_grant(grant, "attributes", name), what, remedy)


def _sounds_free(attribute: Attribute) -> bool:
    free = attribute.type == "text" and attribute.enum is None and not attribute.free_text
    return free and first_match(words_of(attribute.name, attribute.title), FREE_TEXT) is not None


def _personal(policies: Policies, places: Places) -> Iterator[Finding]:
    """(e) People in a class that everybody may see."""
    for layer in policies.layers.values():
        for attribute in personal_attributes(layer):
            if _is_open(policies, attribute.class_):
                what = Text(f"{quoted(attribute.name)} klingt nach einer Person, und seine Klasse dürfen Bürger sehen",
                            f"{quoted(attribute.name)} sounds like a person, and citizens may see its class")  # fmt: skip
                remedy = Text("mit dem Datenschutz eine Klasse wählen, die nur das zuständige Amt sieht",
                              "choose, with data protection, a class that only the department in charge sees")  # fmt: skip
                yield Finding(attribute.place, what, remedy)


def personal_attributes(layer: Layer) -> list[Attribute]:
    """Attributes that sound like a person; `name` does where there is a first name beside it."""
    words = {a.name: words_of(a.name, a.title) for a in layer.attributes.values()}
    has_first_name = any(first_match(said, FIRST_NAME) for said in words.values())
    return [
        a for a in layer.attributes.values()
        if first_match(words[a.name], PERSONAL) is not None or (has_first_name and a.name == "name")
    ]  # fmt: skip


def _exclusions(policies: Policies, places: Places) -> Iterator[Finding]:
    """(f) Rules that say what is not shown: a value nobody thought of is shown the day it appears."""
    for grant in own_grants(policies):
        attributes = policies.layers[grant.layer].attributes
        for exclusion in exclusions(grant.rows):
            if attributes[exclusion.attribute].type == "text":
                name = quoted(exclusion.attribute)
                what = Text(f"die Regel schließt Werte von {name} aus; ein neuer Wert würde sofort gezeigt",
                            f"the rule excludes values of {name}; a new value would be shown at once")  # fmt: skip
                yield Finding(places.in_grant(grant, "rows"), what, _listing(exclusion, attributes[exclusion.attribute]))


def _listing(exclusion: Exclusion, attribute: Attribute) -> Text:
    shown = [value for value in attribute.enum or () if value not in exclusion.values]
    example = ", ".join("'" + value.replace("'", "''") + "'" for value in shown) or "…"
    right = f"`{attribute.name} IN ({example})`"
    return Text(f"die Werte aufzählen, die gezeigt werden: {right}", f"list the values that are shown: {right}")


def _reviews(policies: Policies, places: Places) -> Iterator[Finding]:
    """(g) A release that outlives the classification it is an exception to."""
    for grant in own_grants(policies):
        layer = policies.layers[grant.layer]
        if grant.release is not None and layer.review < grant.release.until:
            until, name, review = grant.release.until, quoted(layer.name), places.at(layer.place.file, "classified", "review")
            what = Text(f"die Freigabe gilt bis {until}, die Einstufung von {name} nur bis {layer.review}",
                        f"the release holds until {until}, the classification of {name} only until {layer.review}")  # fmt: skip
            remedy = Text(f"`until: {layer.review}` schreiben, oder die Einstufung ({review}) vorher überprüfen",
                          f"write `until: {layer.review}`, or review the classification ({review}) before that")  # fmt: skip
            yield Finding(places.in_grant(grant, "release", "until"), what, remedy)


def _unused(policies: Policies, places: Places) -> Iterator[Finding]:
    """(h) What is stored and used by no grant at all; keys, times and what waits for its classification have their own reasons."""
    used: dict[str, set[str]] = {}
    for grant in own_grants(policies):
        used.setdefault(grant.layer, set()).update(read_by(grant))
        for inside in insides_of(grant.rows):
            used.setdefault(inside.layer, set()).add(inside.attribute)
    for layer in policies.layers.values():
        for_itself = {layer.datetime, *layer.key, *(a.reviewed for a in layer.attributes.values())}
        idle = [
            a.name for a in layer.attributes.values() if a.class_ != UNREVIEWED and a.name not in used.get(layer.name, set()) | for_itself
        ]
        if idle:
            what = Text(f"Hinweis: niemandem gezeigt und in keiner Regel: {listed(idle)}",
                        f"hint: shown to nobody and in no rule: {listed(idle)}")  # fmt: skip
            remedy = Text(
                "einem Amt zeigen, oder nicht speichern (Datensparsamkeit)",
                "show it to a department, or do not store it (data minimisation)",
            )
            yield Finding(places.at(layer.place.file, "attributes", idle[0]), what, remedy)
