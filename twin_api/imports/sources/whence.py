"""Where a source's data come from: files by pattern, or an address and what kind of service answers there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, cast, get_args
from urllib.parse import urlsplit

from twin_api.policy.fields import Fields, one_of, text_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_file import Node
from twin_api.texts import Text

Service = Literal["file", "wfs", "oapif"]
WHENCE: Final = ("files", "address", "service", "collection")


@dataclass(frozen=True, slots=True)
class Whence:
    """`files` is a pattern within the town's folder, or absolute. `collection` is the feature type of a WFS, too."""

    files: str | None = None
    address: str | None = None
    service: Service = "file"
    collection: str | None = None

    def found(self, folder: Path) -> list[Path]:
        """The files of the pattern that are there, by name."""
        pattern = PurePosixPath(self.files or "")
        root, rest = (Path(pattern.anchor), pattern.relative_to(pattern.anchor)) if pattern.is_absolute() else (folder, pattern)
        return sorted(path for path in root.glob(str(rest)) if path.is_file()) if self.files else []


def read_whence(fields: Fields, *, needed: bool) -> Whence:
    """`needed`: the clock has to know; a person may say it when they call."""
    whence = Whence(
        fields.get("files", _pattern, None),
        fields.get("address", address_of, None),
        cast("Service", fields.get("service", one_of(get_args(Service), Text("einen Dienst", "service")), "file")),
        fields.get("collection", text_of, None),
    )
    if "files" in fields and "address" in fields:
        what = Text("`files` und `address` zugleich", "`files` and `address` at once")
        fields.findings.add(fields.at("address"), what, Text("eines von beiden löschen", "delete one of the two"))
    if needed and "files" not in fields and "address" not in fields:
        what = Text("es ist nicht gesagt, woher die Daten kommen", "it is not said where the data come from")
        fields.findings.add(fields.at("every"), what, Text("`files: …` oder `address: …` ergänzen", "add `files: …` or `address: …`"))
    for key in ("service", "collection"):
        if key in fields and "address" not in fields:
            what = Text(f"`{key}` ohne `address` sagt nichts", f"`{key}` without `address` says nothing")
            fields.findings.add(fields.at(key), what, Text("`address: …` ergänzen", "add `address: …`"))
    if whence.collection and whence.service == "file" and "address" in fields:
        what = Text("eine Datei hat keine `collection`", "a file has no `collection`")
        remedy = Text(
            "`service: wfs` oder `service: oapif` ergänzen, oder `from` schreiben",
            "add `service: wfs` or `service: oapif`, or write `from`",
        )
        fields.findings.add(fields.at("collection"), what, remedy)
    return whence


def _pattern(node: Node, findings: Findings) -> str:
    pattern = text_of(node, findings)
    if ".." in PurePosixPath(pattern).parts or "\\" in pattern or "**" in pattern:
        what = Text(f"{quoted(pattern)} ist als Muster nicht möglich", f"{quoted(pattern)} cannot be a pattern")
        remedy = Text("Ordner und Namen mit `/` schreiben, ohne `..` und `**`: `daten/baeume-*.csv`",
                      "write folders and names with `/`, without `..` and `**`: `data/trees-*.csv`")  # fmt: skip
        findings.add(node.place, what, remedy)
    return pattern


def address_of(node: Node, findings: Findings) -> str:
    """An address of the web without credentials and fragment; whether it may be asked is for the fetch to say."""
    address = text_of(node, findings)
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        fits = (
            parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.fragment and address.isascii() and " " not in address
        )
        secret = "@" in parts.netloc
    except ValueError:
        fits, secret = False, False
    if secret:  # which is not repeated
        what = Text("die Adresse enthält Zugangsdaten", "the address holds credentials")
        findings.add(node.place, what, Text("sie aus der Adresse nehmen", "take them out of the address"))
    elif not fits:
        what = Text("das ist keine Webadresse", "this is no web address")
        findings.add(node.place, what, Text("mit `https://` beginnen, ohne `#…`", "begin it with `https://`, without `#…`"))
    return address
