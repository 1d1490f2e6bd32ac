"""What Schemathesis is told about our APIs that no JSON Schema can say."""

from __future__ import annotations

from typing import Any

import schemathesis

# what these hold is a language, or a word that only the server gives out: a text that fits the schema may be none of it
LANGUAGES = {"filter", "datetime", "cursor"}


@schemathesis.check
def what_fits_the_schema_is_taken(ctx: Any, response: Any, case: Any) -> None:
    """As `positive_data_acceptance`, but that a text may be none of its language."""
    mode = case.meta.generation.mode if case.meta else None
    if mode is not None and mode.is_positive and response.status_code == 400:
        assert response.json()["parameter"] in LANGUAGES, f"what fits the schema is refused: {response.text}"
