"""`twin openapi`: the OpenAPI document of each role, as its twin serves it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from twin_api.cli import context
from twin_api.identity.subject import CITIZEN
from twin_api.publish.definition import compile_role, described
from twin_api.texts import Text


def write_openapi(write: Annotated[Path, typer.Option(help="folder to write them to")] = Path("openapi")) -> None:
    """Write one document per role, from the policy files alone; needs no store."""
    from twin_api.blocks.landing import title_of  # the server's libraries, which no other command waits for
    from twin_api.encodings import openapi
    from twin_api.main import BLOCKS

    loaded = context.policies()
    write.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for role in loaded.roles.values():
        collections = described(compile_role(loaded, role, context.today(loaded)))
        document = openapi.document(title_of(role.name), f"/{role.name}", BLOCKS, collections, asks_token=role.name != CITIZEN)
        wanted[f"{role.schema}.json"] = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    for stale in (path for path in write.glob("*.json") if path.name not in wanted):
        stale.unlink()
    for name, text in wanted.items():
        (write / name).write_bytes(text)
    context.say(Text(f"Geschrieben: {len(wanted)} Dokumente nach {write}", f"Written: {len(wanted)} documents to {write}"))
