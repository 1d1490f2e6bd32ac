"""Containment judged: what cannot be proved is a finding."""

from __future__ import annotations

from collections.abc import Iterable

from twin_api.policy.check import EXISTENCE
from twin_api.policy.documents import Place, Policies
from twin_api.policy.finding import Findings
from twin_api.policy.proof.claim import Claim, citizen_claims, council_claims
from twin_api.policy.proof.prover import Prover
from twin_api.policy.proof.told import Telling


def check_citizens(policies: Policies, findings: Findings) -> None:
    """What citizens see, every role sees: part of loading, so the files need not be right otherwise."""
    _check(policies, citizen_claims(policies), findings)


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
