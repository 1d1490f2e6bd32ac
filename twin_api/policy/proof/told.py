"""Verdicts in words: a finding with its counterexample and the two lines of policy, or a line of the list of theorems.

Must never show a row that is not made up: counterexamples come from the policies alone, never from the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from twin_api.policy.check import EXISTENCE, GEOMETRY
from twin_api.policy.documents import Grant, Layer, Place, Policies
from twin_api.policy.evaluate import is_shown
from twin_api.policy.finding import Finding, quoted
from twin_api.policy.matrix import describe_mask
from twin_api.policy.places import Places
from twin_api.policy.proof.claim import ADMINISTRATION, FIGURES, Claim
from twin_api.policy.proof.prover import Verdict
from twin_api.policy.proof.witness import SPOT, Pair, Witness
from twin_api.policy.role import CITIZEN
from twin_api.policy.rule import Row
from twin_api.texts import Text

LONGEST_LINE: Final = 240
MOST_LINES: Final = 3  # of grants over one layer
INSTALL: Final = Text(
    "einfacher schreiben, oder den Beweiser einrichten: `pip install 'twin-api[proof]'`",
    "write it more simply, or install the prover: `pip install 'twin-api[proof]'`",
)


class Telling:
    """Speaks of verdicts about these policies."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._places = Places(policies.files)

    def finding(self, verdict: Verdict) -> Finding:
        claim = verdict.claim
        if claim.lower_role == CITIZEN:
            place = claim.uppers[0].place if claim.uppers else claim.lower.place
            what, remedy = _less_than_citizens(claim, _shortfall(verdict))
        else:
            place = claim.lower.place
            what, remedy = _more_than_administration(claim, _subject_shown(claim.subject))
        if verdict.result == "open":
            return Finding(place, _unproved(claim), INSTALL, tuple(self._lines(verdict)))
        return Finding(place, what, remedy, tuple(self._counterexample(verdict)))

    def other_rows(self, one: Grant, other: Grant, witness: Witness | None) -> Iterator[Text]:
        """Of two grants that should count the same rows: a row that only one of them counts, and both lines."""
        if witness is not None:
            row = _row(witness, self._policies.layers[one.layer])
            yield Text(f"Gegenbeispiel: {row}", f"Counterexample: {row}")
        yield from (line_of(self._places, self._places.in_grant(grant, "rows")) for grant in (one, other))

    def theorem(self, verdict: Verdict) -> Text:
        """One line: how it ended, how long it took, what it says."""
        claim, end, subject = verdict.claim, ENDS[verdict.result], _subject(verdict.claim.subject)
        took = f"{verdict.milliseconds:6.1f} ms  {claim.lower_role} ⊆ {claim.upper_role} · {claim.lower.collection} · "
        return Text(f"{end.de:<12} {took}{subject.de} ({claim.lower.place})", f"{end.en:<12} {took}{subject.en} ({claim.lower.place})")

    def taken_over(self, verdicts: Iterable[Verdict]) -> Iterator[Text]:
        """One line for each grant that roles include as it is, and the roles."""
        roles: dict[Place, list[str]] = {}
        grants = {}
        for claim in (verdict.claim for verdict in verdicts if verdict.result == "same"):
            roles.setdefault(claim.lower.place, []).append(claim.upper_role)
            grants[claim.lower.place] = claim.lower
        for place, grant in grants.items():
            said = f"{CITIZEN} ⊆ {', '.join(roles[place])} · {grant.collection} ({place})"
            yield Text(f"{ENDS['same'].de:<12} {said}", f"{ENDS['same'].en:<12} {said}")

    def _counterexample(self, verdict: Verdict) -> Iterator[Text]:
        claim, witness = verdict.claim, verdict.witness
        if verdict.pair is not None:
            yield from self._pair(verdict, verdict.pair)
        elif witness is not None:
            row = _row(witness, self._policies.layers[claim.lower.layer])
            when = f" {_value(self._local(witness.world.now))}" if witness.looks_at_clock else ""
            yield Text(f"Gegenbeispiel{when}: {row}", f"Counterexample{when}: {row}")
            yield self._seen(claim.lower_role, (claim.lower,), witness)
            yield self._seen(claim.upper_role, claim.uppers, witness)
        yield from self._lines(verdict)

    def _pair(self, verdict: Verdict, pair: Pair) -> Iterator[Text]:
        claim = verdict.claim
        upper = next(grant for grant in claim.uppers if grant not in verdict.able)
        lower_mask, upper_mask = (_mask(grant, claim.subject) for grant in (claim.lower, upper))
        yield pair_of(claim.subject, pair)
        yield told_apart(quoted(claim.lower_role), lower_mask, pair)
        yield told_apart(quoted(claim.upper_role), upper_mask, pair)

    def _seen(self, role: str, grants: Iterable[Grant], witness: Witness) -> Text:
        """What the role gets of the row, masks applied."""
        row = {**witness.row, GEOMETRY: SPOT}
        items = " | ".join(_item(grant, row) for grant in grants if is_shown(grant, row, witness.world))
        if not items:
            return Text(f"`{role}` sieht nichts davon", f"`{role}` sees nothing of it")
        return Text(f"`{role}` sieht {items}", f"`{role}` sees {items}")

    def _lines(self, verdict: Verdict) -> Iterator[Text]:
        """The lines of both sides that decide, as they stand in the files."""
        claim = verdict.claim
        for grant in (claim.lower, *claim.uppers[:MOST_LINES]):
            for place in self._entries(grant, claim.subject, verdict):
                yield line_of(self._places, place)
        if not claim.uppers:
            place = self._places.at(f"{claim.upper_role.partition('/')[0]}.yaml", "collections")
            yield line_of(self._places, place)

    def _entries(self, grant: Grant, subject: str, verdict: Verdict) -> list[Place]:
        """Of what is shown of the subject, or of the rows where that is not what fails."""
        is_about_rows = subject == EXISTENCE or (verdict.able != () and verdict.pair is None)
        if is_about_rows:
            embargo = [self._places.in_grant(grant, "embargo")] if grant.embargo else []
            return list(dict.fromkeys([self._places.in_grant(grant, "rows"), *embargo]))
        if subject == GEOMETRY:
            return [self._places.in_grant(grant, "geometry")]
        return [self._places.in_grant(grant, "attributes", subject)]

    def _local(self, now: datetime) -> datetime:
        return now.astimezone(ZoneInfo(self._policies.town.time_zone))


