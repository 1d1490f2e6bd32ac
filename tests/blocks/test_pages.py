"""Pages for people: HTML5 without scripts or anything from elsewhere, in both languages, with all that the data says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.door.clients import client_as, client_of
from tests.towns import Town

ROLES = ["citizen", "council", "administration", "administration/bauamt"]
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """A page taken apart; a tag that is not closed or closed twice is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(attrs) == len(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.open:
            self.texts[tag][-1] += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def text(self) -> str:
        return self.texts["main"][0]


def addresses(town: Town, role: str) -> Iterator[str]:
    client = client_as(town, role)
    yield from (f"/{role}", f"/{role}/collections", f"/{role}/conformance", f"/{role}/api", f"/{role}/functions")
    for collection in client.get(f"/{role}/collections").json()["collections"]:
        items = f"/{role}/collections/{collection['id']}/items"
        yield from (
            items.removesuffix("/items"),
            items.replace("/items", "/queryables"),
            items,
            f"{items}?limit=1",
            f"{items}?bbox=0,0,1,1",
        )
        yield f"{items}/{client.get(items).json()['features'][0]['id']}"


def pages(town: Town, role: str, language: str = "de") -> Iterator[tuple[str, str, Page]]:
    for address in addresses(town, role):
        answer = client_as(town, role).get(address, headers={"Accept": "text/html", "Accept-Language": language})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), answer.text
        assert answer.headers["content-language"] == language
        yield address, answer.text, Page(answer.text)


@pytest.mark.requirement("/req/html/definition")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_page_has_language_title_and_one_heading(town: Town, role: str, language: str) -> None:
    for _, text, page in pages(town, role, language):
        assert text.startswith("<!doctype html>")
        assert page.all("html") == [{"lang": language}]
        assert len(page.texts["h1"]) == 1
        assert page.texts["title"][0] == page.texts["h1"][0]  # those further on belong to the map
        assert page.texts["title"][0].strip()
        assert "<built-in" not in text
        assert "object at 0x" not in text


@pytest.mark.parametrize("role", ROLES)
def test_no_page_loads_or_runs_anything(town: Town, role: str) -> None:
    for _, text, page in pages(town, role):
        assert not any(page.all(tag) for tag in ("script", "img", "iframe", "object", "embed", "form", "video", "source"))
        assert page.all("link") == [{"rel": "icon", "href": "data:,"}]
        assert not any(name.startswith("on") or name == "style" for _, attributes in page.tags for name in attributes)
        assert "url(" not in text
        assert "@import" not in text


