"""What is written to the two towns between requests: hidden things to one of them, visible things to both alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from random import Random
from typing import Final

from tests.noninterference.rows import CANARY, Drawer, districts, grants_of, look
from tests.noninterference.towns import LAYERS, Pair, Row, Side
from tests.towns import DAY
from twin_api.identity.subject import CITIZEN
from twin_api.policy.documents import Grant, Layer

PER_LAYER: Final = {"baeume": 36, "denkmale": 12, "sitzungen": 12, "kanalschaechte": 30, "leitungen": 10, "bauantraege": 8}


class Changes:
    """Writes to a pair for one role. All chance comes from `random`; what is hidden comes from the role's grants."""

    def __init__(self, pair: Pair, role: str, random: Random) -> None:
        self._pair = pair
        self._role = role
        self._random = random
        self._drawer = Drawer(random)
        self.withdrawn: list[str] = []  # ids that were visible once
        # as they are now: what is added to a layer later is filled when it is added
        self._layers: Mapping[str, Layer] = {name: pair.left.policies.layers[name] for name in PER_LAYER}

    def _looks(self, layer: str, row: Row) -> bool:
        return bool(look(self.grants, self._layers[layer], row))

    @property
    def grants(self) -> Mapping[str, Grant]:
        """What the role sees at its own address and at the citizens', which is everybody's."""
        policies = self._pair.left.policies
        citizens = {f"citizen {name}": grant for name, grant in grants_of(policies, CITIZEN, DAY).items()}
        return {**citizens, **grants_of(policies, self._role, DAY)}

    def fill(self, *, scattered: bool = True) -> None:
        """Both towns with the same rows, visible and hidden ones in turn, and figures of them; then each gets hidden things of its own."""
        for side in self._pair.sides:
            side.insert("ortsteile", districts())
        for layer, many in PER_LAYER.items():
            rows = [self._any(self._layers[layer], number % 2 == 0) for number in range(many)]
            for side in self._pair.sides:
                side.insert(layer, [dict(row) for row in rows])
        for side in self._pair.sides:
            side.refresh_figures()
        if scattered:
            self._scatter()

    def _any(self, layer: Layer, wants_visible: bool) -> Row:
        drawn = (self._drawer.visible_row if wants_visible else self._drawer.hidden_row)(layer, self.grants)
        return drawn or self._drawer.row(layer)

    def _scatter(self) -> None:
        for side, layer in product(self._pair.sides, PER_LAYER):
            for row in list(side.rows[layer].values()):
                if self._random.random() < 0.3:
                    side.update(layer, self._drawer.alike(self.grants, self._layers[layer], row))
            self.add_hidden(side, layer)
        for layer in PER_LAYER:
            self.delete_visible(layer)

    # -- one town alone: the role must notice nothing

    def add_hidden(self, side: Side, layer: str) -> None:
        for _ in range(self._random.randrange(1, 4)):
            if row := self._drawer.hidden_row(self._layers[layer], self.grants):
                side.insert(layer, [row])

    def change_hidden(self, side: Side, layer: str) -> None:
        rows = list(side.rows[layer].values())
        for row in self._random.sample(rows, min(len(rows), self._random.choice([1, 1, 3]))):
            side.update(layer, self._drawer.alike(self.grants, self._layers[layer], row))

    def delete_hidden(self, side: Side, layer: str) -> None:
        hidden = [row for row in side.rows[layer].values() if not self._looks(layer, row)]
        for row in self._random.sample(hidden, min(len(hidden) // 4, 2)):
            side.delete(layer, row["id"])

    def rewrite(self, side: Side, layer: str) -> None:
        """The same values once more, so that rows move about on disk."""
        column = next(iter(self._layers[layer].attributes))
        side.run("writer", f"UPDATE store.{layer} SET {column} = {column}")

    def vacuum(self, side: Side, layer: str) -> None:
        side.run("owner", f"VACUUM {self._random.choice(['', '(FULL) ', '(ANALYZE) '])}store.{layer}")

    def reorder(self, side: Side, layer: str) -> None:
        """What is published to the role, in another order on disk."""
        relation = side.relation(self._role, self._random.choice(list(grants_of(side.policies, self._role, DAY))))
        side.run("owner", f"CLUSTER published.{relation} USING {relation}_{self._random.choice(['place', 'pkey'])}")

    def rename_district(self, side: Side, layer: str) -> None:
        row = self._random.choice(list(side.rows["ortsteile"].values()))
        side.update("ortsteile", {**row, "kurzzeichen": f"{CANARY}-kurz-{self._random.randrange(10**9)}"})

    # -- both alike: what the role may see changes

    def add_visible(self, layer: str) -> None:
        if row := self._drawer.visible_row(self._layers[layer], self.grants):
            self._put(layer, row)

    def change_visible(self, layer: str) -> None:
        """A visible row shows something else, or is hidden from now on; a hidden one is shown."""
        common = [id for id in self._pair.left.rows[layer] if id in self._pair.right.rows[layer]]
        if not common:
            return
        id = self._random.choice(common)
        was_visible = self._looks(layer, self._pair.left.rows[layer][id])
        row = self._any(self._layers[layer], self._random.random() < 0.6)
        if was_visible and not self._looks(layer, row):
            self.withdrawn.append(str(id))
        self._put(layer, {**row, "id": id})

    def delete_visible(self, layer: str) -> None:
        visible = [row for row in self._pair.left.rows[layer].values() if self._looks(layer, row)]
        if len(visible) > 4:
            id = self._random.choice(visible)["id"]
            self.withdrawn.append(str(id))
            for side in self._pair.sides:
                side.delete(layer, id)

    def count_inhabitants(self, layer: str) -> None:
        name, many = self._random.choice(list(self._pair.left.rows["ortsteile"].values()))["name"], self._random.randrange(100, 900)
        for side in self._pair.sides:
            row = next(row for row in side.rows["ortsteile"].values() if row["name"] == name)
            side.update("ortsteile", {**row, "einwohner": many})

    def _put(self, layer: str, row: Row) -> None:
        for side, its_row in zip(self._pair.sides, (row, self._drawer.alike(self.grants, self._layers[layer], row)), strict=True):
            if row["id"] in side.rows[layer]:
                side.update(layer, its_row)
            else:
                side.insert(layer, [its_row])

    def differ(self) -> list[str]:
        """Rows that look different to the role: then it was not the program that failed but the change."""
        return [
            f"{layer}/{id}"
            for layer in PER_LAYER
            for id in self._pair.left.rows[layer].keys() | self._pair.right.rows[layer].keys()
            if self._seen(self._pair.left, layer, id) != self._seen(self._pair.right, layer, id)
        ]

    def _seen(self, side: Side, layer: str, id: object) -> object:
        row = side.rows[layer].get(id)  # type: ignore[call-overload]
        return look(self.grants, self._layers[layer], row) if row is not None else ()


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
    Changes.rename_district,
)
ALIKE: Final[tuple[Alike, ...]] = (
    Changes.add_visible,
    Changes.add_visible,
    Changes.change_visible,
    Changes.change_visible,
    Changes.delete_visible,
    Changes.count_inhabitants,
)
assert set(PER_LAYER) < set(LAYERS)
