"""Claims decided: proved, refuted by a row or two values, or left open, which counts as not proved.

Must never answer `proved` for want of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, Literal

from twin_api.policy.check import EXISTENCE, GEOMETRY
from twin_api.policy.containment import implies
from twin_api.policy.documents import Grant, Layer, Policies
from twin_api.policy.masks import Band, GeometryMask, Grid, Round, Truncate, ValueMask
from twin_api.policy.proof import solver
from twin_api.policy.proof.claim import FIGURES, Claim
from twin_api.policy.proof.variable import speech_of
from twin_api.policy.proof.witness import Case, Pair, Witness, place_pair, value_pair
from twin_api.policy.rule import Or, Rule

LIMIT_MS: Final = 2000  # for all questions about one layer
STEPS: Final = (Round, Band, Truncate, Grid)  # masks whose values are cells with edges

Result = Literal["proved", "same", "declared", "refuted", "open"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`able` are the grants that show the subject at least as exactly; `pair` is what another one does not tell apart."""

    claim: Claim
    result: Result
    milliseconds: float = 0.0
    able: tuple[Grant, ...] = ()
    witness: Witness | None = None
    pair: Pair | None = None

    @property
    def holds(self) -> bool:
        return self.result in ("proved", "same", "declared")


@dataclass(slots=True)
class Prover:
    """`thorough` puts every question to the solver; otherwise what the rules' structure proves already is not asked again."""

    policies: Policies
    thorough: bool = True
    _left: dict[str, float] = field(default_factory=dict)  # milliseconds, by layer
    _rows: dict[tuple[str, Rule, tuple[Rule, ...]], tuple[Result, Witness | None, Case | None]] = field(default_factory=dict)

    def decide(self, claim: Claim) -> Verdict:
        begin = perf_counter()
        if claim.is_same_grant:
            return Verdict(claim, "same", able=claim.uppers)
        if claim.subject == FIGURES:
            return Verdict(claim, "declared")
        try:
            able = tuple(upper for upper in claim.uppers if self._tells(upper, claim))
        except solver.Undecided:
            return Verdict(claim, "open", (perf_counter() - begin) * 1000)
        result, witness, case = self._contained(claim.lower.shown_rows, tuple(upper.shown_rows for upper in able), claim.lower.layer)
        layer = self.policies.layers[claim.lower.layer]
        if witness is not None and case is not None and claim.subject in layer.attributes:
            witness = case.with_value(witness, claim.subject)
        pair = None if result == "proved" else self._pair(claim, layer)
        if result != "proved" and claim.declared:
            result = "declared"
        return Verdict(claim, result, (perf_counter() - begin) * 1000, able, witness, pair)

    def same_rows(self, one: Grant, other: Grant) -> tuple[Result, Witness | None]:
        """Whether two grants over one layer are proved to show the same rows; else a row that only one of them shows, if one is found."""
        for a, b in ((one, other), (other, one)):
            result, witness, _ = self._contained(a.shown_rows, (b.shown_rows,), a.layer)
            if result != "proved":
                return result, witness
        return "proved", None

    def _contained(self, lower: Rule, uppers: tuple[Rule, ...], layer: str) -> tuple[Result, Witness | None, Case | None]:
        asked = (layer, lower, uppers)
        if asked not in self._rows:
            self._rows[asked] = self._asked(lower, uppers, self.policies.layers[layer])
        return self._rows[asked]

    def _asked(self, lower: Rule, uppers: tuple[Rule, ...], layer: Layer) -> tuple[Result, Witness | None, Case | None]:
        by_structure = implies(lower, Or(uppers))
        if by_structure and not (self.thorough and solver.is_installed()):
            return "proved", None, None
        if not solver.is_installed():
            return ("open" if uppers else "refuted"), None, None  # nobody tells it, whatever the rows
        speech = speech_of((lower, *uppers), {name: attribute.type for name, attribute in layer.attributes.items()})
        case = Case(lower, uppers, layer, self.policies.town.time_zone, speech)
        begin = perf_counter()
        try:
            found = solver.row_shown_by_first_only(lower, uppers, speech, self._time_left(layer.name))
        except solver.Undecided:
            return "open", None, None
        finally:
            self._spend(layer.name, begin)
        if found is None:
            return "proved", None, None
        witness = case.witness(found)
        return ("open" if witness is None else "refuted"), witness, case

    def _tells(self, upper: Grant, claim: Claim) -> bool:
        """Whether the upper grant, where it shows a row, tells at least as much about the subject."""
        if claim.subject == EXISTENCE:
            return True
        masks = _masks(upper, claim)
        if masks is None or not masks[0].shows_at_least(masks[1]):  # type: ignore[arg-type]  # both of one shelf
            return False
        return not (self.thorough and solver.is_installed()) or self._edge(masks, claim) is None

    def _edge(self, masks: tuple[GeometryMask | ValueMask, GeometryMask | ValueMask], claim: Claim) -> solver.Edge | None:
        """Where the lower mask begins a cell within one of the upper's; None as well for masks without edges. Raises `Undecided`."""
        upper, lower = masks
        if not (isinstance(upper, STEPS) and isinstance(lower, STEPS) and solver.is_installed()):
            return None
        layer = self.policies.layers[claim.lower.layer]
        type_ = layer.attributes[claim.subject].type if claim.subject in layer.attributes else GEOMETRY
        begin = perf_counter()
        try:
            return solver.edge_only_in_first(lower, upper, type_, self._time_left(layer.name))
        finally:
            self._spend(layer.name, begin)

    def _pair(self, claim: Claim, layer: Layer) -> Pair | None:
        """What the first upper grant that does not tell enough shows as one."""
        for upper in claim.uppers:
            masks = _masks(upper, claim) if claim.subject != EXISTENCE else None
            if masks is None or masks[0].shows_at_least(masks[1]):  # type: ignore[arg-type]
                continue
            try:
                edge = self._edge(masks, claim)
            except solver.Undecided:
                edge = None
            if claim.subject == GEOMETRY:
                return place_pair(masks[1], masks[0], edge)  # type: ignore[arg-type]
            return value_pair(masks[1], masks[0], layer.attributes[claim.subject].type, edge)  # type: ignore[arg-type]
        return None

    def _time_left(self, layer: str) -> int:
        return int(self._left.setdefault(layer, LIMIT_MS))

    def _spend(self, layer: str, begin: float) -> None:
        self._left[layer] = max(1.0, self._left[layer] - (perf_counter() - begin) * 1000)


def _masks(upper: Grant, claim: Claim) -> tuple[GeometryMask | ValueMask, GeometryMask | ValueMask] | None:
    """How the upper and the lower grant show the subject; None where the upper one does not."""
    if claim.subject == GEOMETRY:
        return upper.geometry, claim.lower.geometry
    mask = upper.attributes.get(claim.subject)
    return None if mask is None else (mask, claim.lower.attributes[claim.subject])


def prove(policies: Policies, claims: Sequence[Claim], *, thorough: bool = True) -> list[Verdict]:
    prover = Prover(policies, thorough)
    return [prover.decide(claim) for claim in claims]
