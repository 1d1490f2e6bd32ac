"""`twin backup`, `twin restore`: the whole town in one sealed file, and back."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from psycopg import conninfo

from twin_api.backup.archive import whole
from twin_api.backup.check import check_backup
from twin_api.backup.folder import list_backups, remove_old
from twin_api.backup.manifest import Manifest
from twin_api.backup.place import drop_replaced
from twin_api.backup.restore import Restored, members, restore_backup
from twin_api.backup.sealed import Identity, Recipient, make_identity, read_identities, read_recipients
from twin_api.backup.take import Made, take_backup, town_files
from twin_api.cli import context
from twin_api.cli.backup_words import bar, ending_clearly, size
from twin_api.texts import Text

app = typer.Typer(help="The whole town in one sealed file: make, list, check.", invoke_without_command=True)

To = Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Where to; TWIN_BACKUPS unless given.")]
Keep = Annotated[int | None, typer.Option("--keep", min=1, help="Then delete all but the newest N.")]
For = Annotated[list[str] | None, typer.Option("--recipient", metavar="age1…", help="Public key it is sealed for; repeatable.")]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="File with the identity; TWIN_BACKUP_KEY unless given.")]
File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)]

NO_RECIPIENT: Final = Text(
    "Für wen soll die Sicherung verschlüsselt werden? `twin backup key DATEI` macht einen Schlüssel; den öffentlichen dann als "
    "`TWIN_BACKUP_RECIPIENT` oder `--recipient` angeben.",
    "Whom shall the backup be sealed for? `twin backup key FILE` makes a key; give the public one as "
    "`TWIN_BACKUP_RECIPIENT` or `--recipient`.",
)
NO_KEY: Final = Text("Mit `--key DATEI` (oder `TWIN_BACKUP_KEY`) den geheimen Schlüssel angeben.",
                     "Give the secret key with `--key FILE` (or `TWIN_BACKUP_KEY`).")  # fmt: skip


@app.callback()
def backup(word: typer.Context, to: To = None, keep: Keep = None, recipient: For = None, key: Key = None) -> None:
    """Back up the whole town as it is now: one file, sealed in the age format."""
    if word.invoked_subcommand is not None:
        return
    with ending_clearly():
        made = make(to, recipients(recipient, key))
        told = made.manifest
        context.say(Text(f"{made.path}: {told.rows():,} Zeilen in {_layers(told)} Ebenen, {size(made.path.stat().st_size)}.",
                         f"{made.path}: {told.rows():,} rows in {_layers(told)} layers, {size(made.path.stat().st_size)}."))  # fmt: skip
        if keep is not None:
            for gone in remove_old(made.path.parent, told.about.database, keep, made.path):
                context.say(Text(f"Gelöscht: {gone.name}", f"Deleted: {gone.name}"))


@app.command("list")
def list_(to: To = None) -> None:
    """The backups of a folder, the oldest first."""
    for found in list_backups(to or context.settings().backups_folder):
        context.console.print(f"{found.at:%Y-%m-%d %H:%M:%S} UTC  {found.database}  {size(found.octets)}  {found.path}", markup=False)


@app.command("check")
def check(file: File, key: Key = None) -> None:
    """Read a backup to its end and compare all checksums; needs no database."""
    with ending_clearly(), bar() as show:
        told = check_backup(file, identities(key), lambda name: show(name, 0, None))
    about = told.about
    what = f"{about.database}, {about.at:%Y-%m-%d %H:%M:%S} UTC"
    context.say(Text(f"In Ordnung: {what}, Stand {about.revision}, {told.rows():,} Zeilen.",
                     f"All right: {what}, revision {about.revision}, {told.rows():,} rows."))  # fmt: skip


@app.command("key")
def make_key(file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the secret key.")]) -> None:
    """Make a key: the secret one goes to FILE and from there to a safe place, the public one is printed."""
    text, public = make_identity()
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        context.fail(Text(f"`{file}` gibt es schon.", f"`{file}` is there already."))
    context.console.print(public, markup=False)


@app.command("drop-replaced")
def drop_old() -> None:
    """Drop the databases that restores have replaced, or did not finish."""
    with ending_clearly():
        for name in drop_replaced(context.administrator()):
            context.say(Text(f"Gelöscht: {name}", f"Dropped: {name}"))


def restore(
    file: File,
    key: Key = None,
    into: Annotated[str | None, typer.Option("--into", metavar="DATABASE", help="Another database than the town's own.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In the place of the town that stands there, which is kept aside.")] = False,
    replace_pepper: Annotated[bool, typer.Option(
        "--replace-pepper", help="With --into: the tokens of the folder's town become invalid."
    )] = False,
    files: Annotated[Path | None, typer.Option("--files", metavar="FOLDER", help="Policies and sources, to this new folder.")] = None,
) -> None:  # fmt: skip
    """Restore a backup, publish it anew and compare it; checked to its end before anything is changed."""
    with ending_clearly(), bar() as show:
        opened = identities(key)
        if files is not None:
            files.mkdir(mode=0o700, parents=True)
        done = restore_backup(
            file, opened, _place(into), context.secrets(), datetime.now(UTC), replace=replace,
            replace_pepper=replace_pepper or (replace and _is_own(into)), tell=lambda what: show(what, 0, None),
        )  # fmt: skip
        if files is not None:
            _write_files(file, opened, done.manifest, files)
    _say_restored(done)


def make(to: Path | None, sealed_for: list[Recipient]) -> Made:
    """Take a backup with a bar."""
    told = context.settings()
    with bar() as show:
        return take_backup(
            context.administrator(), context.secrets(), to or told.backups_folder, sealed_for,
            town_files(told.policies, told.sources_folder), datetime.now(UTC), show,
        )  # fmt: skip


def recipients(words: list[str] | None, key: Path | None = None) -> list[Recipient]:
    """Whom to seal for: those named, else those of the identity, else those of the settings; ends the command if there is nobody."""
    if words or key is None:
        found = read_recipients(words or context.settings().backup_recipients)
    else:
        found = [identity.to_public() for identity in read_identities(key)]
    return found or context.fail(NO_RECIPIENT)


def identities(key: Path | None) -> list[Identity]:
    path = key or context.settings().backup_key
    return read_identities(path) if path is not None else context.fail(NO_KEY)


def _is_own(into: str | None) -> bool:
    """Whether it is the town to whose tokens the folder of secrets belongs."""
    url = context.settings().database_url
    own = context.settings().database if url is None else conninfo.conninfo_to_dict(context.administrator()).get("dbname")
    return into in (None, own)


def _place(into: str | None) -> str:
    url = context.settings().database_url
    if url is None:
        context.cluster().ensure_running()
        return context.cluster().conninfo(into or context.settings().database)
    return conninfo.make_conninfo(context.administrator(), **({"dbname": into} if into else {}))


def _write_files(file: Path, opened: list[Identity], told: Manifest, folder: Path) -> None:
    names = [name for name in told.entries if name.startswith(("policies/", "sources/"))]
    for name, content in members(file, opened, names):
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(whole(content))


def _layers(told: Manifest) -> int:
    return sum(table.schema == "store" for table in told.tables)


def _say_restored(done: Restored) -> None:
    told = done.manifest
    context.say(Text(f"Eingespielt und verglichen: {told.rows():,} Zeilen, Stand vom {told.about.at:%d.%m.%Y %H:%M:%S} UTC.",
                     f"Restored and compared: {told.rows():,} rows as of {told.about.at:%Y-%m-%d %H:%M:%S} UTC."))  # fmt: skip
    if done.taken_anew:
        context.say(Text(f"{done.taken_anew} Kennzahlen wurden neu gezählt: ihre Festlegung ist nicht mehr dieselbe.",
                         f"{done.taken_anew} figures were counted anew: their definition is no longer the same."))  # fmt: skip
    if done.before is not None:
        context.say(Text(
            f"Was vorher da war, heißt jetzt `{done.before}`; `twin backup drop-replaced` löscht es. Laufende Server neu starten.",
            f"What stood there is now called `{done.before}`; `twin backup drop-replaced` drops it. Restart running servers.",
        ))  # fmt: skip
