"""Proof 4: what is hidden answers byte for byte like what never was: ids, collections, attributes, and parts before one is let in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import cycle, islice, product
from typing import Final

import httpx

from tests.leaks.seen import Seen
from tests.leaks.walk import NO_ID
from tests.towns import DAY, Town
from twin_api.main import BLOCKS
from twin_api.publish.withdraw import withdraw
from twin_api.query.window import PARAMETERS

_LETTERS: Final = "qxzwvk"
_QUERIES: Final = (
    "",
    "?f=json",
    "?f=html",
    "?f=xml",
    "?limit=0",
    "?limit=5",
    "?bbox=1,2",
    "?bbox=11,49,12,50",
    "?datetime=x",
    "?nonsense=1",
    "?cursor=!",
)
# each pair is asked in one of them: there are many pairs of each kind
_FORMS: Final = cycle(({}, {"Accept-Language": "en"}, {"Accept-Language": "en", "Accept": "text/html,*/*;q=0.8"}))
_METHODS: Final = ("GET", "HEAD", "POST", "DELETE")
_MOSTLY_READ: Final = cycle((*["GET"] * 7, "HEAD", "OPTIONS"))


def find_presence(town: Town, roles: list[str] | None = None, at_most: int | None = None) -> list[str]:
    """Pairs of requests, hidden and never there, whose answers differ; the search ends with `at_most`."""
    return list(islice(_presence(town, Seen(town), roles), at_most))


def _presence(town: Town, seen: Seen, roles: list[str] | None) -> Iterator[str]:
    for role in roles or seen.roles:
        client = town.client(*(() if role == "citizen" else (role,)))
        for hidden, absent in (*_ids(seen, role), *_collections(seen, role)):
            yield from _differences(client, f"/{role}{hidden}", f"/{role}{absent}", (next(_MOSTLY_READ),))
        for hidden, absent in _attributes(seen, role):  # what another method makes of a query, it makes of every one
            yield from _differences(client, f"/{role}{hidden}", f"/{role}{absent}")
    yield from _parts(town, seen)


def _differences(client: httpx.Client, hidden: str, absent: str, methods: Sequence[str] = ("GET",)) -> list[str]:
    form = next(_FORMS)
    pairs = [(client.request(method, hidden, headers=form), client.request(method, absent, headers=form)) for method in methods]
    return [
        f"{one.request.method} {hidden} answers {one.status_code} {one.content[:80]!r}, {absent} answers {other.status_code} {other.content[:80]!r}"
        for one, other in pairs
        if _plain(one, hidden, absent) != _plain(other, absent, absent)
    ]


def _plain(response: httpx.Response, own: str, common: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body, with the client's own words replaced by those of the other request, which are as long."""
    body = response.content
    for said, instead in zip(re.split(r"[/?&=]", own), re.split(r"[/?&=]", common), strict=True):
        if said != instead:  # but not the members of a problem, of which one is called `status`
            body = re.sub(re.escape(said.encode()) + rb'(?!":)', instead.encode(), body)
    dull = (b"date", b"x-request-id", b"etag") if response.status_code == 200 and body != response.content else (b"date", b"x-request-id")
    return response.status_code, [(name, value) for name, value in response.headers.raw if name.lower() not in dull], body


def _ids(seen: Seen, role: str) -> Iterator[tuple[str, str]]:
    shown = {item.row.id for _, item in seen.all_items(role)}
    for layer, rows in seen.rows.items():
        hidden = [row for row in rows if row.id not in shown][:3]
        for row, collection, query in product(hidden, {layer, *seen.grants(role)}, _QUERIES[:4]):
            yield f"/collections/{collection}/items/{row.id}{query}", f"/collections/{collection}/items/{NO_ID}{query}"


def _collections(seen: Seen, role: str) -> Iterator[tuple[str, str]]:
    for name in seen.policies.layers.keys() - seen.grants(role).keys():
        yield from routes_of(name, next(str(row.id) for row in seen.rows[name]))


def routes_of(name: str, id: str) -> Iterator[tuple[str, str]]:
    """Every route of a collection beside the same route of one that never was, its name as long."""
    made_up = (_LETTERS * 10)[: len(name)]
    for route, query in product((route.path for block in BLOCKS for route in block.routes if "{collection}" in route.path), _QUERIES):
        path = route.replace("{id}", id) + query
        yield path.replace("{collection}", name), path.replace("{collection}", made_up)


def _attributes(seen: Seen, role: str) -> Iterator[tuple[str, str]]:
    """Hidden attributes as parameters; whatever an error suggests instead may depend on visible names alone."""
    for collection, grant in seen.grants(role).items():
        known = [*PARAMETERS, *grant.attributes]
        every = {name for layer in seen.policies.layers.values() for name in layer.attributes} - grant.attributes.keys()
        for name in sorted(every):
            values = ("1", "CANARY-x", "", *(str(row.values[name]) for row in seen.rows[grant.layer][:1] if name in row.values))
            for value in values:
                value = httpx.QueryParams({"v": value})["v"].replace(" ", "%20").replace("+", "%2B")
                path = f"/collections/{collection}/items"
                yield f"{path}?{name}={value}", f"{path}?{_like(name, known)}={value}"
        for name, parameter in product(sorted(every), ("sortby", "properties")):
            path = f"/collections/{collection}/items?{parameter}="
            yield f"{path}{name}", f"{path}{_like(name, list(grant.attributes))}"
        yield f"/collections/{collection}?{sorted(every)[0]}=1", f"/collections/{collection}?{_like(sorted(every)[0], ['f'])}=1"


