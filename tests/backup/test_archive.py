"""What lies inside a backup, as others than this program may have packed it."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

import pytest

from twin_api.backup import archive
from twin_api.backup.archive import packing, unpack, whole
from twin_api.backup.sealed import Damaged


def member(name: str = "about.json", content: bytes = b"{}", **told: Any) -> bytes:
    """An archive of one member, its header as it is told."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in told.items():
        setattr(info, field, value)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(info, io.BytesIO(content))
    return gzip.compress(packed.getvalue())


STRANGE = {
    "a link": member(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a link to what was before": member(type=tarfile.LNKTYPE, linkname="about.json"),
    "a folder": member(type=tarfile.DIRTYPE),
    "a pipe": member(type=tarfile.FIFOTYPE),
    "a file of nothing but holes": member(pax_headers={"GNU.sparse.map": "0,99999999999999"}),
    "a file that says how long it is": member(pax_headers={"GNU.sparse.size": "99999999999999"}),
    "a number that is none": member(pax_headers={"GNU.sparse.map": "0,x"}),
    "less than the header says": member(pax_headers={"size": "99999999999999"}),
    "nothing that was packed": b"about.json",
    "half of it": member(content=b"x" * 10_000)[:-40],
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_this_program_does_not_pack_is_damage(what: str) -> None:
    with pytest.raises(Damaged):
        [list(content) for _, content in unpack(io.BytesIO(STRANGE[what]))]


def test_what_is_packed_comes_out() -> None:
    packed = io.BytesIO()
    with packing(packed) as sink:
        sink.put("about.json", b"{}")
        sink.put_parts("rows/x", iter([b"a" * archive.PART, b"b"]))
    packed.seek(0)
    assert {name: whole(content) for name, content in unpack(packed)} == {"about.json": b"{}", "rows/x": b"a" * archive.PART + b"b"}


def test_a_member_that_is_read_at_once_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few octets can be unpacked to as many as a machine has room for."""
    monkeypatch.setattr(archive, "WHOLE", 1000)
    assert len(whole(iter([b"x" * 500] * 2))) == 1000
    with pytest.raises(Damaged):
        whole(iter([b"x" * 500] * 3))
