"""Whether the worker keeps the calendar, and nothing lies about that interrupted work has left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from twin_api.backup.place import UNFINISHED, leftovers
from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, named, warning
from twin_api.cli.doctor.patient import Connection, Patient
from twin_api.layers.table import STORE
from twin_api.policy.finding import listed
from twin_api.publish.bulk_beside import BEGIN
from twin_api.publish.statement import quoted as sql_name
from twin_api.publish.store_tables import stored_tables
from twin_api.publish.unread import UNREAD, unread_body
from twin_api.texts import Text
from twin_api.work.calendar import find_undone

GRACE: Final = timedelta(minutes=15)
_LEFT: Final = """
    SELECT 'TABLE', format('published.%I', relname) FROM pg_class WHERE relnamespace = 'published'::regnamespace AND relkind = 'r'
    AND relname ~ '^(t|preview)_' AND relname NOT IN (SELECT relation FROM published.definition)
    UNION ALL SELECT 'SCHEMA', quote_ident(nspname) FROM pg_namespace WHERE nspname ~ '^(citizen|council|administration)(_|$)'
    AND nspname NOT IN (SELECT schema FROM published.role) ORDER BY 2"""
_NEXT: Final = "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY 1"
_SWITCHED_OFF: Final = """
    SELECT c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname = %s AND t.tgenabled <> 'O' AND c.relnamespace = 'store'::regnamespace"""
_WORKER = "systemctl status twin-work; twin work --once"


def look(patient: Patient) -> Iterator[Finding]:
    yield from _calendar(patient)
    yield from _left(patient.owner)
    yield from _restores(patient)
    yield from _read_marks(patient)


def _left(connection: Connection) -> Iterator[Finding]:
    previews = connection.execute(_LEFT).fetchall()
    if previews:
        names = listed(name for _, name in previews)
        yield warning(
            Text(f"übrig von einer Vorschau: {names}", f"left by a preview: {names}"),
            Text(
                "das belegt Platz und folgt keiner Änderung; läuft gerade eine Vorschau, ist es richtig so",
                "it takes room and follows no change; while a preview runs this is as it should be",
            ),
            " ".join(f"DROP {kind} {name} CASCADE;" for kind, name in previews),
        )
    imports = [name for (name,) in connection.execute(_NEXT, [BEGIN]).fetchall()]
    if imports:
        yield warning(
            Text(f"übrig von einem Import: {listed(imports)}", f"left by an import: {listed(imports)}"),
            Text(
                "darin liegen Zeilen, die niemand sieht; läuft gerade ein Import, ist es richtig so",
                "rows lie there that nobody sees; while an import runs this is as it should be",
            ),
            "twin policy apply",
        )


def _restores(patient: Patient) -> Iterator[Finding]:
    unfinished = leftovers(patient.administrator, patient.database, (UNFINISHED,))
    if unfinished:
        yield warning(
            Text(f"übrig von einem Zurückholen: {listed(unfinished)}", f"left by a restore: {listed(unfinished)}"),
            Text(
                "eine halbe Stadt, die niemand bedient; wird gerade eingespielt, ist es richtig so",
                "half a town that nobody serves; while a restore runs this is as it should be",
            ),
            "twin backup drop-replaced",
        )


def _calendar(patient: Patient) -> Iterator[Finding]:
    undone = find_undone(patient.owner, patient.clock(), GRACE)
    if undone.releases:
        yield fault(
            Text(
                f"{undone.releases} abgelaufene Freigaben sind noch nicht aufgeräumt",
                f"{undone.releases} releases that ran out are not cleared away",
            ),
            Text(
                "gezeigt werden sie nicht mehr, aber ihre Zeilen liegen noch da: läuft `twin work`?",
                "they are not shown any more, but their rows still lie there: does `twin work` run?",
            ),
            _WORKER,
        )
    if undone.embargoes:
        yield fault(
            Text(
                f"{undone.embargoes} Tabellen zeigen nicht, was seit über {GRACE} gezeigt werden soll",
                f"{undone.embargoes} tables do not show what should be shown for more than {GRACE}",
            ),
            Text("ein Embargo endet erst, wenn `twin work` läuft", "an embargo ends only if `twin work` runs"),
            _WORKER,
        )
    if undone.figures:
        yield warning(
            Text(f"{undone.figures} Zahlen sind von der vorigen Periode", f"{undone.figures} figures are of the period before"),
            Text("`twin work` nimmt sie neu", "`twin work` takes them anew"),
            _WORKER,
        )


def _read_marks(patient: Patient) -> Iterator[Finding]:
    """The triggers by which a changed text counts as unread."""
    off = {name for (name,) in patient.owner.execute(_SWITCHED_OFF, [UNREAD]).fetchall()}
    stored = stored_tables(patient.owner)
    for layer in patient.in_force.layers.values():
        wanted = unread_body(layer)
        table = stored.get(layer.name)
        if wanted is not None and table is not None and (table.unread != wanted or layer.name in off):
            yield fault(
                Text(
                    f"{named(layer.name)}: geänderte Texte gelten weiter als gelesen",
                    f"{named(layer.name)}: changed texts still count as read",
                ),
                Text("ungelesener Freitext wird gezeigt", "free text that nobody has read is shown"),
                f"ALTER TABLE {sql_name(STORE, layer.name)} ENABLE TRIGGER {UNREAD};" if table.unread == wanted else "twin policy apply",
            )


CHECK = Check(
    "upkeep",
    Text("Pflege: der Arbeiter hält den Kalender, nichts liegt herum", "Upkeep: the worker keeps the calendar, nothing lies about"),
    Text(
        "abgelaufene Freigaben, Embargos, alte Zahlen; Reste von Vorschauen, Importen und Zurückgeholtem; Auslöser für ungelesene Texte",
        "releases that ran out, embargoes, old figures; remains of previews, imports and restores; triggers of unread texts",
    ),
    look,
)
