"""CSV and Excel files that are endless, unbalanced, encrypted, or that point elsewhere."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.imports.hostile.case import SPY, Case, Make, written

MIB = 1024 * 1024
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _csv(name: str, content: str | bytes | Make, expected: str | int) -> Case:
    make = content if callable(content) else written("thing.csv", content)
    return Case(f"csv: {name}", make, expected, type=None)


def _long(before: bytes, piece: bytes, mebibytes: int, after: bytes = b"") -> Make:
    def make(folder: Path) -> Path:
        with (folder / "thing.csv").open("wb") as file:
            file.write(before)
            for _ in range(mebibytes):
                file.write(piece * (MIB // len(piece)))
            file.write(after)
        return folder / "thing.csv"

    return make


def _sheet(rows: str, more: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheetData>{rows}</sheetData>{more}</worksheet>'


def _text(cell: str, text: str) -> str:
    return f'<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{_text("A1", "nr")}</row>'
ROW = f'<row r="2">{_text("A2", "1")}</row>'
PARTS: Mapping[str, str] = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="thing" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/worksheets/sheet1.xml": _sheet(HEADER + ROW),
}  # fmt: skip


def _book(changes: Mapping[str, str | None]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**PARTS, **changes}.items():
            if content is not None:
                archive.writestr(name, content)
    return target.getvalue()


def _xlsx(name: str, changes: Mapping[str, str | None] | Callable[[], bytes], expected: str | int) -> Case:
    content = changes() if callable(changes) else _book(changes)
    return Case(f"xlsx: {name}", written("thing.xlsx", content), expected, type=None)


def _with(rows: str, more: str = "") -> Mapping[str, str]:
    return {"xl/worksheets/sheet1.xml": _sheet(HEADER + rows, more)}


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
SHARED = "xl/sharedStrings.xml"
CASES = [
    _csv("nothing wrong", "nr;art\n1;Linde\n", 1),
    _csv("a line of two hundred megabytes", _long(b"nr;art\n1;", b"x", 200), "64 MiB"),
    _csv("a line of nothing but separators", _long(b"nr;art\n1", b";", 100), "64 MiB"),
    _csv("a header of a million columns", ";".join(["nr", *(f"c{n}" for n in range(1_000_000))]) + "\n", "columns"),
    _csv("a quotation mark that swallows the rest", _long(b'nr;art\n1;"', b"x\n", 100), "quotation mark"),
    _csv("a quotation mark in the middle", 'nr;art\n1;"a"b\n', "quotation mark"),
    _csv("NUL", b"nr;art\n1;a\0b\n", "content is not"),
    _csv("NUL beyond the first look", _long(b"nr;art\n", b"1;x\n", 2, b"2;a\0b\n"), "without NUL"),
    _csv("bytes that are no text", b"nr;art\n1;M\xfcll\n", "is no UTF-8"),
    _csv("a row with too many fields", "nr;art\n1;a;b;c\n", "fields"),
    _csv("a formula", 'nr;art\n1;"=HYPERLINK(""http://x"")"\n', 1),
    _csv("a column twice", "nr;nr\n1;2\n", "nr"),
    _csv("no columns", "\n\n\n", "holds no column names"),
    _csv("a file of types beside it", lambda folder: (written("thing.csvt", "Integer,Integer")(folder), written("thing.csv", "nr;art\n007;x\n")(folder))[1], 1),
    _xlsx("nothing wrong", {}, 1),
    _xlsx("an entity", {"xl/worksheets/sheet1.xml": LAUGHS + _sheet(HEADER + ROW)}, "document type"),
    _xlsx("an entity in the shared texts", {SHARED: LAUGHS + f'<sst xmlns="{MAIN}"><si><t>&amp;b;</t></si></sst>'}, "document type"),
    _xlsx("an entity in the relations", {"_rels/.rels": LAUGHS + PARTS["_rels/.rels"]}, "document type"),
    _xlsx("shared texts of two hundred megabytes", lambda: _book({SHARED: f'<sst xmlns="{MAIN}"><si><t>{"x" * 200 * MIB}</t></si></sst>'}), "too large unpacked"),
    _xlsx("a key of fifteen megabytes, well packed", lambda: _book({SHARED: f'<sst xmlns="{MAIN}"><si><t>{"x" * 15 * MIB}</t></si></sst>', **_with('<row r="2"><c r="A2" t="s"><v>0</v></c></row>')}), "15728640 octets long"),
    _xlsx("a shared text that is not there", _with('<row r="2"><c r="A2" t="s"><v>999999999</v></c></row>'), "damaged"),
    _xlsx("a shared text before the first", _with('<row r="2"><c r="A2" t="s"><v>-1</v></c></row>'), "damaged"),
    _xlsx("a cell in the last corner", _with(ROW + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "XFD1048576"),
    _xlsx("a cell beyond the last corner", _with(ROW + '<row r="99999999"><c r="ZZZ99999999"><v>1</v></c></row>'), "ZZZ99999999"),
    _xlsx("a cell nowhere", _with('<row r="2"><c r="2A"><v>1</v></c></row>'), 1),
    _xlsx("a formula without a result", _with('<row r="2"><c r="A2"><f>WEBSERVICE("http://x")</f></c></row>'), "A2"),
    _xlsx("an error as a value", _with('<row r="2"><c r="A2" t="e"><v>#REF!</v></c></row>'), "A2"),
    _xlsx("a number that is none", _with('<row r="2"><c r="A2"><v>1e999</v></c></row>'), "no finite number"),
    _xlsx("elements in elements", _with("<row>" * 100_000 + "</row>" * 100_000), "nested deeper"),
    _xlsx("a sheet upwards", {"xl/_rels/workbook.xml.rels": PARTS["xl/_rels/workbook.xml.rels"].replace("worksheets/sheet1.xml", "../../../../../../etc/passwd")}, "holds no data"),
    _xlsx("a sheet elsewhere", {"xl/_rels/workbook.xml.rels": PARTS["xl/_rels/workbook.xml.rels"].replace("worksheets/sheet1.xml", f"http://{SPY}/sheet.xml")}, "holds no data"),
    _xlsx("a link to another workbook", {"xl/externalLinks/_rels/externalLink1.xml.rels": f'<Relationships><Relationship Id="r1" Target="http://{SPY}/x.xlsx" TargetMode="External"/></Relationships>'}, 1),
    _xlsx("a sheet that is missing", {"xl/worksheets/sheet1.xml": None}, "holds no data"),
    _xlsx("a workbook that is missing", {"xl/workbook.xml": None}, "damaged"),
    _xlsx("a thousand million merged cells", _with(ROW, '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'), "merged cells"),
    _xlsx("an archive inside", {"xl/embeddings/book.xlsx": _book({}).decode("latin-1")}, "holds another archive"),
    _xlsx("half of it", lambda: _book({})[:900], "is damaged"),
]  # fmt: skip
