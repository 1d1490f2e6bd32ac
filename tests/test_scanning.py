"""The scan at the end of a run finds what was left behind, and only that."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.scanning import find_canaries, sizes, veil


def test_a_hidden_value_in_a_log_or_a_file_is_found_with_its_place(tmp_path: Path) -> None:
    logs, files = tmp_path / "log", tmp_path / "files"
    for folder in (logs, files / "rows"):
        folder.mkdir(parents=True)
    old = "CANARY-" + "pate-1\n"  # in two parts, or this file's own compiled form would be one
    (logs / "server.log").write_text(old)
    (files / "rows" / "store.baeume").write_text(old)
    (files / "import.geojson").write_text("CANARY-" + "baum-1")
    begun = sizes(logs)
    assert find_canaries(logs, begun, files) == []
    with (logs / "server.log").open("a") as log:
        log.write("said: CANARY-" + "vermerk-7")
    (files / "answer.json").write_text('{"x": "CANARY-' + 'schacht-3"}')
    found = find_canaries(logs, begun, files)
    assert [line.rpartition("/")[2] for line in found] == ["server.log: CANARY-vermerk-7", "answer.json: CANARY-schacht-3"]
    veil(logs, {})
    assert find_canaries(logs, {}, tmp_path / "nothing") == []
    shutil.rmtree(files)  # at the end of this run, too, all files are looked at
