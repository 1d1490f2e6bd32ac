"""One role's file: `citizen.yaml`, `council.yaml`, `administration.yaml`, and the parts in it.

Must never hand a role anything by inheritance but what `includes` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast, get_args

from twin_api.policy.documents import Access, Grant, Place
from twin_api.policy.fields import Fields, items_of, one_of, table_of, text_of, title_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.grant import Ground, read_grant
from twin_api.policy.names import check_part_name
from twin_api.policy.town import DEPARTMENT, ROLES_WITH_PARTS
from twin_api.policy.yaml_file import Node, Scalar
from twin_api.texts import Text

CITIZEN: Final = "citizen"
LONGEST_PART: Final = 20


@dataclass(frozen=True, slots=True)
class RoleFile:
    """What stands in one role's file: own grants of the role and of each part, includes not yet resolved."""

    access: Access
    includes: bool  # of citizen, the only role that can be included
    grants: Mapping[str, Mapping[str, Grant]]  # by role name, the role itself first
    place: Place
    announce: tuple[Text, ...] = ()

    def approved(self, with_approvals: Callable[[Grant], Grant]) -> RoleFile:
        """The same file, its grants knowing which approvals they lack."""
        known = {role: {name: with_approvals(grant) for name, grant in grants.items()} for role, grants in self.grants.items()}
        return replace(self, grants=known)


def read_role(node: Node, role: str, ground: Ground, findings: Findings) -> RoleFile:
    """The file `<role>.yaml`; grants that hold a mistake are left out, which is a finding each."""
    parts_allowed = ("parts",) if role in ROLES_WITH_PARTS else ()
    fields = Fields(node, findings, ("role", "access"), ("includes", "announce", "collections", *parts_allowed))
    _check_role_name(fields, role)
    grants = {role: fields.get("collections", lambda n, f: _grants(n, role, ground, f), _NOTHING)}
    for name, part, under in _parts(fields, role, ground):
        grants[f"{role}/{name}"] = _grants(part, f"{role}/{name}", under, findings)
    silent: tuple[Text, ...] = ()
    announce = fields.get("announce", lambda n, f: tuple(title_of(item, f) for item in items_of(n, f)), silent)
    return RoleFile(_access(fields, role), _includes(fields, role), grants, fields.place, announce)


_NOTHING: Final[Mapping[str, Grant]] = {}


def _check_role_name(fields: Fields, role: str) -> None:
    said = fields.get("role", text_of, "")
    if said and said != role:
        what = Text(f"in {role}.yaml steht die Rolle {quoted(said)}", f"{role}.yaml says it is the role {quoted(said)}")
        fields.findings.add(fields.at("role"), what, Text(f"`role: {role}` schreiben", f"write `role: {role}`"))


def _access(fields: Fields, role: str) -> Access:
    """Citizens come without a name, everybody else with one: `anonymous` is for citizen.yaml and only there."""
    possible = ("anonymous",) if role == CITIZEN else ("login", "token")
    access = fields.get("access", one_of(get_args(Access), Text("einen Zugang", "access")), possible[0])
    if access in get_args(Access) and access not in possible:
        what = Text(f"{quoted(access)} passt nicht zur Rolle `{role}`", f"{quoted(access)} does not fit the role `{role}`")
        right = " / ".join(f"`access: {word}`" for word in possible)
        fields.findings.add(fields.at("access"), what, Text(f"{right} schreiben", f"write {right}"))
    return cast("Access", access)


def _includes(fields: Fields, role: str) -> bool:
    node = fields.node("includes")
    if node is None:
        return False
    if role == CITIZEN:
        what = Text("die Rolle `citizen` schließt keine andere ein", "the role `citizen` includes no other")
        fields.findings.add(fields.at("includes"), what, Text("die Zeile löschen", "delete the line"))
    elif not isinstance(node, Scalar) or node.value != CITIZEN:
        what = Text("einschließen kann man nur die Rolle `citizen`", "only the role `citizen` can be included")
        fields.findings.add(fields.at("includes"), what, Text("`includes: citizen` schreiben", "write `includes: citizen`"))
    return True


def _grants(node: Node, role: str, ground: Ground, findings: Findings) -> Mapping[str, Grant]:
    table = table_of(node, findings)
    read = {name: read_grant(entry, table.places[name], name, role, ground, findings) for name, entry in table.entries.items()}
    return {name: grant for name, grant in read.items() if grant is not None}


def _parts(fields: Fields, role: str, ground: Ground) -> Iterator[tuple[str, Node, Ground]]:
    """The parts by name, each with what its grants stand on: for a part that does not exist, key 1 says nothing."""
    node = fields.node("parts")
    if node is None or role not in ROLES_WITH_PARTS:
        return
    table = table_of(node, fields.findings)
    for name, part in table.entries.items():
        place = table.places[name]
        check_part_name(name, place, fields.findings, LONGEST_PART)
        if role == "administration" and name not in ground.town.departments:
            fields.findings.unknown(place, DEPARTMENT, name, ground.town.departments)
            yield name, part, replace(ground, classes_hold=False)
        else:
            yield name, part, ground
