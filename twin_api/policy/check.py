"""Key 2 against key 1: what a grant shows above its class, and whether its release says exactly that.

Must never look at the day: an expired release is a fact of the calendar, not a mistake of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twin_api.policy.documents import Grant, Layer, Place, Town
from twin_api.policy.finding import Findings, listed, quoted
from twin_api.policy.masks import Area, Keep
from twin_api.policy.rule import attributes_of, insides_of
from twin_api.policy.town import UNREVIEWED
from twin_api.texts import Text

EXISTENCE: Final = "existence"
GEOMETRY: Final = "geometry"
At = Callable[[str], Place]


def check_grant(grant: Grant, layer: Layer, town: Town, at: At, findings: Findings) -> None:
    """Everything a grant can do wrong by itself. `at` tells where `rows`, `geometry` or an attribute stands."""
    _check_terms(grant, layer, findings)
    _check_free_text(grant, layer, at, findings)
    _check_place_kept(grant, layer, at, findings)
    used = classes_used(grant, layer)
    unreviewed = [name for name, class_ in used.items() if class_ == UNREVIEWED]
    for name in unreviewed:
        place = grant.place if name == EXISTENCE else at(name)
        what = Text(
            f"{quoted(name)} ist ungeprüft (`unreviewed`); niemand darf es sehen", f"{quoted(name)} is `unreviewed`; nobody may see it"
        )
        remedy = f"layers/{layer.name}.yaml"
        findings.add(place, what, Text(f"zuerst in {remedy} einstufen", f"classify it first, in {remedy}"))
    if not unreviewed:
        leaving = {name for name, class_ in used.items() if not town.classes[class_].is_seen_by(grant.file_role)}
        _check_release(grant, leaving, findings)


def classes_used(grant: Grant, layer: Layer) -> dict[str, str]:
    """The class of everything the grant betrays: that the layer exists, its geometry, what is shown, what its rule reads."""
    used = {EXISTENCE: layer.existence}
    figures = grant.figures
    shows_place = grant.geometry.word != "hide" or (figures is not None and figures.by_area) or bool(insides_of(grant.rows))
    if layer.geometry is not None and shows_place:
        used[GEOMETRY] = layer.geometry.class_
    for name in read_by(grant):
        used[name] = layer.attributes[name].class_
    return used


def read_by(grant: Grant) -> list[str]:
    """Every attribute that what is shown depends on, each once: shown itself, marked as read, in the rule, embargo or a figure."""
    names = [*grant.attributes, *(flag for mask in grant.attributes.values() for flag in mask.reads), *attributes_of(grant.shown_rows)]
    if grant.figures is not None:
        names += [figure.attribute for figure in grant.figures.figures if figure.attribute is not None]
        names += [] if grant.figures.by_area else [grant.figures.group_by]
    return list(dict.fromkeys(names))


def _check_release(grant: Grant, leaving: set[str], findings: Findings) -> None:
    if grant.release is None:
        if leaving:
            names = ", ".join(sorted(leaving))
            who = f"`{grant.file_role}`"
            what = Text(
                f"{quoted(grant.collection)} zeigt {who} mehr, als die Klasse erlaubt: {listed(sorted(leaving))}",
                f"{quoted(grant.collection)} shows {who} more than the class allows: {listed(sorted(leaving))}",
            )
            remedy = Text(
                f"weniger zeigen, oder eine Freigabe eintragen: `release: {{of: [{names}], reason: …, approve: […], until: …}}`",
                f"show less, or enter a release: `release: {{of: [{names}], reason: …, approve: […], until: …}}`",
            )
            findings.add(grant.place, what, remedy)
        return
    _compare_release(grant.release.of, leaving, grant.release.place, findings)


def _compare_release(listed_names: frozenset[str], leaving: set[str], place: Place, findings: Findings) -> None:
    surplus, missing = sorted(listed_names - leaving), sorted(leaving - listed_names)
    if not leaving:
        what = Text("die Freigabe ist überflüssig: nichts verlässt seine Klasse", "the release is not needed: nothing leaves its class")
        findings.add(place, what, Text("`release` löschen", "delete `release`"))
        return
    right = f"`of: [{', '.join(sorted(leaving))}]`"
    remedy = Text(f"{right} schreiben", f"write {right}")
    if missing:
        findings.add(place, Text(f"in der Freigabe fehlt {listed(missing)}", f"the release does not list {listed(missing)}"), remedy)
    if surplus:
        what = Text(f"die Freigabe nennt zu viel: {listed(surplus)}", f"the release lists too much: {listed(surplus)}")
        findings.add(place, what, remedy)


def _check_terms(grant: Grant, layer: Layer, findings: Findings) -> None:
    if layer.terms == "internal-only" and grant.file_role == "citizen":
        what = Text(f"`{layer.name}` ist nur für internen Gebrauch lizenziert", f"`{layer.name}` is licensed for internal use only")
        remedy = Text(
            "hier weglassen, oder mit dem Rechteinhaber `terms: open` vereinbaren",
            "leave it out, or agree on `terms: open` with its holder",
        )
        findings.add(grant.place, what, remedy)


def _check_free_text(grant: Grant, layer: Layer, at: At, findings: Findings) -> None:
    """What people wrote there reaches citizens only where somebody has read it."""
    for name, mask in grant.attributes.items():
        if layer.attributes[name].free_text and grant.file_role == "citizen" and isinstance(mask, Keep):
            what = Text(
                f"Freitext wie {quoted(name)} kann Namen und Orte enthalten; Bürger sehen ihn nur gelesen",
                f"free text such as {quoted(name)} may hold names and places; citizens see it only where it has been read",
            )
            remedy = Text(f"`{name}: reviewed` schreiben, oder weglassen", f"write `{name}: reviewed`, or leave it out")
            findings.add(at(name), what, remedy)


def _check_place_kept(grant: Grant, layer: Layer, at: At, findings: Findings) -> None:
    """What locates would undo a coarser geometry, whatever its mask, and so may free text; a rule tells which one lies in the cell."""
    if layer.geometry is None or grant.geometry.word in ("keep", "xy"):
        return
    if grant.figures is not None:
        _check_figures_locate_nothing(grant, layer, at, findings)
        return
    for inside in insides_of(grant.rows):
        if grant.geometry.word == "grid_m" or (isinstance(grant.geometry, Area) and grant.geometry.layer != inside.layer):
            mask = quoted(grant.geometry.word)
            what = Text(
                f"`inside` sagt, wo in der Zelle ({mask}) das Objekt liegt", f"`inside` tells where within the cell ({mask}) the item lies"
            )
            right = f"`geometry: {{area: {inside.layer}}}`"
            findings.add(at("rows"), what, Text(f"{right} oder `keep` schreiben", f"write {right} or `keep`"))
    hidden = Text(
        f"den Ort, den `geometry: …` ({quoted(grant.geometry.word)}) verbirgt",
        f"the place that `geometry: …` ({quoted(grant.geometry.word)}) hides",
    )
    for name in grant.attributes:
        attribute, remedy = layer.attributes[name], Text(f"{quoted(name)} weglassen", f"leave {quoted(name)} out")
        if attribute.locates:
            findings.add(at(name), Text(f"{quoted(name)} verrät {hidden.de}", f"{quoted(name)} betrays {hidden.en}"), remedy)
        elif attribute.free_text and grant.file_role != "citizen":
            what = Text(
                f"Freitext wie {quoted(name)} kann {hidden.de}, verraten", f"free text such as {quoted(name)} may betray {hidden.en}"
            )
            findings.add(at(name), what, remedy)
    for name in dict.fromkeys(attributes_of(grant.shown_rows)):
        if layer.attributes[name].locates:
            what = Text(
                f"die Regel liest {quoted(name)} und verrät, welches Objekt in der Zelle liegt, also {hidden.de}",
                f"the rule reads {quoted(name)} and tells which one lies in the cell, and so {hidden.en}",
            )
            findings.add(at("rows"), what, Text(f"`rows` ohne {quoted(name)} schreiben", f"write `rows` without {quoted(name)}"))


def _check_figures_locate_nothing(grant: Grant, layer: Layer, at: At, findings: Findings) -> None:
    for name in read_by(grant):
        if layer.attributes[name].locates:
            what = Text(f"{quoted(name)} verrät den Ort, Zahlen verbergen ihn", f"{quoted(name)} betrays the place, figures hide it")
            findings.add(at(name), what, Text(f"ohne {quoted(name)} schreiben", f"write it without {quoted(name)}"))
