"""The YAML reader: one meaning or none, for any bytes."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twin_api.policy.documents import Place
from twin_api.policy.finding import Findings, render
from twin_api.policy.yaml_file import MAX_BYTES, Items, Node, Scalar, Table, read


def plain(node: Node | None) -> object:
    match node:
        case Table(entries):
            return {name: plain(value) for name, value in entries.items()}
        case Items(items):
            return [plain(item) for item in items]
        case Scalar(value):
            return value
    return None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("true", True), ("False", False), ("~", None), ("", None),
        ("12", 12), ("-3", -3), ("0", 0), ("1.50", 1.5), ("0.5", 0.5), ("1e3", 1000.0), ("'12'", "12"), ("2026-11-20", "2026-11-20"),
        ("07:30", "07:30"), ("1.2.3", "1.2.3"), ("K-014", "K-014"), ("dl-de/by-2-0", "dl-de/by-2-0"), ("0921 25-0", "0921 25-0"),
    ],
)  # fmt: skip
def test_an_unquoted_value_means_what_the_core_schema_says(written: str, meant: object) -> None:
    findings = Findings()
    node = read(f"a: {written}\n".encode(), "x.yaml", findings)
    assert (plain(node), list(findings)) == ({"a": meant}, [])
    assert type(plain(node)["a"]) is type(meant)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (b"a: 1\nb: 2\na: 3\n", 3, "zuerst in Zeile 1"),
        (b"a: {b: 1,\n    b: 2}\n", 2, "ein zweites Mal"),
        (b"a: &x 1\nb: 2\n", 1, "Anker"),
        (b"a: 1\nb: *x\n", 2, "Verweise"),
        (b"a: !!int '3'\n", 1, "Typangaben"),
        (b"a: !python/object:os.system x\n", 1, "Typangaben"),
        (b"1: a\n", 1, '`"1"`'),
        (b"? [a]\n: b\n", 1, "kein Text"),
        (b"a: 1\n---\nb: 2\n", 2, "mehrere Dokumente"),
        (b"%YAML 1.1\n---\na: NO\n", 2, "`%`"),
        (b"ags: 09572999\n", 1, '`"09572999"`'),
        (b"a: 1_000\n", 1, '`"1_000"`'),
        (b"a: 0x1F\n", 1, '`"0x1F"`'),
        (b"a: [1, 007]\n", 1, '`"007"`'),
        (b"007: a\n", 1, '`"007"`'),
        (b"a: .nan\n", 1, "keine endliche Zahl"),
        (b"a: -.inf\n", 1, "keine endliche Zahl"),
        (b"a: 1e999\n", 1, "keine endliche Zahl"),
        (b"a: " + b"9" * 5000 + b"\n", 1, "keine endliche Zahl"),
        (b"a: 1\n\tb: 2\n", 2, "Tabulator"),
        (b"a: 1\nb: x: y\n", 2, "Anführungszeichen setzen"),
        (b"a: [1, 2\n", 2, "Klammer"),
        (b"a: 'x\n", 2, "Anführungszeichen ist nicht geschlossen"),
        (b"a: @x\n", 1, "in Anführungszeichen"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"a: 1\nb: x\x00y\n", 2, "U+0000"),
        ("a: 1\nb: 'x\u202ey'\n".encode(), 2, "U+202E"),
        (b'a: 1\nb: "x\\u202ey"\n', 2, "U+202E"),
        (b'a: 1\nb: "\\0"\n', 2, "U+0000"),
        (b"a: " + b"[" * 50 + b"\n", 1, "Ebenen ineinander"),
        (b"x" * (MAX_BYTES + 1), 1, "1 MiB"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: bytes, line: int, said: str) -> None:
    findings = Findings()
    read(text, "x.yaml", findings)
    assert [finding.place for finding in findings] == [Place("x.yaml", line)], render(findings, "de")
    assert said in findings[0].render("de")


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm() -> None:
    findings = Findings()
    assert plain(read("\ufeffa: 1\r\nb: ä\r\n".encode(), "x.yaml", findings)) == {"a": 1, "b": "ä"}
    assert not findings


YAMLISH = st.lists(
    st.sampled_from([*"abc:-?[]{},&*!|>%@`'\"#\n \t0_.~<=\\", "\n  ", ": ", "- ", "---\n", "...\n", "? ", "!!", "\u2028", "é", "\x00"]),
    max_size=60,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=200), YAMLISH.map(str.encode)))
@example(b"? " * 3000)
@example(b"- " * 3000)
@example(b"[" * 20000)
@example(b"{a: " * 5000)
@example(b"a: |99\n x")
@example(b"%YAML 1.2.3\n---\n")
@example(b"%TAG ! x\n---\n!a b")
@example(b"!<tag:\xff> a")
@example(b'"\\ud800"')
def test_no_bytes_raise_anything(data: bytes) -> None:
    findings = Findings()
    node = read(data, "x.yaml", findings)
    assert node is not None or findings or not data.strip() or b"#" in data or plain(node) is None


def test_the_largest_file_is_read_in_seconds() -> None:
    start = time.monotonic()
    read(b"a: [" + b"x, " * 20_000 + b"]\n", "x.yaml", Findings())
    assert time.monotonic() - start < 10
