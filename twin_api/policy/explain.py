"""Why a role sees a collection, an attribute or an item, or why not: each reason with the file and line it stands in.

Must never say a value of a row: whoever asks may be allowed to see less than the store holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from twin_api.policy.approvals import missing_text
from twin_api.policy.check import EXISTENCE, GEOMETRY
from twin_api.policy.documents import Attribute, Grant, Layer, Place, Policies, Role
from twin_api.policy.evaluate import standing
from twin_api.policy.finding import listed, quoted, suggestion
from twin_api.policy.masks import Area
from twin_api.policy.matrix import describe_figures, describe_mask, describe_rule
from twin_api.policy.rule import And, Not, Or, Row, Rule, World, truth
from twin_api.policy.town import UNREVIEWED
from twin_api.texts import Text


class NothingToExplain(Exception):  # a fact about the question
    """There is no role, collection or attribute of that name; `why` says what there is."""

    def __init__(self, kind: Text, word: str, known: list[str]) -> None:
        meant = suggestion(word, known)
        self.why = Text(f"{kind.de} {quoted(word)} gibt es nicht; {meant.de}.", f"There is no {kind.en} {quoted(word)}; {meant.en}")
        super().__init__(self.why.en)


def explain(policies: Policies, role: str, collection: str, day: date, attribute: str | None = None) -> list[Text]:
    """What stands in the files, line by line, as it holds on `day`. Raises `NothingToExplain`."""
    layer = _known(policies, role, collection)
    if attribute is not None and attribute != GEOMETRY and attribute not in layer.attributes:
        raise NothingToExplain(Text("Ein Attribut", "attribute"), attribute, list(layer.attributes))
    grant = grant_of(policies, role, collection, day)
    if grant is None:
        return [*_without_grant(policies, role, collection, layer, attribute)]
    lines = [*_which(policies.roles[role], collection, day)]
    if attribute == GEOMETRY:
        return [*lines, *_geometry(grant, layer)]
    if attribute is not None:
        return [*lines, _attribute(layer.attributes[attribute], grant, policies)]
    return [
        *lines,
        *_shown(grant),
        *_geometry(grant, layer),
        *(_attribute(a, grant, policies) for a in layer.attributes.values()),
    ]


def grant_of(policies: Policies, role: str, collection: str, day: date) -> Grant | None:
    """The grant in force, or else the first one there is; None where the role has no such collection."""
    grants = policies.roles[role].grants.get(collection, ())
    return next((grant for grant in grants if grant.is_open_on(day)), grants[0] if grants else None)


def _known(policies: Policies, role: str, collection: str) -> Layer:
    """The layer that the collection shows: to the role itself, or else to whoever has it; a layer nobody sees counts by its own name."""
    if role not in policies.roles:
        raise NothingToExplain(Text("Eine Rolle", "role"), role, list(policies.roles))
    twins = (policies.roles[role], *policies.roles.values())
    layers = {name: grants[0].layer for twin in reversed(twins) for name, grants in twin.grants.items()}
    if collection not in layers and collection not in policies.layers:
        raise NothingToExplain(Text("Eine Collection", "collection"), collection, sorted({*layers, *policies.layers}))
    return policies.layers[layers.get(collection, collection)]


def _without_grant(policies: Policies, role: str, collection: str, layer: Layer, attribute: str | None) -> Iterator[Text]:
    file = f"{role.partition('/')[0]}.yaml"
    yield Text(f"{role} sieht {quoted(collection)} nicht: in {file} gewährt das niemand.",
               f"{role} does not see {quoted(collection)}: nothing in {file} grants it.")  # fmt: skip
    having = [f"{name} ({twin.grants[collection][0].place})" for name, twin in policies.roles.items() if collection in twin.grants]
    if having:
        yield Text(f"Es sehen sie: {', '.join(having)}.", f"Those who see it: {', '.join(having)}.")
    classes = {EXISTENCE: layer.existence} | ({GEOMETRY: layer.geometry.class_} if layer.geometry else {})
    classes |= {name: a.class_ for name, a in layer.attributes.items() if attribute is None or name == attribute}
    hidden = [name for name, class_ in classes.items() if class_ != UNREVIEWED and not policies.town.classes[class_].is_seen_by(role)]
    yield Text(f"Nötig wäre ein Grant in {file}.", f"It would take a grant in {file}.")
    if hidden:
        yield Text(f"Dazu eine Freigabe (`release`), soweit er davon etwas zeigt: {listed(hidden)}.",
                   f"Besides a `release`, as far as it shows any of these: {listed(hidden)}.")  # fmt: skip
    for class_ in dict.fromkeys(classes[name] for name in hidden):
        yield _class_line(class_, layer.place, policies)


def _class_line(class_: str, place: Place, policies: Policies) -> Text:
    seen_by = listed(policies.town.classes[class_].seen_by)
    return Text(f"Die Klasse {quoted(class_)} ({place.file}) sehen höchstens: {seen_by}.",
                f"The class {quoted(class_)} ({place.file}) is seen at most by: {seen_by}.")  # fmt: skip


def _which(role: Role, collection: str, day: date) -> Iterator[Text]:
    """Every grant that could hold, the first open one holding."""
    is_taken = False
    for grant in role.grants[collection]:
        is_own = grant.file_role == role.name
        whose = (
            Text("eigener Grant", "own grant")
            if is_own
            else Text(f"durch `includes` von {grant.file_role}", f"included from {grant.file_role}")
        )
        state = _state(grant, day)
        if state is None:
            behind = Text("gilt nicht, weil ein eigener Grant vorgeht", "does not hold, since an own grant comes first")
            state = behind if is_taken else Text(f"gilt am {day}", f"holds on {day}")
            is_taken = True
        yield Text(f"{grant.place}: {whose.de}, {state.de}.", f"{grant.place}: {whose.en}, {state.en}.")
        yield from _release(grant)
    if not is_taken:
        yield Text(f"{role.name} sieht {quoted(collection)} am {day} nicht.", f"{role.name} does not see {quoted(collection)} on {day}.")


def _state(grant: Grant, day: date) -> Text | None:
    """Why the grant shows nothing on the day; None where it does."""
    release = grant.release
    if release is None or grant.is_open_on(day):
        return None
    if grant.missing:
        return Text(f"gilt noch nicht: es fehlt die Zustimmung von {listed(grant.missing)}",
                    f"does not hold yet: the approval of {listed(grant.missing)} is missing")  # fmt: skip
    return Text(f"gilt nicht mehr: die Freigabe endete am {release.until}", f"holds no more: its release ended on {release.until}")


def _release(grant: Grant) -> Iterator[Text]:
    release = grant.release
    if release is None:
        return
    of = listed(sorted(release.of))
    yield Text(f"{release.place}: Freigabe für {of} bis {release.until}: {release.reason}",
               f"{release.place}: release of {of} until {release.until}: {release.reason}")  # fmt: skip
    if grant.missing:
        yield missing_text(grant)


def _shown(grant: Grant) -> Iterator[Text]:
    rule = describe_rule(grant.shown_rows)
    yield Text(f"Zeilen ({grant.place}): {rule}", f"Rows ({grant.place}): {rule}")
    if grant.figures is not None:
        figures = describe_figures(grant.figures)
        yield Text(f"Zahlen statt Objekten: {figures}", f"Figures instead of items: {figures}")


def _geometry(grant: Grant, layer: Layer) -> Iterator[Text]:
    if layer.geometry is None:
        return
    class_ = Text(f"Klasse {layer.geometry.class_} ({layer.place.file})", f"class {layer.geometry.class_} ({layer.place.file})")
    if grant.figures is not None:
        mask = Text("keine, nur Flächen", "none, areas only") if grant.figures.by_area else Text("keine", "none")
    else:
        mask = Text(describe_mask(grant.geometry), describe_mask(grant.geometry))
    lifted = _lifted(GEOMETRY, grant)
    yield Text(f"Geometrie: {mask.de}; {class_.de}{lifted.de}", f"Geometry: {mask.en}; {class_.en}{lifted.en}")


def _lifted(name: str, grant: Grant) -> Text:
    if grant.release is None or name not in grant.release.of:
        return Text("", "")
    return Text(f", freigegeben in {grant.release.place}", f", released in {grant.release.place}")


def _attribute(attribute: Attribute, grant: Grant, policies: Policies) -> Text:
    name, lifted = quoted(attribute.name), _lifted(attribute.name, grant)
    class_ = Text(f"Klasse {attribute.class_} ({attribute.place})", f"class {attribute.class_} ({attribute.place})")
    how = _how(attribute, grant)
    why = _why_not(attribute, grant, policies) if how is None else None
    said = how or why or _NOWHERE
    return Text(f"{name}: {said.de}; {class_.de}{lifted.de}", f"{name}: {said.en}; {class_.en}{lifted.en}")


_NOWHERE: Final = Text("nicht gezeigt, der Grant nennt es nicht", "not shown, the grant does not name it")


def _how(attribute: Attribute, grant: Grant) -> Text | None:
    if attribute.name in grant.attributes:
        mask = describe_mask(grant.attributes[attribute.name])
        return Text(f"gezeigt, Maske {mask}", f"shown, mask {mask}")
    used = [figure.name for figure in grant.figures.figures if figure.attribute == attribute.name] if grant.figures else []
    if used:
        return Text(f"geht in Zahlen ein: {listed(used)}", f"goes into figures: {listed(used)}")
    if grant.figures is not None and grant.figures.group_by == attribute.name:
        return Text("teilt die Gruppen ein", "makes the groups")
    return None


def _why_not(attribute: Attribute, grant: Grant, policies: Policies) -> Text | None:
    """What stands between the role and the attribute; None where nothing does but that nobody granted it."""
    class_ = policies.town.classes[attribute.class_]
    if class_.name == UNREVIEWED:
        return Text("nicht gezeigt und nicht freizugeben, solange es ungeprüft ist", "not shown, and not to be released while unreviewed")
    if attribute.locates and grant.geometry.word not in ("keep", "xy"):
        return Text(f"nicht gezeigt: es verriete den Ort, den `geometry` ({describe_mask(grant.geometry)}) verbirgt",
                    f"not shown: it would betray the place that `geometry` ({describe_mask(grant.geometry)}) hides")  # fmt: skip
    if not class_.is_seen_by(grant.file_role):
        return Text(f"nicht gezeigt; nur mit Freigabe, denn die Klasse sehen höchstens {listed(class_.seen_by)}",
                    f"not shown; only with a release, since its class is seen at most by {listed(class_.seen_by)}")  # fmt: skip
    return None


def explain_row(grant: Grant, row: Row, world: World) -> list[Text]:
    """Each term of the rule, true, false or unknown for this row, and what follows."""
    rule = grant.shown_rows
    lines = [*_terms(rule, standing(row), world, "  ")]
    if truth(rule, standing(row), world) is not True:
        return [*lines, Text("Der Grant zeigt dieses Objekt nicht.", "The grant does not show this item.")]
    if grant.figures is not None:
        lines.append(Text("Das Objekt zählt in den Zahlen mit.", "The item is counted in the figures."))
    else:
        lines.append(Text("Der Grant zeigt dieses Objekt.", "The grant shows this item."))
    if isinstance(grant.geometry, Area) and world.area_of(grant.geometry.layer, grant.geometry.key, standing(row)[GEOMETRY]) is None:
        nowhere = quoted(grant.geometry.layer)
        lines.append(Text(f"Es liegt in keiner Fläche von {nowhere} und zeigt darum keinen Ort.",
                          f"It lies in no area of {nowhere} and so shows no place."))  # fmt: skip
    return lines


_TRUTHS: Final = {
    True: Text("wahr", "true"),
    False: Text("falsch", "false"),
    None: Text("unbekannt (kein Wert), also nicht gezeigt", "unknown (no value), so not shown"),
}


def _terms(rule: Rule, row: Row, world: World, indent: str) -> Iterator[Text]:
    told = _TRUTHS[truth(rule, row, world)]
    inner: tuple[Rule, ...] = rule.terms if isinstance(rule, And | Or) else (rule.term,) if isinstance(rule, Not) else ()
    if inner:
        word = {And: Text("alle von", "all of"), Or: Text("eines von", "one of"), Not: Text("nicht", "not")}[type(rule)]
        yield Text(f"{indent}{word.de}: {told.de}", f"{indent}{word.en}: {told.en}")
        for term in inner:
            yield from _terms(term, row, world, indent + "  ")
    else:
        said = describe_rule(rule)
        yield Text(f"{indent}{said}: {told.de}", f"{indent}{said}: {told.en}")
