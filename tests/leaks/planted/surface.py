"""Leaks of what is answered: documents, parameters, cursors, pages and texts that name what the role does not see."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.leaks import walk
from tests.leaks.planted.plant import Patch, Planted, patched, view
from tests.towns import Town
from twin_api import problems
from twin_api.block import Block, Route
from twin_api.blocks import features
from twin_api.encodings import html, item_links, openapi
from twin_api.query import order, window
from twin_api.query.cql2 import binding
from twin_api.store import twin as twin_module
from twin_api.store.collection import About, Collection, Property
from twin_api.texts import Text


def _hidden_filter(town: Town, patch: Patch) -> None:
    view("citizen", "baeume", vermerk="(SELECT s.vermerk FROM store.baeume s WHERE s.id = t.id)")(town, patch)
    known = Collection.property
    hidden = Property("vermerk", "text", Text("Vermerk"))
    patch.setattr(Collection, "property", lambda self, name: hidden if name == "vermerk" else known(self, name))


def _hinted(patch: Patch) -> None:
    patch.setattr(window, "PARAMETERS", (*window.PARAMETERS, "vermerk", "antragsteller"))


def _hinted_in_filters(patch: Patch) -> None:
    told = binding.hint
    patch.setattr(binding, "hint", lambda name, known: told(name, [*known, "vermerk", "antragsteller"]))


def _read_by_the_database(patch: Patch) -> None:
    patch.setattr(window, "read_value", lambda parameter, type_, text: text)


def _related(patch: Patch) -> None:
    told = item_links._collection_link

    def link(where: item_links.Where) -> Any:
        made = told(where)
        return replace(made, href=made.href.replace("/citizen/collections/baeume", "/administration/collections/kanalschaechte"))

    patch.setattr(item_links, "_collection_link", link)
    for pattern in ("_page_pattern", "_item_pattern"):  # which are kept
        patch.setattr(item_links, pattern, getattr(item_links, pattern).__wrapped__)


def _parameter(hidden: dict[str, Any]) -> Callable[[Patch], None]:
    def plant(patch: Patch) -> None:
        told = openapi.item_parameters
        patch.setattr(openapi, "item_parameters", lambda *asked: [*told(*asked), {"in": "query", "required": False, **hidden}])

    return plant


def _described(patch: Patch) -> None:
    told = openapi.feature
    patch.setattr(openapi, "feature", lambda properties: told(properties | {"geprueft": {"type": "string"}}))


def _hidden_path(patch: Patch) -> None:
    told = openapi.document

    def document(*asked: Any, **more: Any) -> Any:
        made = told(*asked, **more)
        first = next(operations for path, operations in made["paths"].items() if path.endswith("/items"))
        return made | {"paths": {**made["paths"], "/collections/kanalschaechte/items": first}}

    patch.setattr(openapi, "document", document)


def _telling_cursor(patch: Patch) -> None:
    read = window._place
    patch.setattr(
        features, "cursor", lambda key: urlsafe_b64encode(key.id.bytes + key.place.encode() + b"CANARY-baum-41").decode().rstrip("=")
    )
    patch.setattr(window, "_place", lambda raw: read(raw.partition(b"CANARY")[0]))


def _hidden_order(patch: Patch) -> None:
    known = order.read_names
    hidden = Property("vermerk", "text", Text("Vermerk"))
    patch.setattr(order, "read_names", lambda name, words, collection: [hidden] if words == ["vermerk"] else known(name, words, collection))


def _telling_export(patch: Patch) -> None:
    told = {
        media: replace(form, write=lambda *asked, form=form: form.write(*asked) + b"CANARY-baum-41")
        for media, form in features.WRITTEN.items()
    }
    patch.setattr(features, "WRITTEN", told)


def _new_route(patch: Patch) -> None:
    room = Block("new", (Route("/new/{thing}", features.get_items, lambda collections: {}),))
    patch.setattr(walk, "BLOCKS", (*walk.BLOCKS, room))


def _estimated(patch: Patch) -> None:
    told = twin_module._matched
    patch.setattr(twin_module, "_matched", lambda count, matched: told(count + 18, matched))  # as the planner knows the store's table


def _hidden_heading(patch: Patch) -> None:
    told = html.items

    def items(*asked: Any) -> Any:
        answer = told(*asked)
        return replace(answer, body=answer.body.replace(b"</table>", b"<!-- vermerk --></table>"))

    patch.setattr(html, "items", items)


def _helpful(patch: Patch) -> None:
    meant = problems.NotFound(Text("Gemeint ist vielleicht kanalschaechte", "perhaps kanalschaechte is meant"))

    def find(self: twin_module.Twin, name: str) -> Collection:
        if name in self._known:
            return self._known[name]
        raise meant

    patch.setattr(twin_module.Twin, "_find", find)


def _announced(patch: Patch) -> None:
    async def about(self: twin_module.Twin) -> About:
        return About("Kanaria", {}, (Text("24 Kanalschächte werden nicht gezeigt", "24 manholes are not shown"),))

    patch.setattr(twin_module.Twin, "about", about)


def _wider_box(patch: Patch) -> None:
    told = twin_module._as_collection
    patch.setattr(twin_module, "_as_collection", lambda *row: replace(told(*row), bbox=(10.6, 49.1, 12.2, 50.1)))


def _served(name: str, channel: int, proofs: tuple[str, ...], plant: Callable[[Patch], None]) -> Planted:
    return Planted(name, channel, proofs, after=patched(plant), served=True)


PLANTED: Final = (
    Planted("hidden attribute taken as a filter", 8, ("answers", "absent"), after=_hidden_filter),
    _served("hidden attribute to sort by", 10, ("absent",), _hidden_order),
    _served("hidden value in an exported page", 41, ("answers",), _telling_export),
    _served("values read by the database", 9, ("answers",), _read_by_the_database),
    _served("hidden names offered as a hint", 33, ("answers",), _hinted),
    _served("hidden names offered as a hint in filters", 8, ("answers",), _hinted_in_filters),
    _served("hidden attribute in the OpenAPI document", 2, ("answers",), _parameter({"name": "geprueft", "schema": {"type": "string"}})),
    _served(
        "hidden values listed in the OpenAPI document",
        2,
        ("answers",),
        _parameter({"name": "art", "schema": {"type": "string", "enum": ["Linde", "CANARY-art-41"]}}),
    ),
    _served("hidden property in the shape of an item", 2, ("answers",), _described),
    _served("hidden collection in the OpenAPI document", 2, ("answers",), _hidden_path),
    _served("hidden value in a cursor", 5, ("answers",), _telling_cursor),
    _served("a link to what others see", 28, ("answers",), _related),
    _served("a new route that nobody walks", 2, ("answers",), _new_route),
    _served("count as the planner estimates it", 3, ("answers",), _estimated),
    _served("hidden heading in a page", 52, ("answers",), _hidden_heading),
    _served("a problem suggests what is hidden", 33, ("answers",), _helpful),
    _served("what is withheld is named and counted", 1, ("answers",), _announced),
    _served("extent of all rows", 4, ("answers",), _wider_box),
)
