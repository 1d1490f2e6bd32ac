"""What runs out: releases that end, classifications that want their review, and releases that still wait for approval.

Must never look at a clock: the day is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from twin_api.policy.documents import Grant, Layer, Place, Policies, Role
from twin_api.policy.lint import own_grants
from twin_api.policy.places import Places
from twin_api.texts import Text

HORIZONS: Final = (7, 30, 60)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One day in the calendar. `who` are departments by their names for people; `roles` those whose twin changes then."""

    kind: Literal["release", "review"]
    subject: str  # collection, or layer
    day: date
    days_left: int  # negative: overdue
    place: Place
    who: tuple[str, ...]
    collections: tuple[str, ...]  # `kanalschaechte (council, administration)`
    then: Text

    @property
    def is_overdue(self) -> bool:
        return self.days_left < 0


def deadlines(policies: Policies, day: date, within_days: int = HORIZONS[-1]) -> list[Deadline]:
    """Everything overdue on `day` or due within so many days, the most urgent first. The day itself still counts as in time."""
    places = Places(policies.files)
    every = [_release(policies, grant, day, places) for grant in own_grants(policies) if grant.release is not None]
    every += [_review(policies, layer, day, places) for layer in policies.layers.values()]
    return sorted((due for due in every if due.days_left <= within_days), key=lambda due: (due.day, str(due.place)))


def waiting(policies: Policies) -> list[Grant]:
    """Grants that are not shown for want of an approval."""
    return [grant for grant in own_grants(policies) if grant.missing]


def horizon_of(deadline: Deadline, horizons: tuple[int, ...] = HORIZONS) -> int | None:
    """The shortest of the horizons it lies within; None where it is overdue."""
    return None if deadline.is_overdue else next((n for n in horizons if deadline.days_left <= n), deadline.days_left)


def _release(policies: Policies, grant: Grant, day: date, places: Places) -> Deadline:
    release = grant.release
    assert release is not None  # noqa: S101  # said to the type checker
    owner = policies.layers[grant.layer].owner
    showing = [role for role in policies.roles.values() if _is_first(grant, role)]
    after = release.until + timedelta(days=1)
    falling_back = [role.name for role in showing if grant.collection in role.open_on(after)]
    return Deadline(
        kind="release",
        subject=grant.collection,
        day=release.until,
        days_left=(release.until - day).days,
        place=places.in_grant(grant, "release", "until"),
        who=_titles(policies, (owner, *release.approve)),
        collections=(f"{grant.collection} ({', '.join(role.name for role in showing)})",),
        then=_after_release(tuple(role.name for role in showing if role.name not in falling_back), tuple(falling_back), grant),
    )


def _is_first(grant: Grant, role: Role) -> bool:
    """Whether the role has the grant, with none before it that is open as long: an own one hides the end of the included one."""
    grants = role.grants.get(grant.collection, ())
    if grant not in grants or grant.release is None:
        return False
    return not any(earlier.is_open_on(grant.release.until) for earlier in grants[: grants.index(grant)])


def _after_release(closing: tuple[str, ...], falling_back: tuple[str, ...], grant: Grant) -> Text:
    closed, less = ", ".join(closing), ", ".join(falling_back)
    parts = []
    if closing:
        parts.append(Text(f"die Collection verschwindet für {closed}", f"the collection disappears for {closed}"))
    if falling_back:
        parts.append(Text(f"{less} sieht von `{grant.collection}` nur noch, was ohne diese Freigabe bleibt",
                          f"{less} sees of `{grant.collection}` only what remains without this release"))  # fmt: skip
    return Text("; ".join(part.de for part in parts), "; ".join(part.en for part in parts))


def _review(policies: Policies, layer: Layer, day: date, places: Places) -> Deadline:
    shown: dict[str, list[str]] = {}
    for role in policies.roles.values():
        for collection, grants in role.grants.items():
            if any(grant.layer == layer.name for grant in grants):
                shown.setdefault(collection, []).append(role.name)
    return Deadline(
        kind="review",
        subject=layer.name,
        day=layer.review,
        days_left=(layer.review - day).days,
        place=places.at(layer.place.file, "classified", "review"),
        who=_titles(policies, (layer.owner, layer.classified_by)),
        collections=tuple(f"{collection} ({', '.join(roles)})" for collection, roles in shown.items()),
        then=Text(
            "nichts schließt sich von selbst; die Klassen sind zu bestätigen, dann `on` und `review` neu zu setzen",
            "nothing closes by itself; confirm the classes, then set `on` and `review` anew",
        ),
    )


def _titles(policies: Policies, departments: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(policies.town.departments[name] for name in departments))
