"""Questions to the policies: `twin policy test`, and what people ask of them."""

from __future__ import annotations

from typing import Annotated

import typer

from twin_api.cli import context
from twin_api.policy.coverage import Covered
from twin_api.policy.trial import run_examples
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
        context.say(Text(f"{_percent(grant.seen, grant.claims)}  {name} ({grant.place})"))
        for claim in grant.missing:
            context.say(Text(f"        es fehlt {claim.de}", f"        missing: {claim.say('en')}"))
    seen, claims = sum(grant.seen for grant in grants), sum(grant.claims for grant in grants)
    context.say(Text(f"{_percent(seen, claims)}  der Richtlinien sind getestet ({seen} von {claims} Fällen).",
                     f"{_percent(seen, claims)}  of the policies are tested ({seen} of {claims} cases)."))  # fmt: skip


def _percent(seen: int, claims: int) -> str:
    return f"{100 * seen // claims if claims else 100:>3} %"
