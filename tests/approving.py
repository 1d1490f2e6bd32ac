"""The departments of tests agree to everything: what a test changes in a release is approved again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from twin_api.policy.approvals import APPROVALS, Approval, add_approval, seal
from twin_api.policy.finding import PolicyInvalid
from twin_api.policy.load import load


def approve_all(folder: Path) -> None:
    """Give every approval that a release in the folder still lacks; policies that do not load are left to whoever loads them."""
    try:
        roles = load(folder).roles.values()
    except PolicyInvalid:
        return
    waiting = {str(g.place): g for role in roles for grants in role.grants.values() for g in grants if g.missing}
    for grant in waiting.values():
        for department in grant.missing:
            add_approval(
                folder / APPROVALS, Approval(grant.file_role, grant.collection, department, "M. Beispiel", date(2026, 11, 20), seal(grant))
            )
