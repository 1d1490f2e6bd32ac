"""`twin token …`: make, list and end API tokens."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Column, Table

from twin_api.cli import context
from twin_api.store.control import TokenUnknown, create_token, list_tokens, revoke_tokens
from twin_api.texts import Text

app = typer.Typer(no_args_is_help=True, help="API tokens for council and administration.")

LONGEST = timedelta(days=365)


@app.command()
def create(
    role: Annotated[list[str], typer.Option(help="a role it may see as, such as administration/bauhof; repeatable")],
    name: Annotated[str, typer.Option(help="what it is for; shown in lists")],
    expires: Annotated[str, typer.Option(help="how long it lasts: days such as 90d, or hours such as 8h; at most 365d")] = "90d",
) -> None:
    """Make a token and print it, this one time."""
    loaded = context.policies()
    lasts = _lasts(expires)
    for unknown in (r for r in role if r not in loaded.roles):
        known = ", ".join(loaded.roles)
        context.fail(Text(f"`{unknown}` ist keine Rolle. Bekannt sind: {known}.", f"`{unknown}` is no role. Known are: {known}."))
    if not name.strip() or len(name) > 100:
        context.fail(Text("Der Name braucht 1 bis 100 Zeichen.", "The name wants 1 to 100 characters."))
    with context.owner() as connection:
        token = create_token(connection, context.secrets().ensure("pepper"), name.strip(), role, lasts)
    typer.echo(token.text())
    note = Text(
        "Wird nur dieses eine Mal gezeigt. `Authorization: Bearer <Token>`, Adressen: ",
        "Shown this one time. `Authorization: Bearer <token>`, addresses: ",
    )
    context.errors.print(note.say(context.settings().lang) + ", ".join(f"/{r}" for r in role), markup=False)


def _lasts(expires: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,4})([dh])", expires)
    lasts = timedelta(**{"days" if match[2] == "d" else "hours": int(match[1])}) if match else None
    if lasts is None or lasts > LONGEST:
        context.fail(
            Text(f"`{expires}`: eine Dauer wie 90d oder 8h, höchstens 365d.", f"`{expires}`: a time such as 90d or 8h, at most 365d.")
        )
    return lasts


@app.command(name="list")
def list_() -> None:
    """List all tokens: never their secrets."""
    with context.owner() as connection:
        rows = list_tokens(connection)
    lang = context.settings().lang
    heads = (Text("Kennung", "Id"), Text("Name", "Name"), Text("Rollen", "Roles"), Text("gültig bis", "valid until"),
             Text("zuletzt benutzt", "last used"), Text("widerrufen", "revoked"))  # fmt: skip
    table = Table(*(Column(head.say(lang), overflow="fold") for head in heads))
    for row in rows:
        times = (row.expires_at, row.last_used_at, row.revoked_at)
        table.add_row(row.id, row.name, ", ".join(row.roles), *(t.strftime("%Y-%m-%d %H:%M") if t else "–" for t in times))
    context.console.print(table)


@app.command()
def revoke(token: Annotated[str, typer.Argument(help="its id or its name")]) -> None:
    """End a token; holds in every process within two seconds."""
    with context.owner() as connection:
        try:
            ended = revoke_tokens(connection, token)
        except TokenUnknown:
            context.fail(
                Text(f"Kein Token heißt `{token}`. Siehe `twin token list`.", f"No token is called `{token}`. See `twin token list`.")
            )
    context.say(Text(f"Widerrufen: {len(ended)}", f"Revoked: {len(ended)}"))
