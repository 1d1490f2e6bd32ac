"""Proof 8: what is kept and told beside the twins holds nothing of the store: backups, evidence, the doctor's words, tokens, previews."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import httpx
import orjson

from tests.backup.backups import backed_up
from tests.doctor.examining import settings
from tests.leaks.canaries import decoded, forms_of, places_of
from tests.leaks.seen import Seen
from tests.towns import DAY, Town
from twin_api.backup.sealed import Identity
from twin_api.cli.doctor.check import examine
from twin_api.cli.doctor.checks import CHECKS
from twin_api.cli.doctor.patient import Patient
from twin_api.cli.evidence.command import gather
from twin_api.main import create_preview
from twin_api.publish.preview import previewed

_PACKED: Final = re.compile(re.escape(b"\x1f\x8b\x08"))  # as gzip begins
SHORTEST: Final = 8  # characters; a shorter number stands in any checksum by chance
ABOUT_ROWS: Final = ("drift", "upkeep", "policies", "logins", "grants", "hardening", "migrations", "secrets")  # of the doctor's checks
PREVIEWED: Final = "council"
HERE, ELSEWHERE = "127.0.0.1:8001", "evil.example"


def find_told(town: Town, files: Mapping[str, bytes]) -> list[str]:
    """Ids, values and places of rows, secrets and names of persons in these files. What the policies say themselves may be said."""
    said = "".join(town.policies.files.values())
    rows = [row for layer in Seen(town).rows.values() for row in layer]
    values = {form for row in rows for form in (*places_of(row), *(f for value in row.values.values() for f in forms_of(value)))}
    telling = {form for form in values if len(form) >= SHORTEST and form not in said}
    assert len(telling) > 500, "there is nothing to look for"
    secrets = {path.read_text().strip() for path in town.secrets.folder.iterdir() if path.is_file()} - {""}
    words = sorted({"CANARY", "M. Beispiel", *(str(row.id) for row in rows), *telling, *secrets})
    opened = {name: b"\n".join((content, *_unpacked(content))) for name, content in files.items()}
    return [f"{name} holds `{word}`" for name, content in opened.items() for word in words if word.encode() in content]


def _unpacked(content: bytes) -> Iterator[bytes]:
    """Whatever is only compressed in it, wherever that begins."""
    for packed in re.finditer(_PACKED, content):
        with suppress(zlib.error):
            yield zlib.decompressobj(wbits=31).decompress(content[packed.start() :])


def find_in_backup(town: Town) -> list[str]:
    """A backup is sealed."""
    made = backed_up(town, town.folder / "home" / "backups", Identity.generate())
    return find_told(town, {"the backup": made.path.read_bytes()})


def find_in_evidence(town: Town) -> list[str]:
    patient = _patient(town)
    try:
        return find_told(town, gather(patient, {})[0])
    finally:
        patient.close()


def find_in_doctor(town: Town) -> list[str]:
    """What the doctor says of a town whose twins are not what they should be. Leaves trees standing that are published nowhere."""
    with town.login("owner") as connection:
        connection.execute("ALTER TABLE store.baeume DISABLE TRIGGER USER")
        connection.execute("UPDATE store.baeume SET status = 'steht' WHERE status <> 'steht'")
    patient = _patient(town)
    try:
        told = {check.name: orjson.dumps(examine(check, patient).as_json()) for check in CHECKS if check.name in ABOUT_ROWS}
    finally:
        patient.close()
    unnoticed = [] if b"surplus" in told["drift"] else ["the doctor does not notice that rows are missing, and so says nothing of them"]
    return find_told(town, told) + unnoticed


def _patient(town: Town) -> Patient:
    return Patient(settings(town), lambda: datetime.now(UTC))


def find_in_token(town: Town) -> list[str]:
    """A token says nothing of whose it is and what it opens."""
    found = []
    for role in town.policies.roles:
        inside = b"\n".join(decoded(town.token(role, name="CANARY-Bauhofleitung").encode()))
        found += [f"the token of {role} holds `{word}`" for word in (*role.split("/"), "CANARY") if word.encode() in inside]
    return found


def find_open_preview(town: Town) -> list[str]:
    """Who else can look into a preview, and what is left of it."""
    before = _about_previews(town)
    role = town.policies.roles[PREVIEWED]
    with town.login("owner") as owner, previewed(owner, town.policies, role, DAY, town.secrets) as schema:
        found = [f"{login} may enter the preview" for login in _entering(town, schema)]
        found += asyncio.run(_answering(town, schema))
    return found + [f"the preview leaves {left} behind" for left in sorted(_about_previews(town) - before)]


def _entering(town: Town, schema: str) -> Iterator[str]:
    own = {f"{town.database}_{login}" for login in (schema, "owner")}
    query = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) AND has_schema_privilege(rolname, %s, 'USAGE')"
    with town.superuser() as connection:
        yield from sorted({login for (login,) in connection.execute(query, [f"{town.database}_", schema]).fetchall()} - own)


async def _answering(town: Town, schema: str) -> list[str]:
    app = create_preview(town.server, PREVIEWED, schema, town.settings())
    address, origin = f"http://{HERE}/{PREVIEWED}/collections", {"Origin": f"https://{ELSEWHERE}"}
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        here, elsewhere = [await client.get(address, headers={"Host": host, **origin}) for host in (HERE, ELSEWHERE)]
    found = [] if here.status_code == 200 else [f"the preview answers {here.status_code}"]
    found += [f"the preview answers {elsewhere.status_code} to another name"] if elsewhere.status_code != 400 else []
    return found + [f"`{name}` in the preview's answer" for name in here.headers if name.startswith("access-control")]


def _about_previews(town: Town) -> set[str]:
    """Schemas, tables, logins and secrets that a preview makes."""
    query = (
        "SELECT 'the schema ' || nspname FROM pg_namespace UNION ALL SELECT 'the table ' || relname FROM pg_class WHERE relkind = 'r' "
        "UNION ALL SELECT 'the login ' || rolname FROM pg_roles WHERE starts_with(rolname, %s)"
    )
    with town.superuser() as connection:
        made = {name for (name,) in connection.execute(query, [f"{town.database}_"]).fetchall()}
    return made | {f"the secret {path.name}" for path in town.secrets.folder.iterdir()}
