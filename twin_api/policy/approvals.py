"""`approvals.yaml`: which department agreed to which release, by whom and when. Each approval holds for one wording of one grant.

Must never let an approval outlive a change: its seal is made of everything the grant shows and of its release.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from twin_api.policy.documents import Grant, Town
from twin_api.policy.fields import NO_DATE, Fields, date_of, items_of, one_of, text_of
from twin_api.policy.finding import Findings
from twin_api.policy.matrix import describe_figures, describe_mask, describe_rule
from twin_api.policy.town import DEPARTMENT
from twin_api.policy.yaml_file import Items, Node, Table, read
from twin_api.texts import Text

APPROVALS: Final = "approvals.yaml"
HEADER: Final = """\
# yaml-language-server: $schema=.schema/approvals.schema.json
# Zustimmungen zu Freigaben, eingetragen mit `twin policy approve`. Eine Zustimmung gilt genau dem Wortlaut, den ihr Siegel (seal)
# festhält: ändert sich, was der Grant zeigt, oder seine Freigabe, ist neu zuzustimmen.
approvals:
"""


@dataclass(frozen=True, slots=True)
class Approval:
    role: str
    collection: str
    department: str
    by: str
    on: date
    seal: str

    def as_line(self) -> str:
        """As it stands in the file."""
        who = json.dumps(self.by, ensure_ascii=False)
        return (
            f"  - {{role: {self.role}, collection: {self.collection}, department: {self.department}, by: {who}, "
            f'on: {self.on.isoformat()}, seal: "{self.seal}"}}\n'
        )


def read_approvals(node: Node, town: Town, findings: Findings) -> tuple[Approval, ...]:
    """The list in the file; one for a collection that is no more, or of another wording, is no mistake: it counts for nothing."""
    fields = Fields(node, findings, ("approvals",))
    nothing: tuple[Node, ...] = ()
    entries = fields.get("approvals", items_of, nothing)
    return tuple(_approval(entry, town, findings) for entry in entries)


def _approval(node: Node, town: Town, findings: Findings) -> Approval:
    fields = Fields(node, findings, ("role", "collection", "department", "by", "on", "seal"))
    return Approval(
        role=fields.get("role", text_of, ""),
        collection=fields.get("collection", text_of, ""),
        department=fields.get("department", one_of(town.departments, DEPARTMENT), ""),
        by=fields.get("by", text_of, ""),
        on=fields.get("on", date_of, NO_DATE),
        seal=fields.get("seal", text_of, ""),
    )


def with_approvals(grant: Grant, approvals: tuple[Approval, ...]) -> Grant:
    """The grant, knowing which departments have not agreed to its release as it stands."""
    if grant.release is None:
        return grant
    sealed = seal(grant)
    subject = (grant.file_role, grant.collection, sealed)
    given = {a.department for a in approvals if (a.role, a.collection, a.seal) == subject}
    return replace(grant, missing=tuple(name for name in grant.release.approve if name not in given))


def seal(grant: Grant) -> str:
    """Twelve hexadecimal digits that change with anything the grant shows and with its release."""
    return hashlib.sha256(json.dumps(_wording(grant), sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]


def _wording(grant: Grant) -> Mapping[str, object]:
    release = grant.release
    return {
        "role": grant.file_role,
        "collection": grant.collection,
        "from": grant.layer,
        "rows": describe_rule(grant.shown_rows),
        "geometry": describe_mask(grant.geometry),
        "attributes": {name: " ".join((describe_mask(mask), *mask.reads)) for name, mask in grant.attributes.items()},
        "figures": describe_figures(grant.figures) if grant.figures else "",
        "release": [sorted(release.of), release.reason, release.until.isoformat()] if release else [],
    }


class ApprovalsUnwritable(Exception):
    """The file is written in a form to which no line can be added at its end; it stands as before."""


def add_approval(path: Path, approval: Approval) -> None:
    """Append to the file, whole or not at all; makes it where there is none. Raises `ApprovalsUnwritable`."""
    text = path.read_text(encoding="utf-8") if path.exists() else HEADER
    longer = text.rstrip().removesuffix("[]").rstrip() + "\n" + approval.as_line()
    if _count(longer) != _count(text) + 1:
        raise ApprovalsUnwritable()
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(longer, encoding="utf-8")
    beside.replace(path)


def _count(text: str) -> int:
    """How many approvals the text holds; none where it cannot be read."""
    node = read(text.encode(), APPROVALS, Findings())
    entries = node.entries.get("approvals") if isinstance(node, Table) else None
    return len(entries.items) if isinstance(entries, Items) else 0


def missing_text(grant: Grant) -> Text:
    """What a person does about a release that waits for approvals."""
    names = ", ".join(grant.missing)
    command = f'`twin policy approve {grant.file_role} {grant.collection} --department {grant.missing[0]} --by "…"`'
    return Text(
        f"{grant.place}: `{grant.collection}` wird noch nicht gezeigt, es fehlt die Zustimmung von {names}: {command}",
        f"{grant.place}: `{grant.collection}` is not shown yet, the approval of {names} is missing: {command}",
    )
