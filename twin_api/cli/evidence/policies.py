"""The policies as evidence: checksums of the files, every version that was applied, who agreed to which release, what was proved.

Must never name a person: of an approval the department and the day are told.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from twin_api.cli.doctor.finding import Unseen
from twin_api.cli.doctor.patient import Patient
from twin_api.policy.approvals import APPROVALS, Approval, read_approvals, seal
from twin_api.policy.documents import Grant, Policies
from twin_api.policy.finding import Findings
from twin_api.policy.proof.claim import claims
from twin_api.policy.proof.prover import Prover
from twin_api.policy.proof.solver import is_installed
from twin_api.policy.yaml_file import read
from twin_api.publish.history import Version, versions

NOTHING: Mapping[str, str] = {}


def tell_policies(patient: Patient) -> dict[str, Any]:
    """Files by checksum, in force and in the folder, and the chain of versions."""
    in_force = _sums(patient.in_force.files)
    try:
        folder: dict[str, str] | None = _sums(patient.policies.files)
    except Unseen:
        folder = None
    applied = versions(patient.owner)
    befores = [NOTHING, *(version.files for version in applied)]
    return {
        "in_force": {"version": applied[-1].version, "files": in_force},
        "folder": {"files": folder, "is_in_force": folder == in_force},
        "versions": {f"{v.number:06d}": _version(before, v) for before, v in zip(befores, applied, strict=False)},
    }


def tell_approvals(policies: Policies) -> dict[str, Any]:
    """By role and collection: what leaves its class, why, until when, and which departments agreed to this wording."""
    given = _given(policies)
    told: dict[str, Any] = {}
    for grant in _released(policies):
        told.setdefault(grant.file_role, {})[grant.collection] = _release(grant, given)
    return told


def tell_theorems(policies: Policies) -> dict[str, Any]:
    """Every theorem of containment and how it ends; without the prover, none."""
    if not is_installed():
        return {"prover": False, "ends": {}, "theorems": {}}
    prover = Prover(policies)
    verdicts = [prover.decide(claim) for claim in claims(policies)]
    theorems = {f"{v.claim.lower_role} ⊆ {v.claim.upper_role} · {v.claim.lower.collection} · {v.claim.subject}": v.result for v in verdicts}
    return {"prover": True, "ends": dict(Counter(verdict.result for verdict in verdicts)), "theorems": theorems}


def _version(before: Mapping[str, str], version: Version) -> dict[str, Any]:
    changed = sorted(name for name in {*before, *version.files} if before.get(name) != version.files.get(name))
    sums = {name: _sum(version.files[name]) if name in version.files else None for name in changed}
    return {"version": version.version, "at": version.at.isoformat(), "login": version.who, "changed": sums,
            "widened": version.widened, "narrowed": version.narrowed}  # fmt: skip


def _released(policies: Policies) -> Iterator[Grant]:
    """Each release once, by the file it stands in."""
    for role in policies.roles.values():
        for grants in role.grants.values():
            yield from (grant for grant in grants if grant.release is not None and grant.file_role == role.name)


def _given(policies: Policies) -> tuple[Approval, ...]:
    text = policies.files.get(APPROVALS, "")
    node = read(text.encode(), APPROVALS, Findings())
    return () if node is None else read_approvals(node, policies.town, Findings())


def _release(grant: Grant, given: tuple[Approval, ...]) -> dict[str, Any]:
    release, sealed = grant.release, seal(grant)
    assert release is not None  # noqa: S101  # said to the type checker
    agreed = {
        a.department: a.on.isoformat() for a in given if (a.role, a.collection, a.seal) == (grant.file_role, grant.collection, sealed)
    }
    return {
        "of": sorted(release.of), "reason": release.reason, "until": release.until.isoformat(), "seal": sealed,
        "needs": list(release.approve), "heard": list(release.heard), "agreed": agreed, "missing": list(grant.missing),
    }  # fmt: skip


def _sums(files: Mapping[str, str]) -> dict[str, str]:
    return {name: _sum(text) for name, text in files.items()}


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
