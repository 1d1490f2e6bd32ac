"""`twin layers imports` and `twin layers origin`: where the rows of the store come from."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import typer

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
    for entry in entries:
        _say(entry)


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
    _say(entry)
    for file in entry.files:
        name, octets, digest = file["name"], file["octets"], file["sha256"]
        context.say(Text(f"{name}  {octets} Byte  sha256 {digest}", f"{name}  {octets} bytes  sha256 {digest}"))
    context.say(Text(f"Lizenz: {entry.licence} · Datenhalter: {entry.holder}", f"Licence: {entry.licence} · Holder: {entry.holder}"))


def _say(entry: Import) -> None:
    """One line, for people and for `grep`."""
    what = entry.counts
    files = ", ".join(str(file["name"]) for file in entry.files)
    place = f"{entry.id}  {entry.at.astimezone().strftime('%Y-%m-%d %H:%M')}  {entry.layer}  {files}"
    source = Text(f" (Quelle {entry.source})", f" (source {entry.source})") if entry.source else Text("", "")
    context.say(
        Text(
            f"{place}{source.de}: {what['read']} gelesen, {what['inserted']} neu, {what['updated']} geändert, {what['deleted']} gelöscht, "
            f"{what['rejected']} abgewiesen",
            f"{place}{source.en}: {what['read']} read, {what['inserted']} new, {what['updated']} changed, {what['deleted']} deleted, "
            f"{what['rejected']} rejected",
        )
    )
