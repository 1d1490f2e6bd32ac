"""Containment judged: what cannot be proved is a finding."""

from __future__ import annotations

from collections.abc import Iterable

from twin_api.policy.check import EXISTENCE
from twin_api.policy.documents import Grant, Place, Policies
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.proof.claim import Claim, citizen_claims, council_claims
from twin_api.policy.proof.prover import Prover
from twin_api.policy.proof.told import Telling
from twin_api.texts import Text


def check_citizens(policies: Policies, findings: Findings) -> None:
    """What citizens see, every role sees: part of loading, so the files need not be right otherwise."""
    _check(policies, citizen_claims(policies), findings)


def check_figures(policies: Policies, findings: Findings) -> None:
    """Figures over one layer count the same rows, in whatever words: the difference of two would show the few that lie in one only."""
    prover, telling = Prover(policies, thorough=False), Telling(policies)
    every = (grant for role in policies.roles.values() for grants in role.grants.values() for grant in grants)
    first: dict[str, Grant] = {}
    for grant in {grant.place: grant for grant in every if grant.figures is not None}.values():
        earlier = first.setdefault(grant.layer, grant)
        result, witness = prover.same_rows(earlier, grant)
        if result != "proved":
            what = Text(
                f"die Zahlen über `{grant.layer}` zählen andere Zeilen als {quoted(earlier.collection)} in {earlier.place}",
                f"the figures over `{grant.layer}` count other rows than {quoted(earlier.collection)} in {earlier.place}",
            )
            remedy = Text("dieselben `rows` schreiben und Teile als `share` zeigen", "write the same `rows`, and show parts as a `share`")
            findings.add(grant.place, what, remedy, tuple(telling.other_rows(earlier, grant, witness)))


def check_council(policies: Policies) -> Findings:
    """What the council sees, the administration sees, but for declared exceptions: asked of policies that load, before they are applied."""
    findings = Findings()
    _check(policies, council_claims(policies), findings)
    return findings


def _check(policies: Policies, claims: Iterable[Claim], findings: Findings) -> None:
    prover, telling = Prover(policies, thorough=False), Telling(policies)
    hidden: set[tuple[str, Place]] = set()
    for claim in claims:
        verdict = prover.decide(claim)
        if verdict.holds or (claim.upper_role, claim.lower.place) in hidden:
            continue
        if claim.subject == EXISTENCE:  # whoever does not see the row does not see its attributes either
            hidden.add((claim.upper_role, claim.lower.place))
        findings.append(telling.finding(verdict))
