"""How a table of text is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin_api.imports.drafts.tables import Writing, read_writing

ROWS = "Nr;Straße;Höhe\n1;Hauptstraße, 3;12,5\n2;Ringstraße;3,0\n"


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (ROWS, "utf-8", Writing(None, None, 1)),
        (ROWS, "utf-8-sig", Writing(None, None, 1)),
        (ROWS, "utf-16", Writing("utf-16", None, 1)),
        (ROWS, "iso-8859-1", Writing("iso-8859-1", None, 1)),
        (ROWS.replace("12,5", "12 €"), "windows-1252", Writing("windows-1252", None, 1)),
        (ROWS.replace("\n", "\r\n"), "utf-8", Writing(None, None, 1)),
        (ROWS.replace(";", "\t"), "utf-8", Writing(None, None, 1)),
        (ROWS.replace(";", "|"), "utf-8", Writing(None, None, 1)),
        (ROWS.replace("Straße", "Straße, Nr"), "utf-8", Writing(None, ";", 1)),
        (ROWS.replace("Straße", "Ort|Straße"), "utf-8", Writing(None, ";", 1)),
        ('nr,"strasse; nr",art\n1,"a;b",x\n2,"c;d",y\n', "utf-8", Writing(None, None, 1)),
        ("Baumliste\n\n" + ROWS, "utf-8", Writing(None, None, 3)),
        ("Baumliste Stand 2020;;\n" + ROWS, "utf-8", Writing(None, None, 2)),
        ("nr\n1\n2\n", "utf-8", Writing(None, None, 1)),
        ("", "utf-8", Writing(None, None, 1)),
    ],
)
def test_a_table_is_written(tmp_path: Path, text: str, encoding: str, expected: Writing) -> None:
    assert read_writing(written(tmp_path / "t.csv", text, encoding)) == expected


def test_a_letter_far_behind_the_beginning_decides_the_encoding(tmp_path: Path) -> None:
    rows = b"1;Hauptplatz;12,5\n" * 60_000
    (tmp_path / "t.csv").write_bytes(rows + "4;Stra\xdfe;1\n".encode("latin-1"))
    assert read_writing(tmp_path / "t.csv").encoding == "iso-8859-1"
    (tmp_path / "t.csv").write_bytes(rows)
    assert read_writing(tmp_path / "t.csv").encoding is None
