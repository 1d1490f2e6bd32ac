"""The report on one day, from the policies alone.

Must never read a clock or a row: the day is passed in, and data are not its business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Final

from twin_api.policy.approvals import APPROVALS, Approval, read_approvals, seal
from twin_api.policy.check import GEOMETRY
from twin_api.policy.documents import Grant, Layer, Policies, Role
from twin_api.policy.finding import Findings
from twin_api.policy.report.document import Fact, Report, RoleSection, Shown, State, Unseen
from twin_api.policy.report.record import record
from twin_api.policy.report.sentences import attribute_in_words, day_in_words, figures_in_words, joined, place_in_words, rows_in_words
from twin_api.policy.report.shown import areas_of, names_shown
from twin_api.policy.report.words import ACCESS, role_title
from twin_api.policy.role import CITIZEN
from twin_api.policy.yaml_file import read
from twin_api.texts import Text

WHICH: Final = Text("Was", "What")
WHERE: Final = Text("Wo", "Where")
DETAILS: Final = Text("Angaben", "Details")
RELEASED: Final = Text("Freigabe", "Release")
ANNOUNCED: Final = Text("Dazu gesagt", "Announced")
NO_DETAILS: Final = Text("Keine, nur Ort und Anzahl.", "None, only place and number.")


def build(policies: Policies, day: date) -> Report:
    """What every role sees on `day`, what nobody sees, and the record of processing."""
    approvals = _approvals(policies)
    text = "".join(f"{name}\0{policies.files[name]}\0" for name in sorted(policies.files))
    return Report(
        town=policies.town.name,
        day=day,
        fingerprint=hashlib.sha256(text.encode()).hexdigest()[:12],
        roles=tuple(_section(role, policies, approvals, day) for role in policies.roles.values()),
        unseen=tuple(_unseen(policies, day)),
        records=tuple(record(layer, policies, day) for layer in policies.layers.values()),
    )


def _approvals(policies: Policies) -> tuple[Approval, ...]:
    node = read(policies.files.get(APPROVALS, "").encode(), APPROVALS, Findings())
    return read_approvals(node, policies.town, Findings()) if node is not None else ()


def collection_title(grant: Grant, layer: Layer) -> Text:
    return grant.title or layer.title


def _section(role: Role, policies: Policies, approvals: tuple[Approval, ...], day: date) -> RoleSection:
    included, shown = [], []
    for grants in role.grants.values():
        for grant, state in _told(grants, day):
            if role.name != CITIZEN and grant.file_role == CITIZEN:
                included += [collection_title(grant, policies.layers[grant.layer])] if state == "open" else []
            else:
                shown.append(_shown(grant, state, policies, approvals))
    return RoleSection(
        anchor=f"role-{role.schema}",
        title=role_title(role.name, policies.town),
        access=ACCESS[role.access],
        included=tuple(included),
        shown=tuple(shown),
        announced=role.announce,
    )


def _told(grants: tuple[Grant, ...], day: date) -> Iterator[tuple[Grant, State]]:
    """The grant in force, and before it those that wait for approval or are over."""
    for grant in grants:
        state: State = "open" if grant.is_open_on(day) else "waiting" if grant.release and grant.release.is_open_on(day) else "over"
        yield grant, state
        if state == "open":
            return


def _shown(grant: Grant, state: State, policies: Policies, approvals: tuple[Approval, ...]) -> Shown:
    layer = policies.layers[grant.layer]
    which = [rows_in_words(grant.rows, layer, policies.layers)]
    if grant.embargo is not None:
        title = layer.attributes[grant.embargo].title
        which.append(Text(f"Jeder Eintrag erst ab dem Tag, der in „{title.de}“ steht.",
                          f"Each entry only from the day on that stands in “{title.say('en')}”."))  # fmt: skip
    facts = [Fact(WHICH, tuple(which))]
    if grant.figures is not None:
        facts.append(Fact(DETAILS, figures_in_words(grant.figures, layer, policies.layers)))
    else:
        facts.append(Fact(WHERE, (place_in_words(grant.geometry, layer, policies.layers),)))
        details = joined([attribute_in_words(layer.attributes[name], mask) for name, mask in grant.attributes.items()], "; ")
        facts.append(Fact(DETAILS, (Text(f"{details.de}.", f"{details.en}.") if grant.attributes else NO_DETAILS,)))
    if grant.release is not None:
        facts.append(Fact(RELEASED, tuple(_release(grant, layer, policies, approvals))))
    if grant.announce is not None:
        facts.append(Fact(ANNOUNCED, (grant.announce,)))
    return Shown(collection_title(grant, layer), state, tuple(facts), str(grant.place))


def _release(grant: Grant, layer: Layer, policies: Policies, approvals: tuple[Approval, ...]) -> Iterator[Text]:
    release, departments = grant.release, policies.town.departments
    if release is None:
        return
    names = {"existence": Text("dass es sie gibt", "that they are there"), "geometry": Text("der Ort", "the place")}
    leaving = joined([names.get(name) or layer.attributes[name].title for name in _in_order(release.of, layer)])
    yield Text(f"Über die Einstufung hinaus wird gezeigt: {leaving.de}.", f"Shown beyond its class: {leaving.en}.")
    yield Text(f"Grund: {release.reason}.".replace("..", "."), f"Reason: {release.reason}.".replace("..", "."))
    subject = (grant.file_role, grant.collection, seal(grant))
    given = [a for a in approvals if (a.role, a.collection, a.seal) == subject and a.department in release.approve]
    if given:
        who = joined([_approved(approval, departments[approval.department]) for approval in given])
        yield Text(f"Zugestimmt: {who.de}.", f"Approved by: {who.en}.")
    if grant.missing:
        lacking = ", ".join(departments[name] for name in grant.missing)
        yield Text(f"Es fehlt die Zustimmung von: {lacking}.", f"Still to be approved by: {lacking}.")
    if release.heard:
        heard = ", ".join(departments[name] for name in release.heard)
        yield Text(f"Angehört: {heard}.", f"Heard: {heard}.")
    until = day_in_words(release.until)
    yield Text(f"Gilt bis einschließlich {until.de}.", f"Holds until the end of {until.en}.")


def _in_order(names: frozenset[str], layer: Layer) -> list[str]:
    return [name for name in ("existence", "geometry", *layer.attributes) if name in names]


def _approved(approval: Approval, department: str) -> Text:
    day = day_in_words(approval.on)
    return Text(f"{department} ({approval.by}, {day.de})", f"{department} ({approval.by}, {day.en})")


def _unseen(policies: Policies, day: date) -> Iterator[Unseen]:
    """Per layer: what no grant in force shows anybody, alone, in a figure, or as an area that others are sorted by."""
    grants = [grant for role in policies.roles.values() for grant in role.open_on(day).values()]
    for layer in policies.layers.values():
        seen = {name for grant in grants for name in names_shown(grant, layer)}
        named = [attribute.title for name, attribute in layer.attributes.items() if name not in seen]
        if layer.geometry is not None and GEOMETRY not in seen:
            named.insert(0, Text("der Ort", "the place"))
        is_seen = any(grant.layer == layer.name or layer.name in areas_of(grant) for grant in grants)
        if named or not is_seen:
            yield Unseen(layer.title, tuple(named) if is_seen else ())
