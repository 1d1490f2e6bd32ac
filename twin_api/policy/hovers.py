"""What an editor says about each key of the policy files while somebody writes them.

Must never promise more than the loader keeps: these are its rules in one sentence each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twin_api.texts import Text

HOVERS: Final[Mapping[str, Text]] = {
    # any text in two languages
    "title.de": Text("Deutsch, Pflicht.", "German, required."),
    "title.en": Text("Englisch; fehlt es, steht dort der deutsche Text.", "English; where it is missing, the German text stands in."),
    # town.yaml
    "town": Text("Die Gemeinde selbst.", "The town itself."),
    "town.name": Text("Name der Gemeinde.", "Name of the town."),
    "town.ags": Text(
        "Amtlicher Gemeindeschlüssel: acht Ziffern in Anführungszeichen.", "Official municipality key: eight digits in quotes."
    ),
    "town.epsg": Text("Koordinatensystem, in dem gerechnet wird, etwa 25832.", "Coordinate system of the town, such as 25832."),
    "town.languages": Text("Sprachen der Oberfläche, Deutsch zuerst.", "Languages of the surface, German first."),
    "town.extent": Text(
        "Rechteck um die Gemeinde, `[West, Süd, Ost, Nord]` in ihrem Koordinatensystem: was weit daneben liegt, weist ein Import zurück.",
        "Rectangle around the town, `[west, south, east, north]` in its coordinate system: an import refuses what lies far from it.",
    ),
    "town.time_zone": Text("Zeitzone, in der Tage beginnen und enden.", "Time zone in which days begin and end."),
    "pages": Text("Pflichtseiten der Gemeinde, alle mit https://.", "Pages the law asks for, all with https://."),
    "pages.imprint": Text("Adresse des Impressums.", "Address of the imprint."),
    "pages.privacy": Text("Adresse der Datenschutzerklärung.", "Address of the privacy notice."),
    "pages.accessibility": Text("Adresse der Erklärung zur Barrierefreiheit.", "Address of the accessibility statement."),
    "departments": Text("Ämter: Kurzname und voller Name.", "Departments: short name and full name."),
    "departments.*": Text("Voller Name des Amts.", "Full name of the department."),
    "themes": Text("Themen, nach denen Layer geordnet werden.", "Themes by which layers are sorted."),
    "themes.*": Text("Name des Themas für Menschen.", "Name of the theme for people."),
    "classes": Text("Klassen (Schlüssel 1): wer etwas höchstens sehen darf.", "Classes (key 1): who may see something at most."),
    "classes.*": Text("Eine Klasse der Empfindlichkeit.", "A class of sensitivity."),
    "class.title": Text("Name der Klasse für Menschen.", "Name of the class for people."),
    "class.ground": Text("Rechtsgrund oder Begründung der Klasse.", "Legal ground or reason of the class."),
    "class.seen_by": Text(
        "Rollen, die die Klasse sehen dürfen; `council/*` meint alle Ausschüsse, `administration/*` alle Ämter.",
        "Roles that may see the class; `council/*` means every committee, `administration/*` every department.",
    ),
    "class.audited": Text("`true`: jedes Lesen wird vermerkt.", "`true`: every reading is noted."),
    # layers/<name>.yaml
    "layer.layer": Text("Name des Layers, gleich dem Dateinamen.", "Name of the layer, the same as the file's."),
    "layer.title": Text("Name für Menschen.", "Name for people."),
    "layer.owner": Text("Zuständiges Amt.", "Department in charge."),
    "layer.source": Text("Woher die Daten kommen.", "Where the data come from."),
    "source.holder": Text("Rechteinhaber.", "Holder of the rights."),
    "source.licence": Text("Lizenz, etwa dl-de/by-2-0.", "Licence, such as dl-de/by-2-0."),
    "source.terms": Text(
        "`own`: eigene Daten, `open`: offene Lizenz, `internal-only`: nie für Bürger.",
        "`own`: own data, `open`: open licence, `internal-only`: never for citizens.",
    ),
    "layer.purpose": Text("Zweck, zu dem die Daten gehalten werden.", "Purpose the data are held for."),
    "layer.classified": Text("Wer wann eingestuft hat.", "Who classified it, and when."),
    "classified.by": Text("Amt, das eingestuft hat.", "Department that classified it."),
    "classified.on": Text("Tag der Einstufung, JJJJ-MM-TT.", "Day of the classification, YYYY-MM-DD."),
    "classified.review": Text("Bis wann die Einstufung zu überprüfen ist.", "By when the classification wants its review."),
    "layer.existence": Text(
        "Klasse der Tatsache, dass es diese Objekte gibt, und wie viele.", "Class of the fact that these items are there, and how many."
    ),
    "layer.attributes": Text("Alle Attribute, jedes mit einer Klasse.", "All attributes, each with a class."),
    "layer.attributes.*": Text("Ein Attribut des Layers.", "An attribute of the layer."),
    "layer.group": Text(
        "Layer, die einander den Ort nicht verraten dürfen, tragen dieselbe Gruppe.",
        "Layers that must not betray each other's place carry the same group.",
    ),
    "layer.geometry": Text("Geometrie; ohne diesen Eintrag hat der Layer keine.", "Geometry; without this entry the layer has none."),
    "geometry.type": Text("Art der Geometrie; mit Z am Ende hat sie Höhen.", "Type of the geometry; with Z at its end it has heights."),
    "geometry.epsg": Text("Koordinatensystem des Layers.", "Coordinate system of the layer."),
    "geometry.class": Text("Klasse des Orts.", "Class of the place."),
    "geometry.heights": Text("Höhensystem, etwa DHHN2016; nur bei Arten mit Z.", "Height system, such as DHHN2016; for types with Z only."),
    "layer.datetime": Text("Attribut, nach dem ein Zeitraum fragt.", "Attribute that a period of time asks for."),
    "layer.theme": Text("Thema aus town.yaml.", "Theme from town.yaml."),
    "layer.dropped": Text(
        "Attribute, deren gespeicherte Werte mit dem nächsten Anwenden gelöscht werden.",
        "Attributes whose stored values are deleted with the next apply.",
    ),
    "attribute.title": Text("Name für Menschen.", "Name for people."),
    "attribute.type": Text("Werteart.", "Type of its values."),
    "attribute.class": Text("Klasse: wer es höchstens sehen darf.", "Class: who may see it at most."),
    "attribute.unit": Text("Einheit einer Zahl, etwa m.", "Unit of a number, such as m."),
    "attribute.key": Text("Teil des Schlüssels, der ein Objekt wiedererkennt.", "Part of the key by which an item is recognised."),
    "attribute.locates": Text(
        "Verrät den Ort; steht nie neben einer vergröberten oder verborgenen Geometrie.",
        "Betrays the place; never stands beside a coarsened or hidden geometry.",
    ),
    "attribute.free_text": Text(
        "Freitext, der Namen enthalten kann; `{reviewed: attribut}` nennt, was sagt, dass er gelesen ist.",
        "Free text that may hold names; `{reviewed: attribute}` names what says that it has been read.",
    ),
    "free_text.reviewed": Text("Ja-Nein-Attribut desselben Layers.", "Yes-or-no attribute of the same layer."),
    "attribute.enum": Text("Erlaubte Werte mit ihrem englischen Wort.", "Allowed values with their English word."),
    "attribute.enum.*": Text("Das englische Wort.", "The English word."),
    "attribute.was": Text("Wie das Attribut vorher hieß.", "What the attribute was called before."),
    # roles
    "role.role": Text("Name der Rolle, gleich dem Dateinamen.", "Name of the role, the same as the file's."),
    "role.access": Text(
        "`anonymous`: ohne Anmeldung (nur Bürger), `login`: Anmeldung, `token`: Schlüssel.",
        "`anonymous`: without login (citizens only), `login`: login, `token`: token.",
    ),
    "role.includes": Text("Übernimmt, was die Bürger sehen; nur `citizen`.", "Takes over what citizens see; `citizen` only."),
    "role.announce": Text("Sätze, die sagen, was es gibt und zurückgehalten wird.", "Sentences that say what is there and withheld."),
    "role.collections": Text(
        "Was die Rolle sieht (Schlüssel 2). Was fehlt, gibt es nicht.", "What the role sees (key 2). What is missing does not exist."
    ),
    "role.parts": Text(
        "Ämter oder Ausschüsse; jeder Teil sieht `includes` und das Seine.", "Departments or committees; each sees `includes` and its own."
    ),
    "role.parts.*": Text("Was dieser Teil sieht.", "What this part sees."),
    "grant": Text("Ein Grant: eine Collection, die die Rolle sieht.", "A grant: one collection the role sees."),
    "grant.from": Text("Layer, falls die Collection anders heißt.", "Layer, where the collection has another name."),
    "grant.title": Text("Eigener Name der Collection für Menschen.", "A name of its own for people."),
    "grant.rows": Text(
        "Welche Zeilen: `all`, `{attribut: [werte]}`, `{attribut: {from, to}}` oder CQL2. Aufzählen, was gezeigt wird.",
        "Which rows: `all`, `{attribute: [values]}`, `{attribute: {from, to}}` or CQL2. List what is shown.",
    ),
    "rows.*": Text("Werte, die gezeigt werden, oder ein Bereich.", "Values that are shown, or a range."),
    "rows.from": Text("Anfang des Bereichs, eingeschlossen.", "Beginning of the range, included."),
    "rows.to": Text("Ende des Bereichs, eingeschlossen.", "End of the range, included."),
    "rows.inside": Text("Nur Objekte in Flächen eines anderen Layers.", "Only items within areas of another layer."),
    "inside.layer": Text("Layer mit Flächen.", "Layer of areas."),
    "inside.*": Text("Attribut des Flächenlayers: ein Wert oder eine Liste.", "Attribute of the layer of areas: a value or a list."),
    "grant.geometry": Text("Wie genau der Ort gezeigt wird.", "How exactly the place is shown."),
    "grant.attributes": Text("Gezeigte Attribute, jedes mit seiner Genauigkeit.", "Attributes shown, each with its precision."),
    "grant.attributes.*": Text("Wie genau dieses Attribut gezeigt wird.", "How exactly this attribute is shown."),
    "grant.embargo": Text("Zeigt eine Zeile erst ab einem Tag.", "Shows a row only from a day on."),
    "embargo.attribute": Text("Attribut, in dem der Tag steht.", "Attribute that holds the day."),
    "grant.announce": Text("Satz, der sagt, dass es mehr gibt, als gezeigt wird.", "Sentence that says there is more than is shown."),
    "grant.write": Text("Was die Rolle ändern darf.", "What the role may change."),
    "write.change": Text("Attribute, die geändert werden dürfen.", "Attributes that may be changed."),
    "write.create": Text("`true`: darf neue Objekte anlegen.", "`true`: may create items."),
    "write.remove": Text("`true`: darf Objekte entfernen.", "`true`: may remove items."),
    "grant.group_by": Text(
        "Zahlen je Fläche eines Layers oder je Wert eines Attributs.", "Figures per area of a layer, or per value of an attribute."
    ),
    "grant.figures": Text("Die Zahlen: `count`, Anteil, Summe oder Mittel.", "The figures: `count`, share, sum or mean."),
    "figures.*": Text("Eine Zahl je Gruppe.", "One figure per group."),
    "figure.count": Text("Anzahl: `all`.", "Number of rows: `all`."),
    "figure.share": Text("Anteil in Prozent: `{attribut: [werte]}`.", "Share in per cent: `{attribute: [values]}`."),
    "figure.share.*": Text("Werte, die gezählt werden.", "Values that are counted."),
    "figure.sum": Text("Summe dieses Attributs.", "Sum of this attribute."),
    "figure.mean": Text("Mittel dieses Attributs.", "Mean of this attribute."),
    "figure.round": Text("Auf Vielfache davon gerundet.", "Rounded to multiples of this."),
    "figure.title": Text("Name der Zahl für Menschen.", "Name of the figure for people."),
    "grant.at_least": Text("Kleinere Gruppen zeigen keine Zahl.", "Smaller groups show no figure."),
    "grant.refresh": Text("Wie oft neu gerechnet wird.", "How often it is computed anew."),
    "grant.release": Text("Freigabe: die erklärte Ausnahme von einer Klasse.", "Release: the declared exception to a class."),
    "release.of": Text("Genau, was seine Klasse verlässt.", "Exactly what leaves its class."),
    "release.reason": Text("Grund, etwa Beschluss mit Datum.", "Reason, such as a resolution with its date."),
    "release.approve": Text("Ämter, die zustimmen müssen.", "Departments that must approve."),
    "release.heard": Text("Ämter, die gehört wurden.", "Departments that were heard."),
    "release.until": Text("Letzter Tag der Freigabe, JJJJ-MM-TT.", "Last day of the release, YYYY-MM-DD."),
    "mask.round": Text("Das nächste Vielfache.", "The nearest multiple."),
    "mask.band": Text("Aufsteigende Grenzen; gezeigt wird die Stufe.", "Ascending limits; the band is shown."),
    "mask.truncate": Text("Nur das Jahr oder den Monat.", "The year or the month only."),
    "mask.grid_m": Text(
        "Mitte der Rasterzelle von so vielen Metern; nur Punkte.", "Centre of the grid cell of so many metres; points only."
    ),
    "mask.area": Text("Ein Punkt je Fläche dieses Layers.", "One point per area of this layer."),
    # approvals.yaml
    "approvals": Text("Zustimmungen, eingetragen mit `twin policy approve`.", "Approvals, entered with `twin policy approve`."),
    "approval.role": Text("Rolle, in deren Datei der Grant steht.", "Role in whose file the grant stands."),
    "approval.collection": Text("Collection der Freigabe.", "Collection of the release."),
    "approval.department": Text("Amt, das zustimmt.", "Department that approves."),
    "approval.by": Text("Wer zugestimmt hat.", "Who approved."),
    "approval.on": Text("Tag der Zustimmung.", "Day of the approval."),
    "approval.seal": Text("Siegel des Wortlauts; nicht von Hand schreiben.", "Seal of the wording; not written by hand."),
    # tests/<name>.yaml
    "test.layer": Text("Layer, aus dem die Beispielzeilen sind.", "Layer the example rows belong to."),
    "test.rows": Text("Beispielzeilen mit einem Namen je Zeile.", "Example rows, each with a name."),
    "test.rows.*": Text("Werte je Attribut; nicht genannte sind leer.", "Values by attribute; those not named are empty."),
    "test.areas": Text("Flächen, in denen die Beispielzeilen liegen.", "Areas that the example rows lie in."),
    "test.day": Text("Tag, an dem geprüft wird.", "Day the test is held on."),
    "test.expect": Text("Was jede Rolle davon genau sieht.", "What exactly each role sees of them."),
    "test.expect.*": Text(
        "Je Zeile die gezeigten Werte oder `hidden`; je Collection `nothing`.",
        "By row the values shown, or `hidden`; by collection `nothing`.",
    ),
}


def hover(path: str) -> str:
    """German, a blank line, English; empty where nothing is known."""
    text = HOVERS.get(path)
    return f"{text.de}\n\n{text.en}" if text else ""
