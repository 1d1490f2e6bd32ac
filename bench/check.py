"""Before any timing: do all servers answer the same?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import shapely

from bench.servers import Name, Serving
from bench.workloads import Workload

_TOLERANCE = 2e-7  # degrees: ours have seven digits, and the last of them may be rounded the other way


class AnswersDiffer(Exception):
    """A server says something else than ours: then a comparison of speed would mean nothing."""


def check_answers(servers: Mapping[Name, Serving], workloads: Sequence[Workload]) -> None:
    """Some requests of each workload, with all that match instead of a page of it, since every server has its own order."""
    for workload in workloads:
        counts = []
        for asked in workload.asked[:10]:
            whole = asked if asked.id or asked.cursor else replace(asked, limit=10_000)
            answers = {name: json.loads(server.get(whole)) for name, server in servers.items()}
            counts.append(len(_features(answers["ours"])))
            for name, answer in answers.items():
                _compare(f"{workload.name} {name} {whole}", answers["ours"], answer, complete=bool(asked.id or asked.bbox))
        print(f"{workload.name}: same answers; features, median of some: {median(counts):,.0f}")


def _compare(where: str, ours: Any, theirs: Any, *, complete: bool) -> None:
    our, their = _features(ours), _features(theirs)
    if len(our) != len(their) or (complete and our.keys() != their.keys()):
        raise AnswersDiffer(f"{where}: {len(our)} features, {len(their)} from the other, {len(our.keys() & their.keys())} in both")
    counted = {answer["numberMatched"] for answer in (ours, theirs) if "numberMatched" in answer}
    if len(counted) > 1 or (complete and counted - {len(our)}):
        raise AnswersDiffer(f"{where}: numberMatched {counted}, features {len(our)}")
    for id in our.keys() & their.keys():
        if not _equal(our[id], their[id]):
            raise AnswersDiffer(f"{where}: {id} is not the same")


def _features(answer: Any) -> dict[str, Any]:
    found = answer["features"] if answer["type"] == "FeatureCollection" else [answer]
    return {feature["id"]: feature for feature in found}


def _equal(our: Any, their: Any) -> bool:
    shapes = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in (our, their)]
    shown = {name: value for name, value in their["properties"].items() if name != "id"}  # tipg tells the id twice
    points = {shapely.count_coordinates(shape) for shape in shapes}
    return our["properties"] == shown and len(points) == 1 and bool(shapely.hausdorff_distance(*shapes) < _TOLERANCE)
