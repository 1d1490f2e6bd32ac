"""`twin layers imports` and `twin layers origin`: where the rows of the store come from."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import typer
from rich.table import Column, Table

from twin_api.cli import context
from twin_api.policy.finding import quoted
from twin_api.store.journal import Import, find_origin, list_imports
from twin_api.texts import Text

LATEST: Final = 20


def imports(
    layer: Annotated[str | None, typer.Argument(metavar="[LAYER]", help="of this layer only")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="how many")] = LATEST,
) -> None:
    """List the latest imports: when, from which files, and what they changed."""
    with context.owner() as connection:
        entries = list_imports(connection, layer, most)
    if not entries:
        context.say(Text("Noch nichts eingelesen.", "Nothing imported yet."))
        return
    context.console.print(_table(entries))


def origin(
    layer: Annotated[str, typer.Argument(metavar="LAYER", help="the layer of the store")],
    item: Annotated[UUID, typer.Argument(metavar="ID", help="the item's id, the same in every twin")],
) -> None:
    """Say which import last changed an item, with file, checksum, licence and time."""
    if layer not in context.policies().layers:
        context.fail(Text(f"Einen Layer {quoted(layer)} gibt es nicht.", f"There is no layer {quoted(layer)}."))
    with context.owner() as connection:
        found, entry = find_origin(connection, layer, item)
    if not found:
        context.fail(Text(f"In {quoted(layer)} gibt es kein Objekt {item}.", f"There is no item {item} in {quoted(layer)}."))
    if entry is None:
        context.say(Text("Nicht durch einen Import entstanden, oder vor der Zeit des Importbuchs.",
                         "Not made by an import, or before the journal of imports began."))  # fmt: skip
        return
    context.console.print(_table([entry]))
    for file in entry.files:
        name, octets, digest = file["name"], file["octets"], file["sha256"]
        context.say(Text(f"{name}  {octets} Byte  sha256 {digest}", f"{name}  {octets} bytes  sha256 {digest}"))
    context.say(Text(f"Lizenz: {entry.licence} · Datenhalter: {entry.holder}", f"Licence: {entry.licence} · Holder: {entry.holder}"))


NUMBERS: Final = {
    "read": Text("gelesen", "read"), "inserted": Text("neu", "new"), "updated": Text("geändert", "changed"),
    "deleted": Text("gelöscht", "deleted"), "rejected": Text("abgewiesen", "rejected"),
}  # fmt: skip
WORDS: Final = (Text("Wann", "When"), Text("Layer"), Text("Datei", "File"), Text("Quelle", "Source"))


def _table(entries: list[Import]) -> Table:
    lang = context.settings().lang
    table = Table(Column(Text("Nr.", "No.").say(lang), justify="right"), *(word.say(lang) for word in WORDS), box=None)
    for title in NUMBERS.values():
        table.add_column(title.say(lang), justify="right")
    for entry in entries:
        files = ", ".join(str(file["name"]) for file in entry.files)
        when, source = entry.at.astimezone().strftime("%Y-%m-%d %H:%M"), entry.source or ""
        table.add_row(str(entry.id), when, entry.layer, files, source, *(str(entry.counts.get(name, "")) for name in NUMBERS))
    return table
