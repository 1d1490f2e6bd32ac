"""Source files: what they say becomes a description, and every mistake in them is named with its line and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator

from twin_api.imports.description import ColumnRule, Place, Reading
from twin_api.imports.sources.file import OPTIONAL, REQUIRED, SourceFile, read_source, read_sources
from twin_api.imports.sources.rhythm import Every, Rhythm
from twin_api.imports.sources.schema import source_schema
from twin_api.imports.sources.whence import Whence
from twin_api.policy.documents import Policies
from twin_api.policy.finding import Findings
from twin_api.policy.load import load
from twin_api.policy.yaml_file import Items, Node, Scalar, read

BERLIN = ZoneInfo("Europe/Berlin")
Write = Callable[[str], Path]
FULL = """
layer: baeume
address: https://daten.example.de/wfs
service: wfs
collection: "fgi:baum"
from: baum
where: "status = 1"
crs: EPSG:31468
axes: swapped
zone_prefix: 32
place: {x: RECHTS, y: HOCH}
encoding: cp1252
separator: tab
header: 3
decimal: ","
thousands: "."
dates: DD.MM.YYYY
nulls: ["", "k. A.", "-999"]
columns:
  BAUMNR: baum_nr
  "Höhe [cm]": {to: hoehe_m, unit: cm, decimal: ".", thousands: " "}
  gepflanzt: {dates: DD.MM.YY, nulls: []}
  STAT: {to: status, values: {steht noch: steht, weg: gefaellt}}
  SCHUTZ: {to: geschuetzt, values: {ja: true, nein: false}}
  ZAHL: {to: anzahl, values: {zwei: 2}}
