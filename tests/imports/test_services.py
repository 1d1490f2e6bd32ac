"""Services by address: everything they hold arrives as files, or it is said why it cannot have been everything."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.imports.servers import LOOPBACK, Answer, Asked, Server, answering, talking
from tests.imports.things import Database
from tests.towns import Town
from twin_api.imports.description import ColumnRule, Description
from twin_api.imports.fetching.collect import LATE_S, Errand, collect
from twin_api.imports.fetching.fetch import Fetcher
from twin_api.imports.fetching.pinned import Budget
from twin_api.imports.fetching.reach import Reach, Url
from twin_api.imports.fetching.services import SERVICES
from twin_api.imports.fetching.services.asked import Asked as Address
from twin_api.imports.fetching.services.asked import Gathered
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import ImportRequest, run_import
from twin_api.imports.sources.whence import Service
from twin_api.policy.documents import Layer

PAGES = ("000", "001", "039", "070")  # of the real server, one after the other as if there were no others
XML = {"Content-Type": "text/xml"}
GEOJSON = {"Content-Type": "application/geo+json"}
Answers = Callable[[Asked], Answer]


def gather(server: Server, folder: Path, service: Service, path: str = "/", seconds: float = 20.0, **more: Any) -> Gathered:
    """Without the process of its own, which costs a second each time."""
    folder.mkdir(exist_ok=True)
    with Fetcher(Reach.of(server.hosts, LOOPBACK), folder, Budget.of(seconds)) as fetcher:
        return SERVICES[service](Address(Url.of(server.url(path)), **more), fetcher, folder)


def errand(server: Server, folder: Path, path: str = "/x.csv", **more: Any) -> Errand:
    return Errand(server.url(path), "file", str(folder), server.hosts, LOOPBACK, suffixes=SUFFIXES, **({"seconds": 20.0} | more))


def refusal(answers: Answers, folder: Path, service: Service, **more: Any) -> str:
    with answering(answers) as server, pytest.raises(FileRefused) as caught:
        gather(server, folder, service, "/?key=CANARY", **more)
    assert "CANARY" not in str(caught.value)
    return caught.value.findings[0].text().say("en")


@pytest.fixture(scope="session")
def essen(testdata: Path) -> Answers:
    """The addresses of Essen as their own server gives them out: four pages of a thousand, and no number of all."""
    folder = testdata / "addresses-essen"
    pages = [gzip.decompress((folder / f"wfs_page_{number}.gml.gz").read_bytes()) for number in PAGES]
    empty = re.sub(rb"<wfs:member>.*</wfs:member>", b"", pages[0].replace(b'Returned="1000"', b'Returned="0"'), flags=re.DOTALL)

    def answer(asked: Asked) -> Answer:
        if asked.query["request"] == "GetCapabilities":
            return 200, XML, (folder / "capabilities.xml").read_bytes()
        number, rest = divmod(int(asked.query["startindex"]), 1000)
        assert rest == 0
        return 200, XML, pages[number] if number < len(pages) else empty

    return answer


def test_a_real_wfs_is_read_to_its_end(essen: Answers, tmp_path: Path) -> None:
    with answering(essen) as server:
        gathered = gather(server, tmp_path / "a", "wfs", "/wfs?map=essen&REQUEST=x", collection="Hauskoordinaten")
        again = gather(server, tmp_path / "b", "wfs", "/wfs?map=essen", collection="Hauskoordinaten")
    assert [path.name for path in gathered.files] == [f"page_{number:05d}.gml" for number in range(4)]
    assert sum(path.read_bytes().count(b"<wfs:member>") for path in gathered.files) == 4000
    assert gathered.digest == again.digest
    asked = server.asked[1].query
    assert asked["typenames"] == "Amtliche_Hauskoordinaten:Hauskoordinaten"
    assert (asked["map"], asked["request"], asked["version"], asked["startindex"]) == ("essen", "GetFeature", "2.0.0", "0")
    assert len(server.asked) == 12  # each time the capabilities, four pages and an empty one


@pytest.mark.filterwarnings("ignore:EPSG.102329 is not a valid CRS code")
def test_the_pages_of_a_real_wfs_are_imported_as_one(
    essen: Answers, database: Database, new_layer: Callable[..., Layer], tmp_path: Path
) -> None:
    database.create(layer := new_layer())
    with answering(essen) as server:
        files = gather(server, tmp_path, "wfs", "/wfs", collection="Hauskoordinaten").files
    said = Description({"OBJECTID": ColumnRule("nr"), "STRNAME": ColumnRule("art")}, axes="swapped")
    outcome = run_import(ImportRequest(files, said), layer, database.connect)
    assert (outcome.read, outcome.inserted) == (4000, 4000)
    assert database.value("SELECT postgis.ST_AsText(geometry) FROM store.thing WHERE nr = '1'") == "POINT(362105 5710920)"


TYPES = "<FeatureType><Name>a:baum</Name><DefaultCRS>urn:ogc:def:crs:EPSG::4258</DefaultCRS><OtherCRS>urn:ogc:def:crs:EPSG::25832</OtherCRS></FeatureType>"
MORE_TYPES = TYPES + "<FeatureType><Name>a:strauch</Name></FeatureType>"
PAGING = '<Constraint name="ImplementsResultPaging"><DefaultValue>TRUE</DefaultValue></Constraint><Constraint name="CountDefault"><DefaultValue>3</DefaultValue></Constraint>'


def capabilities(types: str = TYPES, constraints: str = PAGING, version: str = "2.0.0") -> bytes:
    return f'<WFS_Capabilities version="{version}"><OperationsMetadata>{constraints}</OperationsMetadata><FeatureTypeList>{types}</FeatureTypeList></WFS_Capabilities>'.encode()


def members(*ids: int, **said: object) -> bytes:
    attributes = " ".join(f'{name}="{value}"' for name, value in said.items())
    body = "".join(f'<member><baum gml:id="baum.{id}"><nr>{id}</nr></baum></member>' for id in ids)
    return f'<FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2" {attributes}>{body}</FeatureCollection>'.encode()


def wfs(*pages: bytes, about: bytes | None = None) -> Answers:
    """A server that knows these pages of three."""

    def answer(asked: Asked) -> Answer:
        if asked.query["request"] == "GetCapabilities":
            return 200, XML, about or capabilities()
        if asked.query.get("resulttype") == "hits":
            return 200, XML, pages[-1]
        return 200, XML, pages[int(asked.query.get("startindex", "0")) // 3]

    return answer


def test_pages_end_where_the_server_says_that_all_have_come(tmp_path: Path) -> None:
    with answering(wfs(members(1, 2, 3, numberMatched=5, numberReturned=3), members(4, 5, numberMatched=5, numberReturned=2))) as server:
        gathered = gather(server, tmp_path, "wfs", epsg=25832)
    assert len(gathered.files) == 2
    assert [(a.query["count"], a.query["startindex"], a.query["srsname"]) for a in server.asked[1:]] == [
        ("3", "0", "urn:ogc:def:crs:EPSG::25832"), ("3", "3", "urn:ogc:def:crs:EPSG::25832"),
    ]  # fmt: skip


def test_a_server_without_pages_is_asked_for_all_at_once_and_how_many_there_are(tmp_path: Path) -> None:
    old = capabilities(constraints="", version="1.1.0")
    with answering(wfs(members(1, 2, 3), members(numberOfFeatures=3), about=old)) as server:
        assert len(gather(server, tmp_path, "wfs").files) == 1
    assert [asked.query["version"] for asked in server.asked[1:]] == ["1.1.0", "1.1.0"]
    assert "startindex" not in server.asked[1].query


OLD = capabilities(constraints="", version="1.1.0")
WRONG_WFS: dict[str, tuple[Answers, str]] = {
    "the same page again": (wfs(members(1, 2, 3), members(1, 2, 3)), "an item comes twice"),
    "an item on two pages": (wfs(members(1, 2, 3), members(3, 4, 5)), "an item comes twice"),
    "the same without ids": (wfs(b"<FeatureCollection><member><a/></member></FeatureCollection>", *[b"<FeatureCollection><member><a/></member></FeatureCollection>"] * 2), "an item comes twice"),
    "fewer than announced": (wfs(members(1, 2, 3, numberMatched=9), members(numberMatched=9)), "9 items announced, 3 delivered"),
    "another number on the way": (wfs(members(1, 2, 3, numberMatched=9), members(4, 5, 6, numberMatched=8)), "first 9 items, then 8"),
    "a page that says more than it holds": (wfs(members(1, 2, 3, numberReturned=5)), "says 5 features and holds 3"),
    "nothing at all": (wfs(members(numberMatched=0)), "delivers not a single item"),
    "cut short in silence": (wfs(members(1, 2, 3), members(numberOfFeatures=9), about=OLD), "9 items announced, 3 delivered"),
    "several types": (wfs(members(1), about=capabilities(MORE_TYPES)), "choose one with `collection`: `a:baum`, `a:strauch`"),
    "another version": (wfs(members(1), about=capabilities(version="1.0.0")), "2.0.0 or 1.1.0 is required"),
    "an excuse": (wfs(b'<ows:ExceptionReport xmlns:ows="x"><ows:Exception exceptionCode="NoApplicableCode"><ows:ExceptionText>broken</ows:ExceptionText></ows:Exception></ows:ExceptionReport>'), "reports `NoApplicableCode broken`"),
    "an old excuse": (wfs(b"<ServiceExceptionReport><ServiceException code='x'>y</ServiceException></ServiceExceptionReport>"), "reports `x y`"),
    "a web page": (wfs(b"<!DOCTYPE html><html><body><p>Wartung</body></html>"), "holds a document type"),
    "a web page without type": (wfs(b"<html><body><p>Wartung<br></body></html>"), "answers with `html`"),
    "no XML": (wfs(b"Wartung"), "answers with `Text`"),
    "cut off": (wfs(members(1, 2, 3)[:-30]), "is damaged in line 1"),
    "another document": (wfs(capabilities()), "`FeatureCollection` is required"),
    "entities": (wfs(b'<!DOCTYPE a [<!ENTITY b "CANARY">]><FeatureCollection>&b;</FeatureCollection>'), "holds a document type"),
    "a file of ours": (wfs(b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><FeatureCollection>&b;</FeatureCollection>'), "holds a document type"),
    "a deep well": (wfs(b"<FeatureCollection>" + b"<a>" * 5000), "nested too deeply"),
    "entities in capabilities": (wfs(members(1), about=b'<!DOCTYPE a [<!ENTITY b "c">]><WFS_Capabilities/>'), "holds a document type"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_WFS)
def test_a_wfs_that_cannot_have_given_everything_is_refused(tmp_path: Path, case: str) -> None:
    answers, expected = WRONG_WFS[case]
    assert expected in refusal(answers, tmp_path, "wfs")


@pytest.mark.parametrize(("wanted", "expected"), [("strauch", None), ("a:strauch", None), ("straucht", "did you mean `a:strauch`?")])
def test_a_type_is_chosen_with_or_without_its_prefix(tmp_path: Path, wanted: str, expected: str | None) -> None:
    answers = wfs(members(1, numberMatched=1), about=capabilities(MORE_TYPES))
    if expected is not None:
        assert expected in refusal(answers, tmp_path, "wfs", collection=wanted)
        return
    with answering(answers) as server:
        gather(server, tmp_path, "wfs", collection=wanted)
    assert server.asked[1].query["typenames"] == "a:strauch"


# OGC API Features


@pytest.mark.parametrize("below", ["/citizen", "/citizen/collections", "/citizen/collections/baeume", "/citizen/collections/baeume/items"])
def test_our_own_server_is_read_to_its_end(town: Town, tmp_path: Path, below: str) -> None:
    with town.client() as client:
        total = client.get("/citizen/collections/baeume/items").json()["numberMatched"]
        address = str(client.base_url.join(below))
    with Fetcher(Reach.of(address.removesuffix(below), LOOPBACK), tmp_path, Budget.of(20)) as fetcher:
        gathered = SERVICES["oapif"](Address(Url.of(address), "baeume"), fetcher, tmp_path)
    lines = [orjson.loads(line) for line in gathered.files[0].read_bytes().splitlines()]
    assert len(lines) == total > 0
    assert gathered.files[0].name == "items.geojsonl"
    assert all(line["type"] == "Feature" and "art" in line["properties"] for line in lines)


def page(*ids: object, **members: object) -> dict[str, Any]:
    features = [{"type": "Feature", "id": id, "geometry": None, "properties": {"nr": id}, "links": []} for id in ids]
    return {"type": "FeatureCollection", "features": features, **members}


def following(href: str) -> list[dict[str, str]]:
    return [
        {"rel": "next", "type": "text/html", "href": "http://127.0.0.1:1/"},
        {"rel": "next", "type": "application/geo+json", "href": href},
    ]


def oapif(*pages: Any, headers: dict[str, str] | None = None, **collection: Any) -> Answers:
    """A server with one collection, of these pages."""
    described = {"id": "baum", "links": [{"rel": "items", "href": "/wo/items?f=json"}], **collection}

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("items"):
            found = pages[int(asked.query.get("offset", "0"))]
            return 200, GEOJSON | (headers or {}), found if isinstance(found, bytes) else orjson.dumps(found)
        return 200, GEOJSON, orjson.dumps({"collections": [described]})

    return answer


def test_pages_are_followed_along_their_links(tmp_path: Path) -> None:
    with answering(oapif(page(1, 2, numberMatched=3, links=following("/wo/items?offset=1&f=json")), page(3, numberMatched=3))) as server:
        gathered = gather(server, tmp_path, "oapif")
    assert [orjson.loads(line)["id"] for line in gathered.files[0].read_bytes().splitlines()] == [1, 2, 3]
    assert b"links" not in gathered.files[0].read_bytes()
    assert server.asked[1].query == {"f": "json", "limit": "1000"}
    assert [path.name for path in tmp_path.iterdir()] == ["items.geojsonl"]


def test_the_layers_own_crs_is_asked_for_where_the_server_has_it(tmp_path: Path) -> None:
    crs = "http://www.opengis.net/def/crs/EPSG/0/25832"
    with answering(
        oapif(page(1), headers={"Content-Crs": f"<{crs}>"}, crs=["http://www.opengis.net/def/crs/OGC/1.3/CRS84", crs])
    ) as server:
        gathered = gather(server, tmp_path / "a", "oapif", epsg=25832)
        assert (gathered.crs, server.asked[1].query["crs"]) == ("EPSG:25832", crs)
        with pytest.raises(FileRefused, match="delivers coordinates in"):
            gather(server, tmp_path / "b", "oapif", epsg=25833)


CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
OTHER = "http://www.opengis.net/def/crs/EPSG/0/25832"
WRONG_OAPIF: dict[str, tuple[Answers, str]] = {
    "an item on two pages": (oapif(page(1, 2, links=following("?offset=1")), page(2, 3)), "an item comes twice"),
    "the same page again": (oapif(page(1, 2, links=following("?offset=0&x=1"))), "an item comes twice"),
    "in circles": (oapif(page(1, links=following("?offset=1")), page(2, links=following("?offset=1"))), "leads nowhere"),
    "to another host": (oapif(page(1, links=following("http://169.254.169.254/"))), "leads nowhere"),
    "to another scheme": (oapif(page(1, links=following("file:///etc/passwd"))), "plain form"),
    "to another port": (oapif(page(1, links=following("http://127.0.0.1:1/"))), "is not on the list"),
    "fewer than announced": (oapif(page(1, numberMatched=2)), "2 items announced, 1 delivered"),
    "nothing at all": (oapif(page()), "delivers not a single item"),
    "no JSON": (oapif(b"<html>"), "does not answer in JSON"),
    "a list": (oapif([1]), "does not answer in JSON"),
    "NaN": (oapif(b'{"type": "FeatureCollection", "features": [NaN]}'), "does not answer in JSON"),
    "a deep well": (oapif(b'{"a":' * 5000 + b"1" + b"}" * 5000), "does not answer in JSON"),
    "no features": (oapif({"type": "FeatureCollection"}), "a page is no FeatureCollection"),
    "features that are none": (oapif({"type": "FeatureCollection", "features": [1]}), "a page is no FeatureCollection"),
    "another CRS than asked for": (oapif(page(1), headers={"Content-Crs": f"<{OTHER}>"}), "delivers coordinates in"),
    "no collection": (lambda asked: (200, GEOJSON, b"{}"), "does not answer like an OGC API Features"),
    "broken links": (lambda asked: (200, GEOJSON, b'{"id": "a", "links": [1, {"rel": ["items"], "href": 2}, {"rel": "items", "href": 7}]}'), "a page is no FeatureCollection"),
    "another collection": (oapif(page(1), id="strauch"), "has no collection `baum`"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_OAPIF)
def test_an_api_that_cannot_have_given_everything_is_refused(tmp_path: Path, case: str) -> None:
    answers, expected = WRONG_OAPIF[case]
    assert expected in refusal(answers, tmp_path, "oapif", collection="baum", epsg=25832)


# plain files

SUFFIXES = (".csv", ".geojson", ".gml", ".gpkg", ".zip", ".csv.zip")


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/daten/Bäume.CSV?key=1", {}, "data.csv"),
        ("/a.csv.zip", {}, "data.csv.zip"),
        ("/abruf.php", {"Content-Type": "text/csv; charset=utf-8"}, "data.csv"),
        ("/abruf", {"Content-Type": "application/geo+json"}, "data.geojson"),
        ("/abruf.zip", {"Content-Disposition": 'attachment; filename="../../baeume.gpkg"'}, "data.gpkg"),
        ("/abruf.exe", {"Content-Type": "text/html"}, "data"),
    ],
)  # fmt: skip
def test_a_file_is_called_by_what_the_server_says_it_is(tmp_path: Path, path: str, headers: dict[str, str], name: str) -> None:
    with answering(lambda asked: (200, headers, b"x")) as server:
        gathered = gather(server, tmp_path, "file", path.replace("ä", "%C3%A4"), suffixes=SUFFIXES)
    assert gathered.files == (tmp_path / name,)


def test_a_file_that_has_not_changed_is_not_fetched_again(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        return (304, {}, b"") if asked.headers.get("if-none-match") == '"7"' else (200, {"ETag": '"7"'}, b"x")

    with answering(answer) as server:
        first = gather(server, tmp_path / "a", "file", "/x.csv", suffixes=SUFFIXES)
        second = gather(server, tmp_path / "b", "file", "/x.csv", suffixes=SUFFIXES, known=first.known)
    assert (len(first.files), first.known) == (1, {"etag": '"7"'})
    assert (second.files, second.known) == ((), first.known)


# the process that does it


def test_what_fetches_has_no_environment_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server looks at the fetching process from outside, while that waits for the answer."""
    monkeypatch.setenv("TWIN_DATABASE_URL", "postgresql://CANARY")
    monkeypatch.setenv("PGPASSWORD", "CANARY")
    seen: list[bytes] = []

    def answer(asked: Asked) -> Answer:
        for process in Path("/proc").glob("[0-9]*"):
            if b"twin_api.imports.fetching.collect" in (process / "cmdline").read_bytes():
                seen.append((process / "environ").read_bytes() + (process / "cmdline").read_bytes())
        return 200, {"ETag": "7"}, b"x"

    with answering(answer) as server:
        gathered = collect(errand(server, tmp_path, "/x.csv?key=CANARY"))
    assert (gathered.files, gathered.known) == ((tmp_path / "data.csv",), {"etag": "7"})
    assert seen
    assert b"PYTHONPATH" in seen[0]
    assert b"CANARY" not in b"".join(seen)
    assert b"TWIN_" not in b"".join(seen)


def test_its_refusal_arrives_in_both_languages(tmp_path: Path) -> None:
    with answering(lambda asked: (500, {}, b"")) as server, pytest.raises(FileRefused) as caught:
        collect(errand(server, tmp_path))
    said = caught.value.findings[0].text()
    assert "antwortet mit 500" in said.de
    assert "answers with 500" in said.en


def test_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """Its own clock would let it wait for a minute; ours does not."""
    with talking(lambda connection: time.sleep(1)) as server, pytest.raises(FileRefused, match="broke off"):
        collect(errand(server, tmp_path, seconds=-LATE_S + 0.01))  # before it has even begun


def test_a_server_that_never_ends_costs_its_time_and_no_more(tmp_path: Path) -> None:
    def endless(asked: Asked) -> Answer:
        start = int(asked.query.get("startindex", "0"))
        return 200, XML, capabilities() if asked.query["request"] == "GetCapabilities" else members(start, start + 1, start + 2)

    assert "takes too long" in refusal(endless, tmp_path, "wfs", seconds=1.0)
