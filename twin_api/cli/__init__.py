"""The command `twin`."""

from __future__ import annotations

import typer

from twin_api.cli import layers, policy, token
from twin_api.cli.demo import demo
from twin_api.cli.import_ import import_file
from twin_api.cli.openapi import write_openapi
from twin_api.cli.serve import serve
from twin_api.cli.store import migrate_store
from twin_api.cli.work import work

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Twin API: one store, three twins.")
app.add_typer(policy.app, name="policy")
app.add_typer(layers.app, name="layers")
app.add_typer(token.app, name="token")
app.command(name="demo")(demo)
app.command(name="import")(import_file)
app.command(name="migrate")(migrate_store)
app.command(name="serve")(serve)
app.command(name="work")(work)
app.command(name="openapi")(write_openapi)
