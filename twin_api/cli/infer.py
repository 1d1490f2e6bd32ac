"""`twin layers infer`: a file becomes the draft of a layer, and of the source file that says how to read it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin_api.cli import context, next_steps
from twin_api.imports.draft_job import Draft, Wish
from twin_api.imports.finding import FileRefused
from twin_api.imports.inside.drafting import draft_layer
from twin_api.imports.naming import layer_name
from twin_api.policy.documents import Place, Policies
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.load import LAYERS
from twin_api.policy.names import RESERVED_LAYERS, check_table_name
from twin_api.policy.role import CITIZEN
from twin_api.policy.town import CLASS, DEPARTMENT, UNREVIEWED
from twin_api.texts import Text


def infer_layer(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file that `twin import` reads.")],
    layer: Annotated[str | None, typer.Option("--layer", help="The new layer's name; the file's unless said.")] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="LAYER", help="Which layer of the file, if it has several.")] = None,
    class_: Annotated[
        str, typer.Option("--class", metavar="CLASS", help="The class of everything that is not suspect; seen by nobody unless said.")
    ] = UNREVIEWED,
    owner: Annotated[str | None, typer.Option("--owner", metavar="DEPARTMENT", help="The department in charge of the layer.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the files; otherwise they are only shown.")] = False,
) -> None:
    """Draft a layer file from a file of data, and a source file where the data need to be explained."""
    policies = context.policies()
    name = layer or layer_name(file, from_)
    _check(policies, name, class_, owner)
    wish = Wish(name, from_, class_, owner, listing=policies.town.classes[class_].is_seen_by(CITIZEN))
    try:
        draft = draft_layer(file, wish, policies.town, context.today(policies), _sources().parent)
    except FileRefused as refused:
        context.fail_all([finding.text() for finding in refused.findings])
    if not write:
        _show(draft)
        return
    _write(draft)
    context.say(next_steps.after_draft(draft, context.policies(), file, context.settings().policies))


def _sources() -> Path:
    return context.settings().sources_folder


def _target(name: str) -> Path:
    return context.settings().policies / LAYERS / f"{name}.yaml"


def _check(policies: Policies, name: str, class_: str, owner: str | None) -> None:
    """What can be said before the file is opened."""
    findings, place = Findings(), Place("--layer", 1)
    check_table_name(name, place, findings, RESERVED_LAYERS)
    if class_ not in policies.town.classes:
        findings.unknown(Place("--class", 1), CLASS, class_, policies.town.classes)
    if owner is not None and owner not in policies.town.departments:
        findings.unknown(Place("--owner", 1), DEPARTMENT, owner, policies.town.departments)
    if findings:
        context.fail_all(
            [Text(f"{f.place.file}: {f.what.de}; {f.remedy.de}", f"{f.place.file}: {f.what.en}; {f.remedy.en}") for f in findings]
        )
    if name in policies.layers or _target(name).exists():
        context.fail(Text(
            f"Einen Layer {quoted(name)} gibt es schon. Für einen weiteren mit `--layer` einen anderen Namen geben; "
            f"neue Daten bringt `twin import DATEI --layer {name}` hinein.",
            f"There is a layer {quoted(name)} already. Give another name with `--layer` for one more; "
            f"new data come in with `twin import FILE --layer {name}`.",
        ))  # fmt: skip


def _show(draft: Draft) -> None:
    """The files as they would be written, and nothing else, on the standard output."""
    typer.echo(f"# ----- {LAYERS}/{draft.layer}.yaml -----\n{draft.text}", nl=False)
    if draft.source is not None:
        typer.echo(f"\n# ----- sources/{draft.layer}.yaml -----\n{draft.source}", nl=False)
    context.errors.print(
        Text("Mit `--write` werden diese Dateien angelegt.", "`--write` creates these files.").say(context.settings().lang), markup=False
    )


def _write(draft: Draft) -> None:
    """Never over a file that is there."""
    files = {_target(draft.layer): draft.text}
    if draft.source is not None:
        files[_sources() / f"{draft.layer}.yaml"] = draft.source
    for path in files:
        if path.exists():
            context.fail(Text(
                f"{path} gibt es schon; nichts wurde geschrieben. Die Datei umbenennen, oder mit `--layer` einen anderen Namen geben.",
                f"{path} is there already; nothing was written. Rename it, or give another name with `--layer`.",
            ))  # fmt: skip
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    written = ", ".join(str(path) for path in files)
    context.say(Text(f"Geschrieben: {written}", f"Written: {written}"))