def test_a_page_that_a_browser_has_kept_may_be_styled_as_when_it_came(town: Town) -> None:
    """A browser takes over what a 304 says of the page that it has (RFC 9111, 3.2)."""
    client = client_of(town)
    for address in ("/citizen", "/citizen/collections/baeume/items"):
        first = client.get(address, headers={"Accept": "text/html"})
        again = client.get(address, headers={"Accept": "text/html", "If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        changed = {name for name in first.headers.keys() & again.headers.keys() if first.headers[name] != again.headers[name]}
        assert changed <= {"date", "x-request-id", "content-length"}
        assert "style-src 'sha256-" in again.headers["content-security-policy"]


def test_numbers_and_times_of_a_table_stay_on_one_line(town: Town) -> None:
    told = client_of(town).get("/citizen/collections/baeume/items?f=html").text
    columns = re.findall(r'<th scope="col"(?: class="(\w+)")?>([^<[]+)', told)
    assert {name.strip(): look for look, name in columns if look} == {"Höhe": "number", "Stämme": "number", "Gepflanzt": "time"}
    assert "td.number, td.time { white-space: nowrap; }" in told


@pytest.mark.parametrize("role", ROLES)
def test_every_table_says_what_its_rows_and_columns_are(town: Town, role: str) -> None:
    for _, _, page in pages(town, role):
        assert all(attributes.get("scope") in ("row", "col") for attributes in page.all("th"))
        assert len(page.all("th")) >= len(page.all("table"))
        assert len(page.all("tbody")) == len(page.all("table")) == len(page.all("caption"))
        assert all(caption.strip() for caption in page.texts.get("caption", []))
        assert all(attributes.get("aria-label") for attributes in page.all("nav"))


@pytest.mark.requirement("/req/html/content")
@pytest.mark.parametrize("role", ROLES)
def test_every_page_says_and_links_what_its_data_does(town: Town, role: str) -> None:
    client = client_as(town, role)
    for address, _, page in pages(town, role):
        data = client.get(address, headers={"Accept": "application/json"}).json()
        hrefs = {str(attributes["href"]).partition("?")[0] for attributes in page.all("a")}
        assert {link["href"].partition("?")[0] for link in data.get("links", [])} <= hrefs
        for value in _values(data):
            assert value in page.text, (address, value)


def _values(data: dict[str, Any]) -> Iterator[str]:
    """What of a document has to stand on its page word for word."""
    yield from data.get("conformsTo", [])
    yield from data.get("paths", [])
    yield from (collection["title"] for collection in data.get("collections", []))
    yield from (data[name] for name in ("title", "attribution") if name in data)
    yield from (data["properties"] if "$schema" in data else [])
    yield from (function["description"] for function in data.get("functions", []))
    for feature in [*data.get("features", []), *([data] if data.get("type") == "Feature" else [])]:
        yield feature["id"][:8]
        yield from (str(value) for value in feature["properties"].values() if value is not None and not isinstance(value, bool))


@pytest.mark.parametrize("role", ROLES)
def test_the_town_and_the_pages_the_law_asks_for_stand_at_the_foot_of_every_page(town: Town, role: str) -> None:
    german = {"Impressum": "impressum", "Datenschutz": "datenschutz", "Barrierefreiheit": "barrierefreiheit"}
    for _, _, page in pages(town, role):
        assert "Kanaria" in page.texts["footer"][-1]
        assert all(name in page.texts["footer"][-1] for name in german)
        assert {f"https://kanaria.example/{path}" for path in german.values()} <= {str(a["href"]) for a in page.all("a")}


def test_the_landing_page_links_them_in_the_readers_language(town: Town) -> None:
    for language, imprint in (("de", "Impressum"), ("en", "Imprint")):
        links = client_of(town).get("/citizen?f=json", headers={"Accept-Language": language}).json()["links"]
        named = {link["rel"]: link["title"] for link in links if link["href"].startswith("https://kanaria.example/")}
        assert named.keys() == {"about", "privacy-policy", "related"}
        assert named["about"] == imprint


@pytest.mark.parametrize("role", ROLES)
def test_whose_data_these_are_is_said_wherever_they_are_shown(town: Town, role: str) -> None:
    client = client_as(town, role)
    held = {c["id"]: (c["attribution"], [link for link in c["links"] if link["rel"] == "license"])
            for c in client.get(f"/{role}/collections?f=json").json()["collections"]}  # fmt: skip
    landing = client.get(f"/{role}?f=json").json()
    assert {told.partition(" (")[0] for told in landing["attribution"].split("; ")} == {holder for holder, _ in held.values()}
    for collection, (holder, licences) in held.items():
        items = f"/{role}/collections/{collection}/items"
        answer = client.get(f"{items}?limit=1&f=json").json()
        assert [link for link in answer["links"] if link["rel"] == "license"] == licences
        for address in (items, f"{items}/{answer['features'][0]['id']}", items.removesuffix("/items")):
            page = Page(client.get(f"{address}?f=html").text)
            assert holder in page.text
            assert {link["href"] for link in licences} <= {str(a["href"]) for a in page.all("a")}


def test_odd_text_is_shown_and_never_markup(town: Town) -> None:
    odd = 'Späth\'s "Erle" \\ %s :x 0x41 ß☃'
    answer = client_of(town).get("/citizen/collections/baeume/items", params={"f": "html", "art": odd})
    assert odd in Page(answer.text).text
    assert "<x>" not in client_of(town).get("/citizen/collections/baeume/items", params={"f": "html", "art": "<x>"}).text


def test_truth_and_numbers_are_said_in_the_readers_language(town: Town) -> None:
    german, english = (next(p for a, _, p in pages(town, "citizen", language) if a.endswith("/items")).text for language in ("de", "en"))
    assert "ja" in german
    assert "yes" in english
    assert "True" not in german + english


def test_the_next_page_is_a_link(town: Town) -> None:
    page = Page(client_of(town).get("/citizen/collections/baeume/items?f=html").text)
    (following,) = {str(attributes["href"]) for attributes in page.all("a") if attributes.get("rel") == "next"}
    after = Page(client_of(town).get(following).text)
    assert after.texts["h1"] == page.texts["h1"]
    assert after.text != page.text


def test_an_empty_twin_says_that_there_is_nothing(new_town: Any) -> None:
    town: Town = new_town(apply=False)
    text = (town.policies_folder / "citizen.yaml").read_text()
    town.edit("citizen.yaml", text, "role: citizen\naccess: anonymous\ncollections: {}\n")
    town.settle(rows=False)
    page = Page(town.client().get("/citizen?f=html").text)
    assert "Hier ist nichts zu sehen." in page.text


def test_a_link_to_data_leads_a_browser_to_data(town: Town) -> None:
    client = client_of(town)
    for link in Page(client.get("/citizen/collections/baeume?f=html").text).all("a"):
        if link.get("rel") in ("items", "alternate"):
            answer = client.get(str(link["href"]), headers={"Accept": "text/html,*/*;q=0.5"})
            assert answer.headers["content-type"].partition(";")[0] == link["type"]
