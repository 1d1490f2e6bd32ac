"""What Schemathesis is told about our APIs that no JSON Schema can say. Each of two of its checks is done here, but for what the standards want."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection

# what these hold is a language, corners in their order, or a word that only the server gives out: what fits the schema may be none of it
LANGUAGES = {"filter", "datetime", "bbox", "cursor"}


@schemathesis.check
def what_fits_the_schema_is_taken(ctx: Any, response: Any, case: Any) -> None:
    """`positive_data_acceptance`; but a whole file (`f=gpkg`) has no pages, and each property is named once, rising or falling."""
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive or b"<html" in response.content:
        return
    parameter, query = response.json()["parameter"], case.query or {}
    is_whole_file = query.get("f") == "gpkg" and parameter == "limit"
    is_named_twice = parameter == "sortby" and len({name.lstrip("+-") for name in query["sortby"]}) < len(query["sortby"])
    assert parameter in LANGUAGES or is_whole_file or is_named_twice, f"what fits the schema is refused: {response.text}"


@schemathesis.check
def what_does_not_fit_the_schema_is_refused(ctx: Any, response: Any, case: Any) -> None:
    """`negative_data_rejection`; but more than the largest `limit` is the largest (/req/core/fc-limit-response-1), and 414 is a refusal."""
    limit = str((case.query or {}).get("limit", ""))
    if response.status_code != 414 and not (limit.isdigit() and int(limit) > 10_000):
        negative_data_rejection(ctx, response, case)
