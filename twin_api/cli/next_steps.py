"""What a person does next: after a draft, after an import, and where one could not begin."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg

from twin_api.imports.draft_job import Draft
from twin_api.imports.sources.file import SourceFile
from twin_api.policy.documents import Layer, Policies
from twin_api.policy.load import LAYERS
from twin_api.policy.role import CITIZEN
from twin_api.publish.layers import check_layers
from twin_api.publish.withdraw import shown_of
from twin_api.texts import Text

STORE_LACKS: Final = ("42P01", "42703", "42804")  # PostgreSQL's codes: no such table, no such column, another type
ROLES: Final = ("citizen", "council", "administration")  # whose files stand in every town, the widest first
MIGRATE: Final = Text(
    "Die Datenbank ist nicht auf dem Stand dieses Programms. Zuerst `twin migrate` aufrufen, dann noch einmal.",
    "The database is not up to date with this program. Run `twin migrate` first, then this again.",
)
NOBODY: Final = Text(
    "Noch sieht niemand etwas davon: in der Datei einer Rolle zeigen, dann `twin policy apply`.",
    "Nobody sees any of it yet: grant it in a role's file, then `twin policy apply`.",
)


def after_draft(draft: Draft, policies: Policies, file: Path, folder: Path) -> Text:
    """Everything up to the served collection, as one would type it; granted to the first role that may see any of it."""
    layer = policies.layers[draft.layer]
    grants = ((role, propose_grant(layer, policies, role)) for role in ROLES)
    role, grant = next((pair for pair in grants if pair[1] is not None), (None, None))
    bring = f"twin import --source {layer.name}" if draft.source else f"twin import {shlex.quote(str(file))} --layer {layer.name}"
    look, show = _look(folder / LAYERS / f"{layer.name}.yaml", role), _show(folder / f"{role}.yaml", grant)
    rest = f"  3. twin policy check\n  4. twin policy apply\n  5. {bring}"
    return Text(f"Als Nächstes:\n  1. {look.de}\n  2. {show.de}\n{rest}", f"Next:\n  1. {look.en}\n  2. {show.en}\n{rest}")


def propose_grant(layer: Layer, policies: Policies, role: str) -> str | None:
    """One line for a role's file: everything whose class the role may see, free text left out. Nothing where that is nothing."""
    classes = policies.town.classes
    if not classes[layer.existence].is_seen_by(role):
        return None
    in_place = layer.geometry is not None and classes[layer.geometry.class_].is_seen_by(role)
    shown = [
        f"{each.name}: keep" for each in layer.attributes.values()
        if classes[each.class_].is_seen_by(role) and not each.free_text and (in_place or not each.locates)
    ]  # fmt: skip
    geometry = "" if layer.geometry is None else f" geometry: {'keep' if in_place else 'hide'},"
    return f"{layer.name}: {{rows: all,{geometry} attributes: {{{', '.join(shown)}}}}}" if shown else None


def _look(path: Path, role: str | None) -> Text:
    de, en = f"{path} ansehen: was `# bitte prüfen` und `# Verdacht` sagt", f"look at {path}: what says `# bitte prüfen` and `# Verdacht`"
    if role == CITIZEN:
        de, en = f"{de}; für Bürger muss `terms` `own` oder `open` sein", f"{en}; for citizens `terms` has to be `own` or `open`"
    return Text(de, en)


def _show(path: Path, grant: str | None) -> Text:
    if grant is None:
        return Text("statt `unreviewed` die Klassen eintragen, die gelten sollen, und den Layer in der Datei einer Rolle zeigen",
                    "put the classes meant in the place of `unreviewed`, and grant the layer in a role's file")  # fmt: skip
    return Text(f"zeigen, in {path} unter `collections:`\n       {grant}", f"grant it, in {path} under `collections:`\n       {grant}")


def after_import(connection: psycopg.Connection[Any], layer: str) -> Text | None:
    """Something only where no twin shows anything of the layer."""
    return None if shown_of(connection, layer) else NOBODY


def what_the_store_lacks(connection: psycopg.Connection[Any], layer: Layer) -> list[Text]:
    """Why the layer's rows found no table that fits them."""
    return check_layers(connection, {layer.name: layer}) or [MIGRATE]


def instead_of_file(described: SourceFile) -> Text:
    """For a source that is asked for without a file and names none."""
    name = described.name
    if described.whence.address is not None:
        return Text(f"Die Quelle `{name}` wird von einer Adresse geholt: `twin sources run {name}`",
                    f"The source `{name}` is fetched from an address: `twin sources run {name}`")  # fmt: skip
    if described.whence.files is None:
        return Text(f"Die Quelle `{name}` nennt keine Dateien: `twin import --source {name} DATEI`",
                    f"The source `{name}` names no files: `twin import --source {name} FILE`")  # fmt: skip
    return Text(f"Zur Quelle `{name}` liegt keine Datei da: {described.whence.files}",
                f"There is no file for the source `{name}`: {described.whence.files}")  # fmt: skip


def described_for(layer: str, sources: Mapping[str, SourceFile]) -> Text | None:
    """A file was refused that nobody described, and there are descriptions for its layer."""
    names = [f"`--source {name}`" for name, source in sources.items() if source.layer == layer]
    if not names:
        return None
    said = ", ".join(names)
    return Text(f"Wie Dateien für diesen Layer gelesen werden, ist schon beschrieben: {said}",
                f"How files for this layer are read is described already: {said}")  # fmt: skip
