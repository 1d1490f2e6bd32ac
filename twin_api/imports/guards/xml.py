"""XML from somewhere else, looked through once before a reader that trusts it: what it declares, how deep, how large its pieces.

Expat reports; nothing is expanded or fetched. A document type is refused as such, because every XML bomb and every file read by
a trick begins with one, and neither GML nor XLSX has any.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.places.crs_names import leads_elsewhere
from twin_api.policy.finding import quoted
from twin_api.texts import Text

CHUNK: Final = 64 * 1024
DEPTH: Final = 100
ATTRIBUTES: Final = 200
TEXT_BYTES: Final = 64 * 1024 * 1024  # between two tags: the coordinates of a very large ring
PIECE_BYTES: Final = 1024 * 1024  # a tag with its attributes, a comment; expat begins it anew with every chunk
SYSTEMS: Final = 100  # names of coordinate reference systems in one file
NAME_LENGTH: Final = 1_000
ENCODINGS: Final = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})  # those GDAL reads as well
BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")
INCLUSION: Final = b"http://www.w3.org/2001/XInclude"
LOCATION: Final = re.compile(rb"schemaLocation\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
ELSEWHERE: Final = re.compile(rb"(^|\s)(/|\\|file:|[A-Za-z]:[\\/])", re.IGNORECASE)
AS_DATA: Final = Text("die Datei neu ausgeben lassen", "export the file again")


def check_xml(path: Path, name: str | None = None) -> None:
    """Raises `FileRefused` unless the file is plain, whole, well-formed XML. `name` is what to call it.

    One pass, bounded memory.
    """
    guard = Guard(name or path.name)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            guard.feed(chunk)
    guard.close()


def check_xml_members(folder: Path, archive: str) -> None:
    """The same for every XML file of an unpacked archive (XLSX: also the relations, `.rels`)."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.lower().endswith((".xml", ".rels", ".vml")):
            check_xml(path, f"{archive}: {path.relative_to(folder)}")


class Guard:
    """An expat parser that knows how far it has come."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._begun = 0
        self._ended: list[str] = []  # names of the elements that ended since `_begun` was last reduced by their number
        self._fed = 0
        self._text_from = 0
        self._before = b""
        self._systems: set[str] = set()
        self._parser = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser.XmlDeclHandler = self._declared
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._ended.append  # no Python is run for it: a quarter of the time

    def feed(self, chunk: bytes) -> None:
        if not self._fed and chunk.startswith(BYTE_ORDER_MARKS):
            self._refuse(Text("ist nicht in UTF-8", "is not in UTF-8"), Text("als UTF-8 ausgeben", "write it as UTF-8"))
        self._look(self._before + chunk)
        self._before = chunk[-4096:]
        begun = self._begun
        self._parse(chunk, final=False)
        self._fed += len(chunk)
        self._measure(self._begun - begun + len(self._ended))
        self._begun -= len(self._ended)
        self._ended.clear()

    def close(self) -> None:
        self._parse(b"", final=True)

    def _parse(self, chunk: bytes, final: bool) -> None:
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            self._refuse(Text(f"ist ab Zeile {error.lineno} kein XML", f"is no XML from line {error.lineno} on"), AS_DATA)
        except (LookupError, ValueError):  # an encoding that Python does not know, or that has more than one byte
            self._refuse(Text("hat eine unbekannte Zeichenkodierung", "has an unknown encoding"), Text("als UTF-8", "as UTF-8"))

    def _measure(self, tags: int) -> None:
        """What expat has not yet reported is one piece; what came without any tag is one text."""
        self._text_from = self._fed if tags else self._text_from
        if self._fed - self._parser.CurrentByteIndex > PIECE_BYTES or self._fed - self._text_from > TEXT_BYTES:
            self._refuse(Text("enthält ein übergroßes Element", "holds an oversized element"), AS_DATA)

    def _look(self, octets: bytes) -> None:
        """For what is an order to a reader, wherever it stands: GDAL searches the beginning of the file as text."""
        if INCLUSION in octets:
            self._refuse(Text("will andere Dateien einbinden (XInclude)", "wants to include other files (XInclude)"), AS_DATA)
        if b"chemaLocation" in octets and any(ELSEWHERE.search(found[1][1:-1]) for found in LOCATION.finditer(octets)):
            self._refuse(
                Text("nennt als Schema eine Datei dieses Rechners", "names a file of this machine as its schema"),
                Text("Adressen mit http oder bloße Dateinamen", "addresses with http or mere file names"),
            )

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            self._refuse(Text(f"ist in {quoted(encoding)}", f"is in {quoted(encoding)}"), Text("als UTF-8 ausgeben", "write it as UTF-8"))

    def _doctype(self, *_: object) -> None:
        self._refuse(
            Text("enthält eine Dokumenttyp-Deklaration", "holds a document type declaration"),
            Text("ohne `<!DOCTYPE …>` ausgeben", "export it without `<!DOCTYPE …>`"),
        )

    def _begin(self, name: str, attributes: list[str]) -> None:
        self._begun += 1
        if self._begun - len(self._ended) > DEPTH:
            self._refuse(Text(f"ist tiefer als {DEPTH} verschachtelt", f"is nested deeper than {DEPTH}"), AS_DATA)
        if len(attributes) > 2 * ATTRIBUTES or len(name) > NAME_LENGTH:
            self._refuse(Text("enthält ein übergroßes Element", "holds an oversized element"), AS_DATA)
        if "srsName" in attributes:
            self._check_system(attributes[attributes.index("srsName") + 1])

    def _check_system(self, name: str) -> None:
        """A reader fetches what it takes for an address."""
        if name in self._systems:
            return
        self._systems.add(name)
        if leads_elsewhere(name) or len(self._systems) > SYSTEMS:
            self._refuse(
                Text("nennt als Koordinatensystem eine Adresse oder einen Pfad", "names an address or a path as coordinate system"),
                Text("einen Namen wie `urn:ogc:def:crs:EPSG::25832`", "a name such as `urn:ogc:def:crs:EPSG::25832`"),
            )

    def _refuse(self, what: Text, remedy: Text) -> NoReturn:
        raise _refusal(self._name, what, remedy)


def _refusal(name: str, what: Text, remedy: Text) -> FileRefused:
    return refuse(Text(f"{quoted(name)} {what.de}", f"{quoted(name)} {what.en}"), remedy)
