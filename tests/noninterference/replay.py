"""Ask again what was found once: `python -m tests.noninterference.replay .twin/ni/citizen-7-1234.json`. Ends with 1 where the answers still differ."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import orjson

from tests.conftest import started
from tests.noninterference.findings import redo
from tests.noninterference.harness import compare
from tests.noninterference.towns import Pair
from tests.towns import Town


def main(file: str) -> int:
    told = orjson.loads(Path(file).read_bytes())
    towns: list[Town] = []

    with tempfile.TemporaryDirectory() as folder:

        def found(policies: Path, *, rows: bool = True) -> Town:
            place = Path(folder, str(len(towns)))
            place.mkdir()
            towns.append(Town(started(), place, policies))
            towns[-1].settle(rows=rows)
            return towns[-1]

        try:
            pair = Pair(found)
            answers = redo(pair, told["steps"])
            pair.close()
        finally:
            for town in towns:
                town.raze()
    differences = list(compare(*answers)) if answers else ["nothing was asked"]
    print(f"{told['role']}: {told['request']['method']} {told['request']['target']}")
    print("\n".join(differences) or "both towns answer alike")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
