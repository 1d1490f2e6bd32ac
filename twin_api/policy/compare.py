"""Two versions of the policies against each other: what each role gains and loses, in words.

Must never call something harmless for want of proof: where neither version shows at least the other, it is gain and loss at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from twin_api.policy.documents import Grant, Policies
from twin_api.policy.finding import quoted
from twin_api.policy.masks import GeometryMask, ValueMask
from twin_api.policy.matrix import describe_figures, describe_mask
from twin_api.texts import Text

Kind = Literal["new", "gone", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One collection of one role. `gained` widens what the role sees, `lost` narrows it, `told` is neither."""

    role: str
    collection: str
    kind: Kind
    before: Grant | None
    after: Grant | None
    gained: tuple[Text, ...] = ()
    lost: tuple[Text, ...] = ()
    told: tuple[Text, ...] = ()

    @property
    def rows_differ(self) -> bool:
        """Whether it may show other rows than before."""
        if self.before is None or self.after is None:
            return True
        return (self.before.layer, self.before.shown_rows) != (self.after.layer, self.after.shown_rows)


def compare(before: Policies | None, after: Policies, day: date) -> list[Change]:
    """Every collection that differs on `day`, role by role; without an earlier version everything is new."""
    old = {role.name: role.open_on(day) for role in before.roles.values()} if before else {}
    new = {role.name: role.open_on(day) for role in after.roles.values()}
    changes = []
    for role in dict.fromkeys([*new, *old]):
        had, has = old.get(role, {}), new.get(role, {})
        for collection in sorted(had.keys() | has.keys()):
            change = _change(role, collection, had.get(collection), has.get(collection))
            if change is not None:
                changes.append(change)
    return changes


def _change(role: str, collection: str, before: Grant | None, after: Grant | None) -> Change | None:
    if before is None and after is not None:
        what = Text(f"aus `{after.layer}`, {_shown(after).de}", f"from `{after.layer}`, {_shown(after).en}")
        return Change(role, collection, "new", None, after, gained=(what,))
    if after is None and before is not None:
        what = Text("wird nicht mehr gezeigt", "is no longer shown")
        return Change(role, collection, "gone", before, None, lost=(what,))
    if before is None or after is None:
        return None
    if (before.figures is None) != (after.figures is None) or before.layer != after.layer:
        what = Text("zeigt etwas anderes als bisher", "shows something else than before")
        return Change(role, collection, "changed", before, after, gained=(what,), lost=(what,))
    gained, lost = tuple(_more(before, after)), tuple(_less(before, after))
    told = tuple(_told(before, after))
    change = Change(role, collection, "changed", before, after, gained, lost, told)
    return change if gained or lost or told or change.rows_differ else None


def _shown(grant: Grant) -> Text:
    if grant.figures is not None:
        described = describe_figures(grant.figures)
        return Text(f"als Zahlen: {described}", f"as figures: {described}")
    names = ", ".join(f"{name} {describe_mask(mask)}" for name, mask in grant.attributes.items())
    return Text(f"Geometrie {describe_mask(grant.geometry)}, {names or 'keine Attribute'}",
                f"geometry {describe_mask(grant.geometry)}, {names or 'no attributes'}")  # fmt: skip


def _more(before: Grant, after: Grant) -> Iterator[Text]:
    """What `after` shows that cannot be computed from `before`."""
    if before.figures != after.figures and after.figures is not None:
        described = describe_figures(after.figures)
        yield Text(f"andere Zahlen: {described}", f"other figures: {described}")
    if not before.geometry.shows_at_least(after.geometry):
        yield _masks("Geometrie", "geometry", before.geometry, after.geometry, Text("genauer", "more exact"))
    for name, mask in after.attributes.items():
        earlier = before.attributes.get(name)
        if earlier is None:
            yield Text(f"Attribut {quoted(name)} ({describe_mask(mask)})", f"attribute {quoted(name)} ({describe_mask(mask)})")
        elif not earlier.shows_at_least(mask):
            yield _masks(quoted(name), quoted(name), earlier, mask, Text("genauer", "more exact"))
    if before.release is not None and (after.release is None or after.release.until > before.release.until):
        until = after.release.until.isoformat() if after.release else "–"
        yield Text(
            f"länger gezeigt: bis {until} statt {before.release.until}", f"shown longer: until {until} instead of {before.release.until}"
        )


def _less(before: Grant, after: Grant) -> Iterator[Text]:
    """What `before` shows that cannot be computed from `after`."""
    if before.figures != after.figures and before.figures is not None:
        described = describe_figures(before.figures)
        yield Text(f"nicht mehr: {described}", f"no longer: {described}")
    if not after.geometry.shows_at_least(before.geometry):
        yield _masks("Geometrie", "geometry", before.geometry, after.geometry, Text("gröber", "coarser"))
    for name, mask in before.attributes.items():
        later = after.attributes.get(name)
        if later is None:
            yield Text(f"Attribut {quoted(name)}", f"attribute {quoted(name)}")
        elif not later.shows_at_least(mask):
            yield _masks(quoted(name), quoted(name), mask, later, Text("gröber", "coarser"))
    if after.release is not None and (before.release is None or after.release.until < before.release.until):
        yield Text(f"nur noch bis {after.release.until}", f"only until {after.release.until}")


def _told(before: Grant, after: Grant) -> Iterator[Text]:
    if (before.title, before.announce) != (after.title, after.announce):
        yield Text("Titel oder Hinweis", "title or announcement")
    if before.release is not None and after.release is not None and before.release.reason != after.release.reason:
        yield Text(f"Begründung: {after.release.reason}", f"reason: {after.release.reason}")


def _masks(de: str, en: str, before: GeometryMask | ValueMask, after: GeometryMask | ValueMask, how: Text) -> Text:
    way = f"{describe_mask(before)} → {describe_mask(after)}"
    return Text(f"{de} {how.de}: {way}", f"{en} {how.en}: {way}")