ENDS: Final = {
    "proved": Text("bewiesen", "proved"),
    "same": Text("dasselbe", "the same"),
    "declared": Text("erklärt", "declared"),
    "refuted": Text("WIDERLEGT", "REFUTED"),
    "open": Text("UNBEWIESEN", "NOT PROVED"),
}


def _subject(subject: str) -> Text:
    known = {EXISTENCE: Text("Zeilen", "rows"), GEOMETRY: Text("Geometrie", "geometry"), FIGURES: Text("Zahlen", "figures")}
    return known.get(subject, Text(f"Attribut {quoted(subject)}", f"attribute {quoted(subject)}"))


def _shortfall(verdict: Verdict) -> Text:
    subject, name = verdict.claim.subject, quoted(verdict.claim.subject)
    if subject == EXISTENCE or verdict.able:
        return Text("andere oder weniger Zeilen (`rows`)", "other or fewer rows (`rows`)")
    if subject == GEOMETRY:
        return Text("eine gröbere Geometrie", "a coarser geometry")
    if all(subject not in upper.attributes for upper in verdict.claim.uppers):
        return Text(f"das Attribut {name} fehlt", f"the attribute {name} is missing")
    return Text(f"das Attribut {name} ist gröber", f"the attribute {name} is coarser")


def _subject_shown(subject: str) -> Text:
    known = {EXISTENCE: Text("Zeilen", "rows"), GEOMETRY: Text("den Ort", "the place")}
    return known.get(subject, Text(f"das Attribut {quoted(subject)}", f"the attribute {quoted(subject)}"))


