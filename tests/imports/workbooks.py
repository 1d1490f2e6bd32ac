"""Excel workbooks written part by part, so that a test can say what no spreadsheet program would write."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DATE, MOMENT, OWN_DATE, EURO, OWN_MOMENT, DIGITS = 1, 2, 3, 4, 5, 6  # styles
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts count="4"><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy"/>
<numFmt numFmtId="165" formatCode='#,##0.00\\ "Euro; hdmsy"'/><numFmt numFmtId="166" formatCode="[$-407]d. mmm yyyy hh:mm"/>
<numFmt numFmtId="167" formatCode="00000"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/>
<xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="167"/></cellXfs></styleSheet>"""


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def shared(number: int) -> str:
    return f'<c t="s"><v>{number}</v></c>'


def number(value: float | str, style: int = 0) -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


EMPTY = "<c/>"


def workbook(
    path: Path, rows: Sequence[Sequence[str]], *, texts: str = "", after: str = "", since_1904: bool = False,
    more: Mapping[str, Sequence[Sequence[str]]] | None = None, head: str = "",
) -> Path:  # fmt: skip
    """The sheet `Daten` of these cells, and `more` sheets; `texts` are the items shared by cells, `after` stands behind the rows."""
    sheets = {"Daten": rows, **(more or {})}
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, start=1))
    links = "".join(f'<Relationship Id="r{n}" Type="x" Target="worksheets/{n}.xml"/>' for n in range(1, len(sheets) + 1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><workbookPr date1904="{int(since_1904)}"/><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{links}</Relationships>")
        archive.writestr("xl/styles.xml", STYLES)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{texts}</sst>')
        for n, some in enumerate(sheets.values(), start=1):
            data = "".join(f"<row>{''.join(cells)}</row>" for cells in some)
            archive.writestr(f"xl/worksheets/{n}.xml", f'{head}<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData>{after}</worksheet>')
    return path
