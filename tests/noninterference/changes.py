"""What is written to the two towns between requests: hidden things to one of them, visible things to both alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from random import Random
from typing import Final
from uuid import UUID

from tests.noninterference.likeness import Likeness
from tests.noninterference.rows import AREAS, CANARY, SIDE_M, Drawer, Sight, areas, borders, grants_of
from tests.noninterference.towns import LAYERS, Pair, Row, Side, figures_of
from tests.towns import DAY
from twin_api.identity.subject import CITIZEN
from twin_api.policy.documents import Grant, Layer
from twin_api.policy.evaluate import GEOMETRY

PER_LAYER: Final = {"baeume": 36, "denkmale": 12, "sitzungen": 12, "kanalschaechte": 30, "leitungen": 10, "bauantraege": 8}
COUNTED_ANEW: Final = 6  # rows that are others when figures are taken anew


class Changes:
    """Writes to a pair for one role. All chance comes from `random`; what is hidden comes from the role's grants."""

    def __init__(self, pair: Pair, role: str, random: Random) -> None:
        self._pair = pair
        self._role = role
        self._random = random
        self._drawer = Drawer(random)
        self.withdrawn: list[str] = []  # ids that were visible once
        # as they are now: what is added to a layer later is filled when it is added
        self._layers: Mapping[str, Layer] = {name: pair.left.policies.layers[name] for name in LAYERS}
        self._likeness = Likeness(pair.sides, self._layers)

    @property
    def _sight(self) -> Sight:
        """In both towns: of the areas they differ in, the role sees nothing."""
        return Sight(self.grants, self._pair.left.world)

    def _looks(self, layer: str, row: Row) -> bool:
        """Whether the role would see the row if it were not withdrawn."""
        return bool(self._sight.of(self._layers[layer], row))

    @property
    def grants(self) -> Mapping[str, Grant]:
        """What the role sees at its own address and at the citizens', which is everybody's."""
        policies = self._pair.left.policies
        citizens = {f"citizen {name}": grant for name, grant in grants_of(policies, CITIZEN, DAY).items()}
        return {**citizens, **grants_of(policies, self._role, DAY)}

    def fill(self, *, scattered: bool = True) -> None:
        """Both towns with the same rows, visible and hidden ones in turn, and figures of them; then each gets hidden things of its own."""
        for side, (layer, rows) in product(self._pair.sides, areas().items()):
            side.insert(layer, rows)
        for layer, many in PER_LAYER.items():
            rows = [self._any(self._layers[layer], number % 2 == 0) for number in range(many)]
            for side in self._pair.sides:
                side.insert(layer, [dict(row) for row in rows])
        for side in self._pair.sides:
            side.refresh_figures()
        if scattered:
            self._scatter()

    def _any(self, layer: Layer, wants_visible: bool) -> Row:
        drawn = (self._drawer.visible_row if wants_visible else self._drawer.hidden_row)(layer, self._sight)
        return drawn or self._drawer.row(layer)

    def _alike(self, layer: str, row: Row) -> Row:
        return self._drawer.alike(self._sight, self._layers[layer], row)

    def _scatter(self) -> None:
        for side, layer in product(self._pair.sides, PER_LAYER):
            for row in list(side.rows[layer].values()):
                if self._random.random() < 0.3:
                    side.update(layer, self._alike(layer, row))
            self.add_hidden(side, layer)
        for layer in PER_LAYER:
            self.delete_visible(layer)

    # -- one town alone: the role must notice nothing

    def add_hidden(self, side: Side, layer: str) -> None:
        for _ in range(self._random.randrange(1, 4)):
            if row := self._drawer.hidden_row(self._layers[layer], self._sight):
                side.insert(layer, [row])

    def change_hidden(self, side: Side, layer: str) -> None:
        rows = list(side.rows[layer].values())
        for row in self._random.sample(rows, min(len(rows), self._random.choice([1, 1, 3]))):
            side.update(layer, self._alike(layer, row))

    def _hidden(self, side: Side, layer: str) -> list[Row]:
        sight, told = self._sight, self._layers[layer]
        return [row for row in side.rows[layer].values() if not sight.of(told, row)]

    def delete_hidden(self, side: Side, layer: str) -> None:
        hidden = self._hidden(side, layer)
        for row in self._random.sample(hidden, min(len(hidden) // 4, 2)):
            side.delete(layer, row["id"])

    def rewrite(self, side: Side, layer: str) -> None:
        """The same values once more, so that rows move about on disk."""
        column = next(iter(self._layers[layer].attributes))
        side.run("writer", f"UPDATE store.{layer} SET {column} = {column}")

    def vacuum(self, side: Side, layer: str) -> None:
        side.run("owner", f"VACUUM {self._random.choice(['', '(FULL) ', '(ANALYZE) '])}store.{layer}")

    def reorder(self, side: Side, layer: str) -> None:
        """All that is published to the role, in another order on disk."""
        for relation in side.relations(self._role):
            side.run("owner", f"CLUSTER published.{relation} USING {relation}_{self._random.choice(['place', 'pkey'])}")

    def withdraw_hidden(self, side: Side, layer: str) -> None:
        if ids := [row["id"] for row in self._hidden(side, layer) if row["id"] not in side.withdrawn]:
            side.withdraw(layer, self._random.choice(ids))

    def lift_hidden(self, side: Side, layer: str) -> None:
        if ids := [row["id"] for row in self._hidden(side, layer) if row["id"] in side.withdrawn]:
            side.lift(layer, self._random.choice(ids))

    def move_hidden_borders(self, side: Side, layer: str) -> None:
        for sorting in sorted(AREAS.keys() - self._sight.areas):
            self._move(side, sorting, self._crossing())

    def rename_district(self, side: Side, layer: str) -> None:
        row = self._random.choice(list(side.rows["ortsteile"].values()))
        side.update("ortsteile", {**row, "kurzzeichen": f"{CANARY}-kurz-{self._random.randrange(10**9)}"})

    def withdraw_hidden_area(self, side: Side, layer: str) -> None:
        """Or lift one: of areas that the role is not shown. Places go on to be sorted by those that are withdrawn."""
        for sorting in sorted(AREAS.keys() - self._sight.shown_areas):
            self._withdraw_or_lift([side], sorting)

    def _withdraw_or_lift(self, sides: Sequence[Side], sorting: str) -> UUID:
        """An area, chosen by what stands in the first town; half of them are left at least."""
        first = sides[0]
        gone = [id for id in sorted(first.rows[sorting]) if id in first.withdrawn]
        id = self._random.choice(gone if 2 * len(gone) >= len(first.rows[sorting]) else sorted(first.rows[sorting]))
        for side in sides:
            (side.lift if id in side.withdrawn else side.withdraw)(sorting, id)
        return id

    # -- both alike: what the role may see changes

    def add_visible(self, layer: str) -> None:
        if row := self._drawer.visible_row(self._layers[layer], self._sight):
            self._put(layer, row)

    def change_visible(self, layer: str) -> None:
        """A visible row shows something else, or is hidden from now on; a hidden one is shown."""
        left, right = self._pair.sides
        common = [id for id in left.rows[layer] if id in right.rows[layer] and (id in left.withdrawn) == (id in right.withdrawn)]
        if not common:
            return
        id = self._random.choice(common)
        was_visible = self._looks(layer, left.rows[layer][id])
        row = self._any(self._layers[layer], self._random.random() < 0.6)
        if was_visible and not self._looks(layer, row):
            self.withdrawn.append(str(id))
        self._put(layer, {**row, "id": id})

    def _visible(self, layer: str) -> list[UUID]:
        left, sight, told = self._pair.left, self._sight, self._layers[layer]
        return [id for id, row in left.rows[layer].items() if id not in left.withdrawn and sight.of(told, row)]

    def delete_visible(self, layer: str) -> None:
        visible = self._visible(layer)
        if len(visible) > 4:
            id = self._random.choice(visible)
            self.withdrawn.append(str(id))
            for side in self._pair.sides:
                side.delete(layer, id)

    def withdraw_visible(self, layer: str) -> None:
        visible = self._visible(layer)
        if len(visible) > 4:
            id = self._random.choice(visible)
            self.withdrawn.append(str(id))
            for side in self._pair.sides:
                side.withdraw(layer, id)

    def lift_visible(self, layer: str) -> None:
        left, right = self._pair.sides
        if ids := [id for id in left.withdrawn if left.withdrawn[id] == layer and id in right.withdrawn and id in left.rows[layer]]:
            id = self._random.choice(ids)
            for side in self._pair.sides:
                side.lift(layer, id)

    def withdraw_visible_area(self, layer: str) -> None:
        """Or lift one: it is gone as an item at once, as a group of figures when they are taken anew."""
        for sorting in sorted(self._sight.shown_areas):
            self.withdrawn.append(str(self._withdraw_or_lift(self._pair.sides, sorting)))

    def move_visible_borders(self, layer: str) -> None:
        """What is sorted by the areas is another thing now; where the towns differ in that, the right one becomes as the left."""
        crossing = self._crossing()
        for side, sorting in product(self._pair.sides, sorted(self._sight.areas)):
            self._move(side, sorting, crossing)
        sight = self._sight
        for each in PER_LAYER:
            self._level(each, partial(sight.of, self._layers[each]))

    def change_figures(self, layer: str) -> None:
        """What is counted becomes alike in both towns and another than before, and is counted anew: figures move, on their day."""
        collections = {collection for _, collection in figures_of(self._pair.left.policies)}
        for counted in sorted({grant.layer for name, grant in self.grants.items() if name in collections}):
            self._level(counted, lambda row: sorted(row.items(), key=str))
            ids = sorted(self._pair.left.rows[counted])
            for id in self._random.sample(ids, min(len(ids), COUNTED_ANEW)):
                row = self._any(self._layers[counted], self._random.random() < 0.5)
                for side in self._pair.sides:
                    side.update(counted, {**row, "id": id})
        for side in self._pair.sides:
            side.refresh_figures()

    def count_inhabitants(self, layer: str) -> None:
        name, many = self._random.choice(list(self._pair.left.rows["ortsteile"].values()))["name"], self._random.randrange(100, 900)
        for side in self._pair.sides:
            row = next(row for row in side.rows["ortsteile"].values() if row["name"] == name)
            side.update("ortsteile", {**row, "einwohner": many})

    def _put(self, layer: str, row: Row) -> None:
        for side, its_row in zip(self._pair.sides, (row, self._alike(layer, row)), strict=True):
            self._store(side, layer, its_row)

    def _store(self, side: Side, layer: str, row: Row) -> None:
        if row["id"] in side.rows[layer]:
            side.update(layer, row)
        else:
            side.insert(layer, [row])

    def _crossing(self) -> tuple[float, float]:
        """Where borders meet from now on."""
        return self._random.uniform(0.2, 1.8) * SIDE_M, self._random.uniform(0.2, 1.8) * SIDE_M

    def _move(self, side: Side, sorting: str, crossing: tuple[float, float]) -> None:
        moved = borders(*crossing)[sorting]
        for row in list(side.rows[sorting].values()):
            side.update(sorting, {**row, GEOMETRY: moved[row["name"]]})

    def _level(self, layer: str, told: Callable[[Row], object]) -> None:
        """The right town's rows become the left one's where `told` tells them apart; what is withdrawn in one and is told, in both."""
        left, right = self._pair.sides
        for id in sorted(left.rows[layer].keys() | right.rows[layer].keys()):
            here, there = left.rows[layer].get(id), right.rows[layer].get(id)
            if (told(here) if here else ()) == (told(there) if there else ()):
                continue
            if here is None:
                right.delete(layer, id)
            else:
                self._store(right, layer, here)
        for id in sorted(left.withdrawn.keys() ^ right.withdrawn.keys()):
            if (row := left.rows[layer].get(id)) and told(row):
                (right if id in left.withdrawn else left).withdraw(layer, id)

    def differ(self) -> list[str]:
        """Rows that look different to the role: then it was not the program that failed but the change."""
        return self._likeness.differ(self.grants)


Alone = Callable[[Changes, Side, str], None]
Alike = Callable[[Changes, str], None]
ALONE: Final[tuple[Alone, ...]] = (
    Changes.add_hidden,
    Changes.add_hidden,
    Changes.change_hidden,
    Changes.change_hidden,
    Changes.delete_hidden,
    Changes.rewrite,
    Changes.vacuum,
    Changes.reorder,
    Changes.withdraw_hidden,
    Changes.lift_hidden,
    Changes.move_hidden_borders,
    Changes.withdraw_hidden_area,
    Changes.rename_district,
)
ALIKE: Final[tuple[Alike, ...]] = (
    Changes.add_visible,
    Changes.add_visible,
    Changes.change_visible,
    Changes.change_visible,
    Changes.delete_visible,
    Changes.withdraw_visible,
    Changes.lift_visible,
    Changes.withdraw_visible_area,
    Changes.move_visible_borders,
    Changes.change_figures,
    Changes.count_inhabitants,
)
assert set(PER_LAYER) < set(LAYERS)