def _less_than_citizens(claim: Claim, less: Text) -> tuple[Text, Text]:
    shown = quoted(claim.lower.collection)
    what = Text(f"{shown} zeigt weniger, als `{CITIZEN}` schon sieht: {less.de}",
                f"{shown} shows less than `{CITIZEN}` already sees: {less.en}")  # fmt: skip
    return what, Text(f"mindestens zeigen, was in {claim.lower.place} steht, oder den Grant hier löschen",
                      f"show at least what {claim.lower.place} shows, or delete this grant")  # fmt: skip


def _more_than_administration(claim: Claim, more: Text) -> tuple[Text, Text]:
    shown, layer = quoted(claim.lower.collection), quoted(claim.lower.layer)
    what = Text(f"{shown} zeigt `{claim.lower_role}` mehr, als die Verwaltung sieht: {more.de}",
                f"{shown} shows `{claim.lower_role}` more than the administration sees: {more.en}")  # fmt: skip
    return what, Text(f"in {ADMINISTRATION}.yaml von {layer} mindestens dasselbe zeigen, oder hier weniger",
                      f"show at least the same of {layer} in {ADMINISTRATION}.yaml, or less here")  # fmt: skip


def _unproved(claim: Claim) -> Text:
    shown, subject = quoted(claim.lower.collection), _subject(claim.subject)
    return Text(f"nicht bewiesen: von {shown} sieht `{claim.upper_role}` mindestens, was `{claim.lower_role}` sieht ({subject.de})",
                f"not proved: `{claim.upper_role}` sees of {shown} at least what `{claim.lower_role}` sees ({subject.en})")  # fmt: skip


def _item(grant: Grant, row: Row) -> str:
    values = [f"{name} = {_value(mask.value(row[name], row))}" for name, mask in grant.attributes.items()]
    place = [f"geometry {describe_mask(grant.geometry)}"] if grant.geometry.word != "hide" else []
    return "; ".join((*values, *place)) or "–"


def _row(witness: Witness, layer: Layer) -> str:
    """Every attribute of the layer with its value, and what the row lies in."""
    values = [f"{name} = {_value(witness.row[name])}" for name in layer.attributes]
    return ", ".join([*values, *(f"in {of}.{attribute} = {_value(value)}" for (of, attribute, _), value in witness.areas.items())])


def pair_of(subject: str, pair: Pair) -> Text:
    """Two values of the subject, as a counterexample."""
    name, values = quoted(subject), f"{_value(pair.one)} | {_value(pair.other)}"
    return Text(f"Gegenbeispiel: zwei Werte von {name}: {values}", f"Counterexample: two values of {name}: {values}")


def told_apart(who: str, mask: Any, pair: Pair) -> Text:
    """What the mask shows `who` of both."""
    if mask is None:
        return Text(f"{who} sieht keinen davon", f"{who} sees neither")
    judge = mask.value if hasattr(mask, "value") else mask.point
    values = f"{_value(judge(pair.one))} | {_value(judge(pair.other))} ({describe_mask(mask)})"
    return Text(f"{who} sieht {values}", f"{who} sees {values}")


def _mask(grant: Grant, subject: str) -> Any:
    return grant.geometry if subject == GEOMETRY else grant.attributes.get(subject)


def line_of(places: Places, place: Place) -> Text:
    """The line as it stands in the files, with its place; where a text is folded, what follows too."""
    line = places.line(place).strip()
    number = place.line
    while line.endswith((">-", ">", "|", "|-", ":")) or (number > place.line and line.endswith((" AND", " OR", "NOT"))):
        number += 1
        following = places.line(Place(place.file, number)).strip()
        if not following:
            break
        line = f"{line} {following}"
    told = f"{place}: {line if len(line) <= LONGEST_LINE else f'{line[:LONGEST_LINE]}…'}"
    return Text(told, told)


def _value(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return f"'{''.join(letter if letter.isprintable() else '?' for letter in value)}'"
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case tuple() | list():
            return "/".join(f"{number:.12g}" for number in value)
    return str(value)
