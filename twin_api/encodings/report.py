"""The report on the policies as one page to print: nothing loaded from elsewhere, readable in black and white."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Final

from twin_api.encodings import html
from twin_api.policy.report.document import Report
from twin_api.texts import Language, Text

_WORDS: Final = {
    "heading": Text("Was sehen die Bürger, der Rat und die Ämter?", "What do citizens, council and departments see?"),
    "contents": Text("Inhalt", "Contents"),
    "skip": Text("Zum Inhalt", "Skip to content"),
    "as_of": Text("Stand", "As of"),
    "version": Text("Fassung der Richtlinien", "Version of the policies"),
    "lead": Text(
        "Was hier nicht steht, gibt es für die jeweilige Rolle nicht. Der Bericht gibt die Richtlinien wieder; er enthält keine Daten.",
        "What is not written here does not exist for that role. The report retells the policies; it holds no data.",
    ),
    "same": Text("Genau wie die Bürger", "Exactly as citizens do"),
    "beyond": Text("Darüber hinaus", "Beyond that"),
    "nothing_more": Text("Nichts darüber hinaus.", "Nothing beyond that."),
    "nothing": Text("Nichts.", "Nothing."),
    "withheld": Text("Offen gesagt wird, dass zurückgehalten wird", "Openly said to be withheld"),
    "waiting": Text("noch nicht gezeigt: Zustimmung fehlt", "not shown yet: approval is missing"),
    "over": Text("nicht mehr gezeigt: Freigabe abgelaufen", "no longer shown: the release is over"),
    "unseen": Text("Was niemand sieht", "What nobody sees"),
    "unseen_lead": Text(
        "Gespeichert, aber heute in keiner Rolle sichtbar, auch nicht in einem Amt.",
        "Stored, but visible to no role today, not even to a department.",
    ),
    "whole": Text("alles, auch dass es diese Daten gibt", "everything, even that these data exist"),
    "all_seen": Text("Alles Gespeicherte sieht mindestens eine Rolle.", "Everything that is stored is seen by at least one role."),
    "record": Text("Angaben für das Verzeichnis von Verarbeitungstätigkeiten", "Fields for the record of processing activities"),
    "record_lead": Text(
        "Nach Art. 30 DSGVO, soweit die Richtlinien sie kennen. Von Hand zu ergänzen: Kontaktdaten, Kategorien betroffener Personen, "
        "Löschfristen, technische und organisatorische Maßnahmen. Ob Daten personenbezogen sind, ist aus Klassen und Namen geschlossen; "
        "die Antwort gibt der Datenschutz.",
        "After Art. 30 GDPR, as far as the policies know them. To be added by hand: contacts, categories of data subjects, periods of "
        "erasure, technical and organisational measures. Whether data are personal is inferred from classes and names; the answer is "
        "for data protection to give.",
    ),
}


def render(report: Report, lang: Language) -> bytes:
    """A whole HTML page, A4 when printed."""
    words = SimpleNamespace(**{key: text.say(lang) for key, text in _WORDS.items()})
    day = f"{report.day.day:02}.{report.day.month:02}.{report.day.year}" if lang == "de" else report.day.isoformat()
    title = f"{report.town}: {words.heading}"
    return html.page("report.html", lang, words=words, title=title, report=report, day=day).body
