"""`twin init`: a folder for a new town, with a commented start."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

import typer

from twin_api.cli import context
from twin_api.cli.officer import write_schemas
from twin_api.policy.approvals import APPROVALS
from twin_api.policy.finding import PolicyInvalid, render
from twin_api.policy.load import load
from twin_api.texts import Text

START: Final = Path(__file__).parent / "start"
REVIEW_AFTER: Final = timedelta(days=365)


def init_town(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="where to write it; must not hold anything yet")],
    from_: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="start from this policy folder instead of the small example")
    ] = None,
    name: Annotated[str | None, typer.Option(help="the town's name; the folder's unless said")] = None,
    ags: Annotated[str, typer.Option(help="the town's official municipality key, eight digits")] = "00000000",
) -> None:
    """Write a start for a new town: classes, one layer, grants for three roles, a test; every line explained."""
    if not re.fullmatch(r"[0-9]{8}", ags):
        context.fail(Text(f"`{ags}`: ein Gemeindeschlüssel hat acht Ziffern.", f"`{ags}`: a municipality key has eight digits."))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        context.fail(Text(f"{folder} ist nicht leer; nichts wurde geschrieben.", f"{folder} is not empty; nothing was written."))
    words = _words(name or folder.resolve().name.replace("_", " ").title(), ags)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".twin-init-") as draft:
        _write(Path(draft), from_, words)
        folder.mkdir(exist_ok=True)
        for made in Path(draft).iterdir():
            made.rename(folder / made.name)
    _say_next(folder)


def _words(name: str, ags: str) -> Mapping[str, str]:
    today = datetime.now(UTC).date()
    return {
        "name": name,
        "quoted_name": json.dumps(name, ensure_ascii=False),
        "ags": ags,
        "today": today.isoformat(),
        "review": (today + REVIEW_AFTER).isoformat(),
    }


def _write(target: Path, source: Path | None, words: Mapping[str, str]) -> None:
    """The small example filled in, or another town's policies under the new name; nothing that does not load."""
    if source is not None and not (source / "town.yaml").is_file():
        context.fail(Text(f"{source} ist kein Ordner mit Richtlinien: dort liegt keine town.yaml.",
                          f"{source} is no policy folder: there is no town.yaml in it."))  # fmt: skip
    shutil.copytree(START, target, dirs_exist_ok=True)
    for path in target.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub(r"{{(\w+)}}", lambda match: words[match[1]], text), encoding="utf-8")
    (target / "gitignore").rename(target / ".gitignore")  # under its own name it would hold in the sources of this program too
    policies = target / "policies"
    if source is not None:
        shutil.rmtree(policies)
        shutil.copytree(source, policies, ignore=shutil.ignore_patterns(".*", APPROVALS))
        _rename(policies / "town.yaml", words)
    try:
        write_schemas(load(policies), policies / ".schema")
    except PolicyInvalid as invalid:
        context.errors.print(render(invalid.findings, context.settings().lang), markup=False)
        context.fail(Text("Diese Vorlage gilt nicht; nichts wurde geschrieben.", "This model does not load; nothing was written."))


def _rename(path: Path, words: Mapping[str, str]) -> None:
    """Name and key of the town; a town's file is short, and both stand in it once. The other town's `extent` goes."""
    text = path.read_text(encoding="utf-8")
    named = re.sub(r"(town:\s*\{\s*name:|^  name:) *[^,\n}]+", lambda m: f"{m[1]} {words['quoted_name']}", text, count=1, flags=re.M)
    named = re.sub(r",\s*extent: *\[[^\]]*\]|^  extent: *\[[^\]]*\]\n", "", named, count=1, flags=re.M)
    path.write_text(re.sub(r"(ags:) *\"?[0-9]{8}\"?", lambda m: f'{m[1]} "{words["ags"]}"', named, count=1), encoding="utf-8")


def _say_next(folder: Path) -> None:
    context.say(Text(
        f"Geschrieben: {folder}. Als Nächstes:\n\n  cd {quote(str(folder))}\n  twin policy check      # gilt alles?\n"
        "  twin migrate           # die Datenbank einrichten\n  twin policy apply      # veröffentlichen\n\n"
        "Wie es weitergeht, steht dort in README.md. Zustimmungen zu Freigaben übernimmt niemand: die eigenen Ämter geben sie neu "
        "(`twin policy approve`).",
        f"Written: {folder}. Next:\n\n  cd {quote(str(folder))}\n  twin policy check      # does it all hold?\n"
        "  twin migrate           # set the database up\n  twin policy apply      # publish\n\n"
        "How to go on stands in README.md there. Approvals of releases are never taken over: your own departments give them anew "
        "(`twin policy approve`).",
    ))  # fmt: skip
