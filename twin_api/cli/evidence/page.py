"""The evidence for people: one account, as a page (`index.html`) and as text (`bericht.md`), in German and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from twin_api.texts import Text

HEADING: Final = Text("Nachweis: wer sieht was, und woher wir es wissen", "Evidence: who sees what, and how we know")
LEAD: Final = Text(
    "Entnommen aus Richtlinien und Datenbank. Enthält keine Zeile der Daten, keine Geheimnisse und keine Namen von Personen. Was die "
    "Zusagen bedeuten und was sie nicht abdecken, steht in docs/assurance.md.",
    "Taken from policies and database. It holds no row of the data, no secret and no name of a person. What the promises mean and what "
    "they do not cover is said in docs/assurance.md.",
)
_STYLE: Final = (
    "body{font:1rem/1.5 sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #767676;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}h2{margin-top:2rem}"
)


class Section(NamedTuple):
    """A table with its heading; `file` holds the same in full."""

    title: Text
    file: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def sections_of(told: Mapping[str, Any], contradictions: Sequence[Text]) -> list[Section]:
    """`told` by the names of the files, without `.json`."""
    both = [(text.de, text.say("en")) for text in contradictions]
    first = Section(Text("Widersprüche", "Contradictions"), "contradictions.json", ("Deutsch", "English"), both)
    results = [_results(name, results) for name, results in told.get("tests", {}).items()]
    return [first, *_about_policies(told), *_about_database(told), *results]


def _about_policies(told: Mapping[str, Any]) -> Iterable[Section]:
    yield Section(Text("Programm", "Program"), "program.json", ("", ""), _pairs(told["program"]))
    files = _pairs(told["policies"]["in_force"]["files"])
    yield Section(Text("Richtlinien in Kraft", "Policies in force"), "policies.json", ("Datei · file", "SHA-256"), files)
    header = ["Rolle · role", "Datensatz · collection", "Grund · reason", "zugestimmt · agreed", "fehlt · missing", "bis · until"]
    yield Section(Text("Freigaben", "Releases"), "approvals.json", header, list(_releases(told["approvals"])))
    header = ["Rolle · role", "Datensatz · collection", "Zeilen · rows", "Geometrie · geometry", "Attribute · attributes"]
    yield Section(Text("Was jede Rolle sieht", "What each role sees"), "twins.json", header, list(_twins(told["twins"])))
    ends = _pairs(told["theorems"]["ends"])
    yield Section(Text("Enthaltensein", "Containment"), "theorems.json", ("Ergebnis · result", "Sätze · theorems"), ends)


def _about_database(told: Mapping[str, Any]) -> Iterable[Section]:
    header = ["Anmeldung · login", "Rechte · rights", "Relationen · relations", "Funktionen · functions", "Attribute · attributes"]
    yield Section(Text("Rechte in der Datenbank", "Rights in the database"), "rights.json", header, list(_rights(told["rights"])))
    drift = [(str(len(told["drift"]["tables"])), str(told["drift"]["differing"]))]
    header = ["Tabellen · tables", "abweichend · differing"]
    yield Section(Text("Abweichung der Zwillinge vom Speicher", "Drift of the twins from the store"), "drift.json", header, drift)
    settings = [(name, _said(entry["is"]), entry["recommended"]) for name, entry in told["hardening"].items()]
    yield Section(
        Text("Einstellungen des Servers", "Settings of the server"), "hardening.json", ("", "ist · is", "empfohlen · recommended"), settings
    )
    checks = [(name, entry["outcome"], str(entry["complaints"])) for name, entry in told["doctor"].items()]
    header = ["Prüfung · check", "Ergebnis · outcome", "Befunde · findings"]
    yield Section(Text("Prüfungen des Arztes", "Checks of the doctor"), "doctor.json", header, checks)


def as_markdown(sections: Iterable[Section]) -> bytes:
    lines = [f"# {HEADING.de} · {HEADING.en}", "", LEAD.de, "", f"*{LEAD.en}*", ""]
    for section in sections:
        lines += [f"## {section.title.de} · {section.title.en}", "", f"`{section.file}`", ""]
        table = [_line(section.header), _line(["---"] * len(section.header)), *map(_line, section.rows)]
        lines += [*(table if section.rows else ["–"]), ""]
    return "\n".join(lines).encode()


def as_html(sections: Iterable[Section]) -> bytes:
    """Nothing is loaded from elsewhere, nothing runs."""
    parts = [
        f'<!doctype html>\n<html lang="de"><head><meta charset="utf-8"><title>{escape(HEADING.de)}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f'<h1>{escape(HEADING.de)}<br><span lang="en">{escape(HEADING.en)}</span></h1>',
        f'<p>{escape(LEAD.de)}</p><p lang="en">{escape(LEAD.en)}</p>',
    ]
    for section in sections:
        parts.append(f'<h2>{escape(section.title.de)} · <span lang="en">{escape(section.title.en)}</span></h2>')
        parts.append(f'<p><a href="{section.file}">{section.file}</a></p>')
        parts.append(_table(section) if section.rows else "<p>–</p>")
    return "\n".join([*parts, "</body></html>\n"]).encode()


def _table(section: Section) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in section.header)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _line(cells: Sequence[str]) -> str:
    return (
        "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;") for cell in cells) + " |"
    )


def _pairs(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key, _said(value)) for key, value in sorted(told.items())]


def _releases(roles: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    for role, collections in roles.items():
        for name, release in collections.items():
            agreed = ", ".join(f"{department} {day}" for department, day in release["agreed"].items())
            yield role, name, release["reason"], agreed, ", ".join(release["missing"]), release["until"]


def _twins(roles: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    for role, collections in roles.items():
        for name, both in collections.items():
            policy = both["policy"]
            if policy is not None:
                yield role, name, policy["rows"], policy["geometry"], ", ".join(f"{a} {m}" for a, m in policy["attributes"].items())


def _rights(told: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    for login in sorted({*told["grants"], *told["logins"]}):
        held, functions = told["grants"].get(login, {}), told["functions"].get(login)
        words = sorted({privilege.partition(" ")[0] for privileges in held.values() for privilege in privileges})
        attributes = told["logins"].get(login, {}).get("attributes", [])
        yield login, ", ".join(words), str(len(held)), str(functions["count"]) if functions else "–", ", ".join(attributes) or "–"


def _results(name: str, told: Mapping[str, Any]) -> Section:
    rows = [
        (room, *(str(counts.get(word, 0)) for word in ("passed", "failure", "error", "skipped"))) for room, counts in told["rooms"].items()
    ]
    rows += [(test.rpartition(".")[2], _said(counts), "", "", "") for test, counts in told["figures"].items()]
    header = ("", "bestanden · passed", "gescheitert · failed", "Fehler · errors", "ausgelassen · skipped")
    return Section(Text(f"Tests: {name}", f"Tests: {name}"), "tests.json", header, rows)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(inner)}" for key, inner in value.items())
    return f"{value:.3g}" if isinstance(value, float) else "–" if value is None else str(value)