replace: true
every: weekly
at: "02:30"
stale_after: 10 days
holder: Kreis Kanaria
licence: CC0-1.0
"""


@pytest.fixture(scope="session")
def policies() -> Policies:
    return load(Path(__file__).parents[1] / "town" / "policies")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "baumkataster.yaml"
        path.write_text(text)
        return path

    return write


def good(path: Path, policies: Policies) -> SourceFile:
    findings = Findings()
    source = read_source(path, policies, findings)
    assert findings == []
    assert source is not None
    return source


def mistakes(path: Path, policies: Policies) -> list[str]:
    findings = Findings()
    assert read_source(path, policies, findings) is None
    return [finding.render("en") for finding in findings]


def test_everything_a_source_file_can_say_arrives(write: Write, policies: Policies) -> None:
    source = good(write(FULL), policies)
    said = source.description
    assert (source.name, source.layer, source.replace, source.holder, source.licence) == (
        "baumkataster", "baeume", True, "Kreis Kanaria", "CC0-1.0",
    )  # fmt: skip
    assert source.whence == Whence(address="https://daten.example.de/wfs", service="wfs", collection="fgi:baum")
    assert (said.source_layer, said.where, said.crs, said.axes, said.zone_prefix) == ("baum", "status = 1", "EPSG:31468", "swapped", 32)
    assert (said.place, said.encoding, said.separator, said.header) == (Place("RECHTS", "HOCH"), "cp1252", "\t", 3)
    assert said.reading == Reading(",", ".", "DD.MM.YYYY", frozenset({"", "k. A.", "-999"}))
    assert source.rhythm == Rhythm("weekly", time(2, 30), timedelta(days=10))


def test_a_column_is_read_like_the_file_unless_it_says_otherwise(write: Write, policies: Policies) -> None:
    said = good(write(FULL), policies).description
    assert said.rule("BAUMNR") == ColumnRule("baum_nr", said.reading)
    assert said.rule("Höhe [cm]") == ColumnRule("hoehe_m", Reading(".", " ", "DD.MM.YYYY", said.reading.nulls, unit="cm"))
    assert said.rule("gepflanzt") == ColumnRule("gepflanzt", Reading(",", ".", "DD.MM.YY"))
    rules = {column: rule.reading.values for column, rule in said.columns.items() if rule.reading.values}
    assert rules == {
        "STAT": {"steht noch": "steht", "weg": "gefaellt"}, "SCHUTZ": {"ja": "true", "nein": "false"}, "ZAHL": {"zwei": "2"},
    }  # fmt: skip


def test_one_line_is_enough_for_a_file_that_a_person_imports(write: Write, policies: Policies) -> None:
    source = good(write("layer: baeume\n"), policies)
    assert (source.whence, source.rhythm, source.replace) == (Whence(), None, False)


WRONG = [
    ("layer: baume", "baumkataster.yaml:1: there is no layer `baume`. Did you mean `baeume`?"),
    ("files: daten/*.csv", "1: the entry `layer` is missing"),
    ("layer: baeume\nfile: x.csv", "2: the entry `file` is not known here. Did you mean `files`?"),
    ("layer: baeume\nevery: daily", "2: it is not said where the data come from"),
    ("layer: baeume\nfiles: x.csv\nevery: dayly", "3: there is no rhythm `dayly`. Did you mean `daily`?"),
    ("layer: baeume\nfiles: x.csv\nat: '02:30'", "3: `at` without `every` says nothing"),
    ("layer: baeume\nfiles: x.csv\nevery: hourly\nat: '02:30'", "4: `hourly` has no time of day"),
    ("layer: baeume\nfiles: x.csv\nevery: daily\nat: '24:00'", "4: `24:00` is no time of day"),
    ("layer: baeume\nfiles: x.csv\nevery: daily\nat: 2", "4: `2` is a number or truth value"),
    ("layer: baeume\nfiles: x.csv\nevery: daily\nstale_after: 3 Tage", "4: `3 Tage` is no term. Such as `3 days`"),
    ("layer: baeume\nfiles: x.csv\nevery: weekly\nstale_after: 3 days", "4: the term is shorter than the rhythm"),
    ("layer: baeume\nfiles: ../x.csv", "2: `../x.csv` cannot be a pattern"),
    ("layer: baeume\nfiles: daten/**/x.csv", "2: `daten/**/x.csv` cannot be a pattern"),
    ("layer: baeume\nfiles: x.csv\naddress: https://a.example.de/x.csv", "3: `files` and `address` at once"),
    ("layer: baeume\naddress: ftp://a.example.de/x.csv", "2: this is no web address. Begin it with `https://`"),
    ("layer: baeume\naddress: https://[::1/x.csv", "2: this is no web address"),
    ("layer: baeume\naddress: https://a:CANARY@a.example.de/x.csv", "2: the address holds credentials. Take them out of the address"),
    ("layer: baeume\naddress: https://a.example.de/\nservice: wms", "3: there is no service `wms`. Did you mean `wfs`?"),
    ("layer: baeume\nservice: wfs", "2: `service` without `address` says nothing"),
    ("layer: baeume\naddress: https://a.example.de/x.csv\ncollection: a", "3: a file has no `collection`"),
    ("layer: baeume\ncrs: 25832", "2: `25832` alone is no coordinate system. Write `EPSG:25832`"),
    ("layer: baeume\ncrs: EPSG:25382", "2: there is no coordinate system `EPSG:25382`"),
    ("layer: baeume\ncrs: /etc/passwd", "2: there is no coordinate system `/etc/passwd`"),
    ("layer: baeume\naxes: vertauscht", "2: there is no order of axes `vertauscht`"),
    ("layer: baeume\nzone_prefix: 61", "2: `61` is not between 1 and 60"),
    ("layer: baeume\nplace: {x: R}", "2: the place is in `x` and `y`"),
    ("layer: baeume\nplace: {x: R, y: H, wkt: W}", "2: the place is in `x` and `y`"),
    ("layer: baeume\nplace: {}", "2: the place is in `x` and `y`"),
    ("layer: baeume\nencoding: zip", "2: there is no encoding `zip`"),
    ("layer: baeume\nencoding: latin-99", "2: there is no encoding `latin-99`"),
    ("layer: baeume\nseparator: ';;'", "2: `;;` is not a single sign"),
    ("layer: baeume\nheader: 0", "2: `0` is not between 1 and 1000"),
    ("layer: baeume\ndecimal: komma", "2: there is no decimal sign `komma`"),
    ("layer: baeume\nthousands: '.'", "2: `.` cannot separate both thousands and decimals"),
    ("layer: baeume\nthousands: x", "2: `x` separates no thousands"),
    ("layer: baeume\ndates: TT.MM.JJJJ", "2: `TT.MM.JJJJ` is no form of days or moments"),
    ("layer: baeume\ndates: DD.MM.YYYY hh", "2: `DD.MM.YYYY hh` is no form"),
    ("layer: baeume\ndates: MM.YYYY", "2: `MM.YYYY` is no form"),
    ("layer: baeume\ndates: DD.DD.MM.YYYY", "2: `DD.DD.MM.YYYY` is no form"),
    ("layer: baeume\nnulls: k.A.", "2: a list is expected here. Put it in square brackets: `[k.A.]`"),
    ("layer: baeume\nnulls: [-999]", '2: `-999` is a number or truth value. Put it in quotes: `"-999"`'),
    ("layer: baeume\ncolumns: {A: artt}", "2: there is no attribute `artt`. Did you mean `art`?"),
    ("layer: baeume\ncolumns:\n  A: art\n  B: art", "4: two columns for the attribute `art`: `A` and `B`"),
    ("layer: baeume\ncolumns:\n  A: {decimal: ','}", "3: there is no attribute `A`"),
    ("layer: baeume\ncolumns:\n  A: {to: art, decimal: ','}", "3: `decimal` does not fit the attribute `art` of type `text`. Delete it"),
    ("layer: baeume\ncolumns:\n  A: {to: hoehe_m, dates: DD.MM.YYYY}", "3: `dates` does not fit the attribute `hoehe_m`"),
    ("layer: baeume\ncolumns:\n  A: {to: geprueft, dates: DD.MM.YYYY}", "3: `DD.MM.YYYY` has no time of day"),
    ("layer: baeume\ncolumns:\n  A: {to: hoehe_m, unit: kg}", "3: `kg` cannot be converted to `m`"),
    ("layer: baeume\ncolumns:\n  A: {to: anzahl, unit: m}", "3: the attribute `anzahl` has no unit in its layer"),
    ("layer: baeume\ncolumns:\n  A: {to: anzahl, values: {zwei: two}}", "3: `two` is no number"),
    ("layer: baeume\ncolumns:\n  A:\n    to: status\n    values:\n      ja: stehen", "6: there is no value in `status` `stehen`. Did you mean `steht`?"),
    ("layer: baeume\ncolumns:\n  A: {to: geschuetzt, values: {ja: wahr}}", "3: there is no value in `geschuetzt` `wahr`"),
    ("layer: baeume\nreplace: ja", "2: `true` or `false` is expected here"),
    ("layer: [baeume", "a bracket is not closed"),
    ("- layer", "entries of the form `name: value` are expected here"),
    ("", "the file is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[text.replace("\n", "; ") or "empty" for text, _ in WRONG])
def test_a_mistake_is_named_with_its_line_and_what_would_be_right(write: Write, policies: Policies, text: str, expected: str) -> None:
    found = mistakes(write(text), policies)
    assert found
    assert any(expected in said for said in found), found
    assert "CANARY" not in str(found)


def test_a_layer_without_key_is_filled_by_replacing_only(write: Write, policies: Policies) -> None:
    trees = policies.layers["baeume"]
    keyless = {name: replace(attribute, key=False) for name, attribute in trees.attributes.items()}
    without = Policies(policies.town, {"baeume": replace(trees, attributes=keyless)}, policies.roles)
    assert "`replace: true`" in mistakes(write("layer: baeume"), without)[0]
    assert good(write("layer: baeume\nreplace: true"), without).replace


def test_a_layer_without_geometry_has_no_place(write: Write, policies: Policies) -> None:
    placeless = Policies(policies.town, {"baeume": replace(policies.layers["baeume"], geometry=None)}, policies.roles)
    assert "has no geometry" in mistakes(write("layer: baeume\ncrs: EPSG:25832"), placeless)[0]


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path, policies: Policies) -> None:
    (tmp_path / "gut.yaml").write_text("layer: baeume\n")
    (tmp_path / "schlecht.yaml").write_text("layer: nix\n")
    (tmp_path / "falsch.yml").write_text("layer: baeume\n")
    sources, findings = read_sources(tmp_path, policies)
    assert list(sources) == ["gut"]
    assert sorted(finding.place.file for finding in findings) == ["sources/falsch.yml", "sources/schlecht.yaml"]
    assert read_sources(tmp_path / "nowhere", policies) == ({}, [])


def test_a_pattern_finds_files_in_the_towns_folder_and_by_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "daten").mkdir()
    for name in ("b.csv", "a.csv", "a.txt"):
        (tmp_path / "daten" / name).touch()
    found = [tmp_path / "daten" / "a.csv", tmp_path / "daten" / "b.csv"]
    assert Whence("daten/*.csv").found(tmp_path) == Whence(f"{tmp_path}/daten/*.csv").found(Path("/")) == found
    assert Whence("daten/c*.csv").found(tmp_path) == Whence().found(tmp_path) == []


MOMENTS: list[tuple[Every, str, str, str]] = [
    # rhythm, now, the period's beginning, the next one's: all as the clock in Berlin shows them
    ("hourly", "2026-11-20T08:59", "2026-11-20T08:00", "2026-11-20T09:00"),
    ("daily", "2026-11-20T02:30", "2026-11-20T02:30", "2026-11-21T02:30"),
    ("daily", "2026-11-20T02:29", "2026-11-19T02:30", "2026-11-20T02:30"),
    ("weekly", "2026-11-20T08:00", "2026-11-16T02:30", "2026-11-23T02:30"),
    ("weekly", "2026-11-16T02:00", "2026-11-09T02:30", "2026-11-16T02:30"),
    ("monthly", "2026-03-01T02:00", "2026-02-01T02:30", "2026-03-01T02:30"),
    ("monthly", "2026-12-31T23:00", "2026-12-01T02:30", "2027-01-01T02:30"),
    ("daily", "2026-10-25T12:00", "2026-10-25T02:30", "2026-10-26T02:30"),  # the day of 25 hours
]


@pytest.mark.parametrize(("every", "now", "begun", "next_"), MOMENTS)
def test_periods_begin_by_the_towns_own_clock(every: Every, now: str, begun: str, next_: str) -> None:
    rhythm = Rhythm(every, time(2, 30), timedelta(days=99))
    moment = datetime.fromisoformat(now).replace(tzinfo=BERLIN).astimezone(UTC)
    assert rhythm.begun(moment, BERLIN).astimezone(BERLIN).isoformat()[:16] == begun
    assert rhythm.next(moment, BERLIN).astimezone(BERLIN).isoformat()[:16] == next_


def test_a_time_that_a_day_does_not_have_comes_once_all_the_same() -> None:
    rhythm = Rhythm("daily", time(2, 30), timedelta(days=3))
    spring = [datetime(2026, 3, 28, 12, tzinfo=UTC) + timedelta(hours=hour) for hour in range(48)]
    assert len({rhythm.begun(moment, BERLIN) for moment in spring}) == 3


def test_the_example_of_the_handbook_is_a_source_and_its_table_has_every_entry(write: Write, policies: Policies) -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
    example = handbook.partition("```yaml\n")[2].partition("```")[0]
    assert good(write(example), policies).rhythm == Rhythm("daily", time(2, 30), timedelta(days=3))
    table = "".join(line.split("|")[1] for line in handbook.splitlines() if line.startswith("| `"))
    assert [key for key in (*REQUIRED, *OPTIONAL) if f"`{key}`" not in table] == []


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    return [plain(item) for item in node.items] if isinstance(node, Items) else {key: plain(entry) for key, entry in node.entries.items()}


def test_editors_know_what_a_source_file_may_say(policies: Policies) -> None:
    node = read(FULL.encode(), "x", Findings())
    assert node is not None
    for known in (None, policies):
        schema = Draft202012Validator(source_schema(known))
        assert [error.message for error in schema.iter_errors(plain(node))] == []
        assert list(schema.iter_errors({"layer": "baeume", "evry": "daily"}))
        assert list(schema.iter_errors({"layer": "baeume", "every": "dayly"}))
    assert list(Draft202012Validator(source_schema(policies)).iter_errors({"layer": "baume"}))