def _like(name: str, known: Sequence[str]) -> str:
    """A name that never was, as long, and as near to the known ones."""
    near = get_close_matches(name, known, 1)
    for place, letter in product(range(len(name)), _LETTERS):
        other = name[:place] + letter + name[place + 1 :]
        if other != name and other not in known and get_close_matches(other, known, 1) == near:
            return other
    raise AssertionError(f"no name is like {name}")


def _parts(town: Town, seen: Seen) -> Iterator[str]:
    """Before one is let in, a part that is and a part that never was are the same: without a token and with a broken one."""
    for client in (town.client(), town.client(Authorization="Bearer dtw_xxxxxxxx_broken"), town.client(Authorization="Basic eDp5")):
        for role in (role for role in seen.roles if "/" in role):
            family, _, part = role.partition("/")
            for path, query in product(("", "/", "/collections", "/api", f"/collections/baeume/items/{NO_ID}"), ("", "?f=html")):
                absent = f"/{family}/{(_LETTERS * 5)[: len(part)]}{path}{query}"
                yield from _differences(client, f"/{role}{path}{query}", absent, _METHODS)


def find_lingering(town: Town) -> list[str]:
    """What is taken away is gone at once, also in a server that has just shown it. Changes the town's policies."""
    client = town.client("council")
    manhole = str(Seen(town).items("council", "kanalschaechte")[0].row.id)
    gone = [(f"/council{hidden}", f"/council{absent}") for hidden, absent in routes_of("kanalschaechte", manhole)]
    found: list[str] = []
    for hidden, absent in gone:
        _set_expiry(town, "2027-04-01")
        client.get("/council/collections")
        _set_expiry(town, "now")
        found += [f"after the release: {what}" for what in _differences(client, hidden, absent)]
    _set_expiry(town, "2027-04-01")
    found += _withdrawn_attribute(town)
    client.get("/council/collections/kanalschaechte/items")
    path = town.policies_folder / "council.yaml"
    path.write_text(path.read_text().partition("collections:")[0])
    town.apply(DAY)
    for hidden, absent in gone:
        found += [f"after a policy change: {what}" for what in _differences(client, hidden, absent)]
    return found


def _set_expiry(town: Town, moment: str) -> None:
    with town.superuser() as connection:
        connection.execute("UPDATE council.collection SET shown_until = %s WHERE name = 'kanalschaechte'", [moment])


def _withdrawn_attribute(town: Town) -> list[str]:
    client = town.client()
    client.get("/citizen/collections/baeume/items")
    tree = client.get("/citizen/collections/baeume/items?limit=1").json()["features"][0]["id"]
    town.edit("citizen.yaml", ", geschuetzt: keep", "")
    town.apply(DAY)
    path = "/citizen/collections/baeume/items"
    known = [*PARAMETERS, *Seen(town).grants("citizen")["baeume"].attributes]
    found = _differences(client, f"{path}?geschuetzt=1", f"{path}?{_like('geschuetzt', known)}=1")
    for address in (f"{path}?nonsense=1", f"{path}/{tree}?f=html", f"{path}?f=html", "/citizen/api"):
        answer = client.get(address)
        if b"gesch" in answer.content or answer.status_code >= 500:
            found.append(f"after a policy change: {address} answers {answer.status_code} and still knows the attribute")
    return found


def find_withdrawn(town: Town) -> list[str]:
    """What is withdrawn, an item and then its collection, is absent at once, and neither an apply nor a write brings it back. Changes the town."""
    client = town.client()
    item = Seen(town).items("citizen", "baeume")[0].row
    client.get("/citizen/collections/baeume/items")
    with town.login("owner") as connection:
        withdraw(connection, "baeume", item.id)
        town.edit("citizen.yaml", ", geschuetzt: keep", "")
        town.apply(DAY)
        town.write("UPDATE store.baeume SET hoehe_m = hoehe_m + 5 WHERE id = %s", item.id)
        one = "/citizen/collections/baeume/items/"
        found = [f"a withdrawn item: {what}" for what in _differences(client, f"{one}{item.id}", f"{one}{NO_ID}")]
        withdraw(connection, "baeume")
    for hidden, absent in routes_of("baeume", str(item.id)):
        found += [f"a withdrawn collection: {what}" for what in _differences(client, f"/citizen{hidden}", f"/citizen{absent}")]
    listed = client.get("/citizen/collections").json()["collections"]
    return found + [f"a withdrawn collection is listed: {one['id']}" for one in listed]
