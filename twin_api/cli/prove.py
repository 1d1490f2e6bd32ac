"""`twin policy prove`, and what `check` and `apply` ask before anything is in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Annotated

import typer

from twin_api.cli import context
from twin_api.policy.documents import Policies
from twin_api.policy.finding import Finding, render
from twin_api.policy.proof.check import check_council
from twin_api.policy.proof.claim import Claim, claims
from twin_api.policy.proof.prover import Prover, Verdict
from twin_api.policy.proof.solver import is_installed
from twin_api.policy.proof.told import Telling
from twin_api.texts import Text


def contained_policies() -> Policies:
    """The policy folder, loaded, and its council contained in its administration; ends with all findings and exit code 1 if not."""
    loaded = context.policies()
    _end_if_wrong(check_council(loaded).in_order())
    return loaded


def prove(
    role: Annotated[str | None, typer.Option(help="what this role is promised, or promises")] = None,
) -> None:
    """Prove that citizens see nothing which another role does not see; print every theorem with its time and result."""
    loaded = context.policies()
    if not is_installed():
        context.fail(Text("Der Beweiser ist nicht eingerichtet: `pip install 'twin-api[proof]'`.",
                          "The prover is not installed: `pip install 'twin-api[proof]'`."))  # fmt: skip
    _prove(loaded, [claim for claim in claims(loaded) if role in (None, claim.lower_role, claim.upper_role)], is_listed=True)


def say_proved(loaded: Policies) -> None:
    """One line on what the solver says of all theorems, where it is installed; ends with its counterexamples."""
    if not is_installed():
        context.say(Text("Enthaltensein nach dem Aufbau der Regeln gezeigt; bewiesen wird es mit `pip install 'twin-api[proof]'`.",
                         "Containment shown by the structure of the rules; `pip install 'twin-api[proof]'` proves it."))  # fmt: skip
        return
    _prove(loaded, claims(loaded))


def _prove(loaded: Policies, asked: Iterable[Claim], *, is_listed: bool = False) -> None:
    prover, telling, verdicts, begin = Prover(loaded), Telling(loaded), [], perf_counter()
    for claim in asked:
        verdicts.append(prover.decide(claim))
        if is_listed and verdicts[-1].result != "same":
            context.say(telling.theorem(verdicts[-1]))
    if is_listed:
        for same in telling.taken_over(verdicts):
            context.say(same)
    _end_if_wrong(tuple(telling.finding(verdict) for verdict in verdicts if not verdict.holds))
    context.say(_summary(verdicts, perf_counter() - begin))


def _end_if_wrong(findings: Sequence[Finding]) -> None:
    if findings:
        context.errors.print(render(findings, context.settings().lang), markup=False)
        raise typer.Exit(1)


def _summary(verdicts: list[Verdict], seconds: float) -> Text:
    proved, same, declared = (sum(verdict.result == result for verdict in verdicts) for result in ("proved", "same", "declared"))
    return Text(
        f"Enthaltensein: {proved} Sätze bewiesen in {seconds:.1f} s, {same} Grants unverändert übernommen, {declared} erklärte Ausnahmen.",
        f"Containment: {proved} theorems proved in {seconds:.1f} s, {same} grants taken over unchanged, {declared} declared exceptions.",
    )
