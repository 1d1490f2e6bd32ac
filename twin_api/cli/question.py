"""Questions to the policies, and answers of the departments: `twin policy test | explain | approve`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import psycopg
import typer

from twin_api.cli import context
from twin_api.policy.approvals import APPROVALS, ApprovalsUnwritable, add_approval, missing_text
from twin_api.policy.consent import ConsentRefused, consent
from twin_api.policy.coverage import Covered
from twin_api.policy.documents import Grant, Policies
from twin_api.policy.explain import NothingToExplain, explain, explain_row, grant_of
from twin_api.policy.masks import Area
from twin_api.policy.rule import Row, World, insides_of
from twin_api.policy.trial import run_examples
from twin_api.publish.stored import LayerMissing, is_withdrawn, stored_row, stored_rows
from twin_api.texts import Text


def run_tests(
    coverage: Annotated[bool, typer.Option("--coverage", help="say what the tests have seen of each grant")] = False,
) -> None:
    """Run the tests in policies/tests; exit code 1 if one fails."""
    trial = run_examples(context.policies())
    for failure in trial.failures:
        context.say(failure.say())
    if coverage:
        _say_coverage(trial.coverage)
    total, failed = len(trial.results), len(trial.failures)
    if failed:
        context.fail(Text(f"{failed} von {total} Erwartungen stimmen nicht.", f"{failed} of {total} expectations do not hold."))
    if not total:
        context.say(Text("Es gibt keine Tests in policies/tests.", "There are no tests in policies/tests."))
    else:
        context.say(Text(f"Alle {total} Erwartungen stimmen.", f"All {total} expectations hold."))


def _say_coverage(grants: tuple[Covered, ...]) -> None:
    """A line for each grant, below it what no test has seen yet; at the end the whole."""
    for grant in grants:
        name = f"{grant.role} · {grant.collection}"
        told = f"{_percent(grant.seen, grant.claims)}  {name} ({grant.place})"
        context.say(Text(told, told))
        for claim in grant.missing:
            context.say(Text(f"        es fehlt {claim.de}", f"        missing: {claim.say('en')}"))
    seen, claims = sum(grant.seen for grant in grants), sum(grant.claims for grant in grants)
    context.say(Text(f"{_percent(seen, claims)}  der Richtlinien sind getestet ({seen} von {claims} Fällen).",
                     f"{_percent(seen, claims)}  of the policies are tested ({seen} of {claims} cases)."))  # fmt: skip


def _percent(seen: int, claims: int) -> str:
    return f"{100 * seen // claims if claims else 100:>3} %"


def explain_policy(
    role: Annotated[str, typer.Argument(help="`citizen`, `administration/bauhof` …")],
    collection: str,
    id: Annotated[UUID | None, typer.Option("--id", help="this item: which terms of the rule hold for it")] = None,
    attribute: Annotated[str | None, typer.Option("--attribute", help="this attribute alone, or `geometry`")] = None,
) -> None:
    """Say why a role sees something or not, with file and line; never a value of the store."""
    loaded = context.policies()
    day = context.today(loaded)
    try:
        lines = explain(loaded, role, collection, day, attribute)
    except NothingToExplain as unknown:
        context.fail(unknown.why)
    for line in lines:
        context.say(line)
    grant = grant_of(loaded, role, collection, day)
    if id is not None and grant is not None:
        with context.owner() as connection:
            _explain_item(connection, loaded, grant, id)


def _explain_item(connection: psycopg.Connection[tuple[object, ...]], loaded: Policies, grant: Grant, id: UUID) -> None:
    layer = loaded.layers[grant.layer]
    try:
        row = stored_row(connection, layer, id)
        areas = {name: _placed(stored_rows(connection, loaded.layers[name])) for name in _area_layers(grant)}
    except LayerMissing:
        context.fail(Text("Der Layer steht so noch nicht in der Datenbank. Zuerst `twin policy apply` aufrufen.",
                          "The layer is not in the database like this yet. Run `twin policy apply` first."))  # fmt: skip
    if row is None:
        context.fail(Text(f"In {layer.name} gibt es kein Objekt {id}.", f"There is no item {id} in {layer.name}."))
    context.say(Text(f"Objekt {id}:", f"Item {id}:"))
    for line in explain_row(grant, row, World(areas, datetime.now(UTC), loaded.town.time_zone)):
        context.say(line)
    if is_withdrawn(connection, grant.collection, grant.layer, id):
        context.say(Text("Es ist zurückgezogen: kein Zwilling zeigt es, was auch immer die Richtlinien sagen.",
                         "It is withdrawn: no twin shows it, whatever the policies say."))  # fmt: skip


def _area_layers(grant: Grant) -> list[str]:
    """The layers of areas that decide where an item of the grant lies."""
    masks = {grant.geometry.layer} if isinstance(grant.geometry, Area) else set()
    return sorted({inside.layer for inside in insides_of(grant.rows)} | masks)


def _placed(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["geometry"] is not None]


def approve_release(
    role: Annotated[str, typer.Argument(help="the role in whose file the release stands")],
    collection: str,
    department: Annotated[str, typer.Option(help="the department that agrees")],
    by: Annotated[str, typer.Option(help="the person who says so for the department")],
) -> None:
    """Enter a department's approval of a release as it stands into approvals.yaml."""
    loaded = context.policies()
    try:
        grant, approval = consent(loaded, role, collection, department, by, context.today(loaded))
        add_approval(context.settings().policies / APPROVALS, approval)
    except ConsentRefused as refused:
        context.fail(refused.why)
    except ApprovalsUnwritable:
        by_hand = approval.as_line()
        context.fail(Text(f"{APPROVALS} endet ungewohnt; nichts wurde geändert. Die Zeile von Hand eintragen:\n{by_hand}",
                          f"{APPROVALS} has an unusual end; nothing was changed. Enter the line by hand:\n{by_hand}"))  # fmt: skip
    context.say(Text(f"Eingetragen: {department} stimmt der Freigabe von {collection} ({grant.place}) zu.",
                     f"Entered: {department} approves the release of {collection} ({grant.place})."))  # fmt: skip
    left = replace(grant, missing=tuple(name for name in grant.missing if name != department))
    if left.missing:
        context.say(missing_text(left))
    else:
        context.say(Text("Alle Zustimmungen liegen vor; gezeigt wird es nach `twin policy apply`.",
                         "Every approval is there; it is shown after `twin policy apply`."))  # fmt: skip
