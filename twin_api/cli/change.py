"""What changes with the policies: `twin policy diff`, `history`, `revert` and `refresh`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from twin_api.cli import context
from twin_api.policy.documents import Policies
from twin_api.publish.apply import applied_files, make_plan
from twin_api.publish.difference import Difference, Rows, applied_policies, find_differences, forecast
from twin_api.publish.figures_now import NoFigures, refresh_now
from twin_api.publish.history import Version, versions
from twin_api.publish.layer_plan import describe
from twin_api.publish.layers import plan_layers
from twin_api.texts import Text


def diff(
    against: Annotated[int | None, typer.Option(help="number of an earlier version, from `twin policy history`")] = None,
) -> None:
    """Say what an apply would change for each role: collections, rows on the live store, attributes, precision; and what it will take."""
    loaded = context.policies()
    with context.owner() as connection:
        files = applied_files(connection) if against is None else version_of(against, versions(connection)).files
        day = context.today(loaded)
        differences = find_differences(connection, applied_policies(files), loaded, day)
        _say_files(files, loaded)
        layers = plan_layers(connection, loaded.layers)
        for step in describe(layers):
            context.say(step)
        say_differences(differences)
        expected = forecast(connection, make_plan(connection, loaded, day).new.values())
    if layers.refusals:
        context.fail_all([Text("\nSo lässt es sich nicht anwenden:", "\nIt cannot be applied like this:"), *layers.refusals])
    if expected.tables:
        size = f"{expected.bytes / 1e6:,.1f} MB"
        context.say(Text(
            f"\nAnwenden baut {expected.tables} Tabellen mit etwa {expected.rows} Zeilen, {size}, in etwa {expected.seconds:.0f} s.",
            f"\nApplying builds {expected.tables} tables with about {expected.rows} rows, {size}, in about {expected.seconds:.0f} s.",
        ))  # fmt: skip


def say_differences(differences: Sequence[Difference]) -> None:
    """Role by role; what widens is marked, so that nobody overlooks it."""
    if not differences:
        context.say(Text("Keine Rolle sieht mehr oder weniger als bisher.", "No role sees more or less than before."))
    last = None
    for difference in differences:
        change = difference.change
        if change.role != last:
            typer.echo(f"\n{change.role}")
            last = change.role
        context.say(_headline(difference))
        for line in _lines(difference):
            context.say(line)
    widening = sum(difference.widens for difference in differences)
    if widening == 1:
        context.say(Text("\n▲ 1 Änderung erweitert, was eine Rolle sieht.", "\n▲ 1 change widens what a role sees."))
    elif widening:
        context.say(Text(f"\n▲ {widening} Änderungen erweitern, was eine Rolle sieht.", f"\n▲ {widening} changes widen what a role sees."))


def _headline(difference: Difference) -> Text:
    change = difference.change
    kinds = {"new": Text("neu", "new"), "gone": Text("entfällt", "gone"), "changed": Text("geändert", "changed")}
    mark = "▲" if difference.widens else "▽" if change.lost or (difference.rows and difference.rows.lost) else "·"
    place = (change.after or change.before).place  # type: ignore[union-attr]  # one of them is there
    kind = kinds[change.kind]
    return Text(f"  {mark} {change.collection}: {kind.de}  ({place})", f"  {mark} {change.collection}: {kind.en}  ({place})")


def _lines(difference: Difference) -> Iterable[Text]:
    for sign, texts in (("+", difference.change.gained), ("−", difference.change.lost), ("·", difference.change.told)):
        for text in texts:
            yield Text(f"      {sign} {text.de}", f"      {sign} {text.en}")
    yield from _row_lines(difference.rows)


def _row_lines(rows: Rows | None) -> Iterable[Text]:
    if rows is None:
        yield Text(
            "      ? Zeilen: erst nach der Umstellung des Layers zu zählen", "      ? rows: can be counted after the layer has changed"
        )
        return
    for sign, number, ids in (("+", rows.gained, rows.gained_ids), ("−", rows.lost, rows.lost_ids)):
        if number:
            some = ", ".join(map(str, ids))
            yield Text(f"      {sign} {number} Zeilen, etwa {some}", f"      {sign} {number} rows, such as {some}")


def _say_files(files: dict[str, str], loaded: Policies) -> None:
    names = sorted(name for name in {*files, *loaded.files} if files.get(name) != loaded.files.get(name))
    if files and names:
        context.say(Text(f"Geänderte Dateien: {', '.join(names)}", f"Changed files: {', '.join(names)}"))
    elif not files:
        context.say(Text("Noch ist nichts angewendet: alles ist neu.", "Nothing has been applied yet: everything is new."))


def history() -> None:
    """List the versions that were applied, the newest first."""
    with context.owner() as connection:
        found = versions(connection)
    for version in reversed(found):
        counts = f"▲ {version.widened} ▽ {version.narrowed}"
        typer.echo(
            f"{version.number:>4}  {version.at:%Y-%m-%d %H:%M}  {version.version}  {version.who}  {counts}  {', '.join(version.changed)}"
        )
    if not found:
        context.say(Text("Noch wurde nichts angewendet.", "Nothing has been applied yet."))


def version_of(number: int | None, found: Sequence[Version]) -> Version:
    """The version with that number, or the one before the last; ends where there is none."""
    chosen = [version for version in found if version.number == number] if number is not None else list(found[-2:-1])
    if not chosen:
        context.fail(
            Text(
                "Diese Fassung gibt es nicht. `twin policy history` listet alle.",
                "There is no such version. `twin policy history` lists all.",
            )
        )
    return chosen[0]


def revert(
    number: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="number from `twin policy history`; without it the one before")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="put its files back into the policy folder as well")] = False,
) -> None:
    """Apply an earlier version again. Withdrawals stay, and releases that have run out stay closed."""
    with context.owner() as connection:
        version = version_of(number, versions(connection))
        earlier = applied_policies(version.files)
        if earlier is None:
            context.fail(Text(f"Die Fassung {version.number} ist mit diesem Programm nicht mehr lesbar.",
                              f"Version {version.number} can no longer be read by this program."))  # fmt: skip
        now = applied_policies(applied_files(connection))
        say_differences(find_differences(connection, now, earlier, context.today(earlier)))
        context.applied(connection, earlier, evolve=False)
    context.say(Text(f"\nDie Fassung {version.number} gilt wieder.", f"\nVersion {version.number} is in force again."))
    if write:
        _put_back(version.files, context.settings().policies)
    else:
        context.say(_STILL_THERE)


_STILL_THERE = Text(
    "Im Ordner stehen noch die anderen Dateien: die nächste Anwendung setzt wieder sie in Kraft (`--write` legt diese zurück).",
    "The folder still holds the other files: the next apply puts those in force (`--write` puts these back).",
)


def _put_back(files: dict[str, str], folder: Path) -> None:
    """Every file as it was then; files that were not there then go."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for path in (*folder.glob("*.yaml"), *folder.glob("layers/*.yaml"), *folder.glob("tests/*.yaml")):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()


def refresh(
    role: Annotated[str, typer.Argument(help="a role that sees the figures")],
    collection: Annotated[str, typer.Argument(help="the collection of figures")],
) -> None:
    """Take figures anew before their time, such as after a correction. Whoever kept the old ones can tell what changed in between."""
    with context.owner() as connection:
        try:
            changed = refresh_now(connection, role, collection)
        except NoFigures:
            context.fail(Text(f"`{role}` hat keine Zahlen namens `{collection}`.", f"`{role}` has no figures called `{collection}`."))
    context.say(Text(f"Neu gezählt; {changed} Gruppen haben andere Zahlen.", f"Counted anew; {changed} groups have other figures."))
