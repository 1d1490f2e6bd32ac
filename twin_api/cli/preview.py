"""`twin policy preview`: the policies as they stand in the folder, served to yourself before anybody else sees them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from twin_api.cli import context
from twin_api.cli.serve import refuse_taken_port
from twin_api.policy.documents import Policies, Role
from twin_api.policy.finding import quoted, suggestion
from twin_api.publish.layers import check_layers
from twin_api.publish.preview import previewed
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets
from twin_api.texts import Text

HERE = "127.0.0.1"


def preview(
    as_: Annotated[str, typer.Option("--as", metavar="ROLE", help="the role to look as, such as citizen or administration/bauhof")],
    port: Annotated[int, typer.Option(envvar="PREVIEW_PORT", min=1, max=65535, help="port to listen on, on this machine alone")] = 8001,
) -> None:
    """Serve the policies that are not applied yet as one role sees them: read-only, on this machine, until Ctrl-C."""
    from twin_api.main import create_preview  # the server's libraries, which no other command waits for

    loaded = context.policies()
    role = role_of(loaded, as_)
    refuse_taken_port(HERE, port, "PREVIEW_PORT")
    with context.owner() as connection, tempfile.TemporaryDirectory() as folder:
        reasons = check_layers(connection, loaded.layers)
        if reasons:
            context.fail_all(reasons)
        context.say(Text("Vorschau wird gebaut …", "Building the preview …"))
        secrets = Secrets(Path(folder) / "secrets")
        with previewed(connection, loaded, role, context.today(loaded), secrets) as schema:
            address = f"http://{HERE}:{port}/{role.name}?f=html"
            context.say(Text(f"Noch nicht angewendet, nur hier zu sehen: {address}\nStand der Daten: jetzt. Ende mit Strg-C.",
                             f"Not applied yet, to be seen here alone: {address}\nData as of now. Ctrl-C ends it."))  # fmt: skip
            app = create_preview(Server(context.server().address, secrets), role.name, schema, context.settings())
            uvicorn.run(app, host=HERE, port=port, log_level="warning", server_header=False)
    context.say(Text("\nDie Vorschau ist abgebaut.", "\nThe preview is gone."))


def role_of(loaded: Policies, name: str) -> Role:
    """The role; ends with the nearest name where there is none."""
    if name not in loaded.roles:
        near = suggestion(name, loaded.roles)
        context.fail(Text(f"Eine Rolle {quoted(name)} gibt es nicht; {near.de}", f"There is no role {quoted(name)}; {near.en}"))
    return loaded.roles[name]
