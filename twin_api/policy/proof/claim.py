"""What has to hold between two roles, grant by grant: whatever the lower one is told of a row, the upper one is told too.

Must never leave a pair out: what no claim speaks of is not proved, and nobody would notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twin_api.policy.check import EXISTENCE, GEOMETRY
from twin_api.policy.documents import Grant, Layer, Policies, Role
from twin_api.policy.lint import ANSWERED
from twin_api.policy.places import Places
from twin_api.policy.role import CITIZEN

COUNCIL: Final = "council"
ADMINISTRATION: Final = "administration"
FIGURES: Final = "figures"


@dataclass(frozen=True, slots=True)
class Claim:
    """What `lower` tells `lower_role` about `subject` (`existence`: that the row is there; `geometry`; an attribute), one of `uppers`
    tells `upper_role` about it. `declared`: an exception stands in the files, so that it may fail.
    """

    lower_role: str
    upper_role: str
    lower: Grant
    uppers: tuple[Grant, ...]
    subject: str
    declared: bool = False

    @property
    def is_same_grant(self) -> bool:
        """Included and not replaced: nothing to prove."""
        return self.uppers == (self.lower,)


def claims(policies: Policies) -> Iterator[Claim]:
    yield from citizen_claims(policies)
    yield from council_claims(policies)


def citizen_claims(policies: Policies) -> Iterator[Claim]:
    """The citizens in every other role: in each collection, so that it is enough to look at the grant that stands in for theirs."""
    for collection, (lower, *_) in policies.roles[CITIZEN].grants.items():
        for role in policies.roles.values():
            stand_in = role.grants.get(collection, ())[:1]
            if role.name != CITIZEN and all(upper.layer == lower.layer for upper in stand_in):
                yield from _about(Claim(CITIZEN, role.name, lower, stand_in, EXISTENCE), policies.layers[lower.layer])


def council_claims(policies: Policies) -> Iterator[Claim]:
    """The council and its committees in the whole administration: over each layer, in whatever collections it sees that."""
    places = Places(policies.files)
    administration = policies.roles.get(ADMINISTRATION)
    for role in policies.roles.values():
        for grants in role.grants.values() if administration and role.name.partition("/")[0] == COUNCIL else ():
            if administration and grants[0].file_role == role.name:
                layer = policies.layers[grants[0].layer]
                first = Claim(role.name, ADMINISTRATION, grants[0], _lasting(administration, layer), EXISTENCE)
                is_answered = ANSWERED.search(places.line(grants[0].place)) is not None
                for claim in _about(first, layer):
                    yield _of(claim, claim.subject, declared=claim.declared or is_answered or _is_excepted(claim, layer, policies))


def _about(claim: Claim, layer: Layer) -> Iterator[Claim]:
    """One claim for each thing that the lower grant tells."""
    if claim.is_same_grant:
        yield claim
        return
    if claim.lower.figures is not None:
        yield _of(claim, FIGURES, declared=True)
        return
    yield claim
    if layer.geometry is not None and claim.lower.geometry.word != "hide":
        yield _of(claim, GEOMETRY)
    for name in claim.lower.attributes:
        yield _of(claim, name)


def _of(claim: Claim, subject: str, *, declared: bool = False) -> Claim:
    return Claim(claim.lower_role, claim.upper_role, claim.lower, claim.uppers, subject, declared)


def _is_excepted(claim: Claim, layer: Layer, policies: Policies) -> bool:
    """A release is a declared exception; so is a class that key 1 keeps from the administration as a whole."""
    if claim.lower.release is not None:
        return True
    geometry = layer.geometry.class_ if layer.geometry else layer.existence
    class_ = {EXISTENCE: layer.existence, GEOMETRY: geometry}.get(claim.subject) or layer.attributes[claim.subject].class_
    return not policies.town.classes[class_].is_seen_by(ADMINISTRATION)


def _lasting(role: Role, layer: Layer) -> tuple[Grant, ...]:
    """The grants of items over the layer that are in force for good: one with a release may end before what it is compared with."""
    lasting = (next((grant for grant in grants if grant.release is None), None) for grants in role.grants.values())
    return tuple(grant for grant in lasting if grant is not None and grant.layer == layer.name and grant.figures is None)
