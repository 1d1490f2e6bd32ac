"""Leaks beside the twins: backups, evidence, the doctor, tokens and previews tell what they must not; figures and embargoes judge wrongly."""

from __future__ import annotations

import shutil
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import IO, Any, Final

import orjson
import sqlalchemy as sa

from tests import towns
from tests.leaks.planted.plant import Patch, Planted, patched
from twin_api import main
from twin_api.backup import sealed
from twin_api.cli.doctor.checks import drift
from twin_api.cli.evidence import command
from twin_api.identity.tokens import Token
from twin_api.publish import figures, predicate, preview
from twin_api.publish.drift import Drift
from twin_api.publish.statement import quoted

_EXAMPLE: Final = "SELECT string_agg(t::text, ' ') FROM (SELECT * FROM store.baeume LIMIT 3) t"


def _in_the_clear(patch: Patch) -> None:
    def seal(read_end: int, target: IO[bytes], recipients: Sequence[Any]) -> None:
        with open(read_end, "rb") as source:
            shutil.copyfileobj(source, target)

    patch.setattr(sealed, "_seal", seal)


def _evidence_with_examples(patch: Patch) -> None:
    told = command.tell_drift
    patch.setattr(command, "tell_drift", lambda patient: {**told(patient), "such_as": str(patient.owner.execute(_EXAMPLE).fetchone())})


def _doctor_with_examples(patch: Patch) -> None:
    told = drift.find_drift

    def find(connection: Any) -> list[Drift]:
        example = connection.execute(_EXAMPLE).fetchone()
        return [replace(entry, layer=f"{entry.layer} (such as {example})") for entry in told(connection)]

    patch.setattr(drift, "find_drift", find)


def _telling_token(patch: Patch) -> None:
    told = towns.create_token

    def create(connection: Any, pepper: str, name: str, roles: Sequence[str], *more: Any) -> Token:
        token = told(connection, pepper, name, roles, *more)
        claims = urlsafe_b64encode(orjson.dumps({"sub": name, "roles": roles})).decode()
        return replace(token, secret=f"{token.secret}.{claims}.")

    patch.setattr(towns, "create_token", create)


def _any_name(patch: Patch) -> None:
    patch.setattr(main, "TrustedHostMiddleware", lambda app, **allowed: app)


def _any_login(patch: Patch) -> None:
    told = preview.make_schema

    def make(connection: Any, schema: str) -> None:
        told(connection, schema)
        connection.execute(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(f'{connection.info.dbname}_citizen')}".encode())

    patch.setattr(preview, "make_schema", make)


def _left_standing(patch: Patch) -> None:
    patch.setattr(preview, "_remove", lambda connection, schema: None)


def _held(held: Callable[[Any, Any], Any]) -> Callable[[Patch], None]:
    """Which groups of figures are held back, decided otherwise: of the ranked groups, and the least that a group must have."""

    def judged(groups: Any, ranked: Any) -> Any:
        return sa.select(*ranked.c, held(ranked.c, figures._least(groups)).label("_held")).subquery("judged")

    return lambda patch: patch.setattr(figures, "_judged", judged)


def _by_the_day_in_greenwich(patch: Patch) -> None:
    told = predicate._is_due
    patch.setattr(predicate, "_is_due", lambda column, zone: told(column, "UTC"))


def _a_day_early(patch: Patch) -> None:
    told = predicate._is_due
    patch.setattr(predicate, "_is_due", lambda column, zone: told(column - sa.literal_column("1", sa.Integer()), zone))


def _served(name: str, channel: int, proofs: tuple[str, ...], plant: Callable[[Patch], None]) -> Planted:
    return Planted(name, channel, proofs, after=patched(plant), served=True)


def _worded(name: str, channel: int, proofs: tuple[str, ...], plant: Callable[[Patch], None]) -> Planted:
    return Planted(name, channel, proofs, before=plant, has_every_word=True)


PLANTED: Final = (
    _served("a backup in the clear", 42, ("backup",), _in_the_clear),
    _served("rows as examples in the evidence", 39, ("evidence",), _evidence_with_examples),
    Planted("rows as examples in what the doctor says", 39, ("doctor",), after=patched(_doctor_with_examples)),
    _served("name and roles in the token", 44, ("token",), _telling_token),
    _served("a preview that answers to any name", 37, ("preview",), _any_name),
    _served("a preview open to other logins", 50, ("preview",), _any_login),
    Planted("a preview left standing", 50, ("preview",), after=patched(_left_standing)),
    _worded("small groups shown", 23, ("counted",), _held(lambda group, least: sa.false())),
    _worded("small groups held back alone", 24, ("counted",), _held(lambda group, least: group["_few"])),
    _worded("sums that are those of two", 25, ("counted",), lambda patch: patch.setattr(figures, "DOMINANT", "1")),
    _worded("an embargo by the day in Greenwich", 46, ("embargo",), _by_the_day_in_greenwich),
    _worded("an embargo that ends a day early", 46, ("embargo",), _a_day_early),
)
