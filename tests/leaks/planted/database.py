"""Leaks of the database: a right too many for a login, a view over more than its own, a value in PostgreSQL's log."""

from __future__ import annotations

from typing import Final

from tests.leaks.planted.plant import Planted, each, run, view

_BOTH: Final = ("grants", "reach")
_STORED_PLACE: Final = "council.stored_place(t.id)::postgis.geometry(Point, 3857)"
_STORED_HERE: Final = "postgis.ST_Transform(council.stored_place(t.id), 25832)::postgis.geometry(Point, 25832)"
_STORED: Final = """CREATE FUNCTION council.stored_place(uuid) RETURNS postgis.geometry LANGUAGE sql STABLE SECURITY DEFINER AS
'SELECT postgis.ST_Transform(postgis.ST_Force2D(s.geometry), 3857) FROM store.kanalschaechte s WHERE s.id = $1';
GRANT EXECUTE ON FUNCTION council.stored_place(uuid) TO {db}_council"""
_NOT_STORED: Final = "DROP FUNCTION council.stored_place(uuid)"
_PEEK: Final = """CREATE FUNCTION citizen.peek() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'SELECT vermerk FROM store.baeume';
ALTER FUNCTION citizen.peek() OWNER TO {db}_owner; GRANT EXECUTE ON FUNCTION citizen.peek() TO {db}_citizen"""
_ALL: Final = "CREATE VIEW citizen.alles AS SELECT * FROM store.baeume; ALTER VIEW citizen.alles OWNER TO {db}_owner; GRANT SELECT ON citizen.alles TO {db}_citizen"


def _right(name: str, channel: int, proofs: tuple[str, ...], what: str, to: str = "{db}_citizen") -> Planted:
    """A right granted, and taken back afterwards; several are divided by semicolons."""
    rights = [right.strip() for right in what.split(";")]
    granted = "; ".join(f"GRANT {right} TO {to}" for right in rights)
    taken = "; ".join(f"REVOKE {right} FROM {to}" for right in reversed(rights))
    return Planted(name, channel, proofs, after=run(granted), undo=run(taken))


def _setting(name: str, channel: int, proofs: tuple[str, ...], spoil: str, mend: str) -> Planted:
    return Planted(name, channel, proofs, after=run(spoil), undo=run(mend))


PLANTED: Final = (
    _right("PostGIS function granted to PUBLIC", 51, _BOTH, "EXECUTE ON FUNCTION postgis.st_estimatedextent(text, text, text)", "PUBLIC"),
    _right("catalogue function given back to PUBLIC", 50, _BOTH, "EXECUTE ON FUNCTION pg_database_size(name)", "PUBLIC"),
    _right("USAGE on the store's schema", 50, ("grants",), "USAGE ON SCHEMA store"),
    _right("published table granted", 50, _BOTH, "USAGE ON SCHEMA published; SELECT ON published.{all}"),
    _right("one column of the store granted", 50, _BOTH, "USAGE ON SCHEMA store; SELECT (vermerk) ON store.baeume"),
    _right("login made a member of the owner", 50, _BOTH, "{db}_owner"),
    _right("login made a member of those who read all", 50, ("grants",), "pg_read_all_data"),
    _right("sequence of the audit log granted", 40, _BOTH, "USAGE ON SCHEMA control; SELECT ON SEQUENCE control.audit_id_seq"),
    _right("large objects for everybody", 50, _BOTH, "EXECUTE ON FUNCTION lo_create(oid)", "PUBLIC"),
    _right("temporary tables for everybody", 50, _BOTH, "TEMPORARY ON DATABASE {db}", "PUBLIC"),
    _right("programs in the database for everybody", 50, _BOTH, "USAGE ON LANGUAGE plpgsql", "PUBLIC"),
    _right("texts of functions readable", 50, ("reach",), "SELECT (prosrc) ON pg_proc", "PUBLIC"),
    _right("values in the statistics readable", 50, ("reach",), "SELECT ON pg_statistic"),
    _right("counters of writes readable", 50, ("grants", "catalogue"), "EXECUTE ON FUNCTION pg_stat_get_tuples_inserted(oid)", "PUBLIC"),
    _right("files of the server readable", 50, _BOTH, "EXECUTE ON FUNCTION pg_read_file(text)"),
    _right("reader may write its list of collections", 50, _BOTH, "UPDATE ON citizen.collection"),
    _right("reader may enter another database", 50, ("reach",), "CONNECT ON DATABASE postgres"),
    _setting("login may make logins", 50, _BOTH, "ALTER ROLE {db}_citizen CREATEROLE", "ALTER ROLE {db}_citizen NOCREATEROLE"),
    _setting("function that reads the store as its owner", 50, ("grants",), _PEEK, "DROP FUNCTION citizen.peek()"),
    _setting("view over the store in a role's schema", 50, ("grants",), _ALL, "DROP VIEW citizen.alles"),
    _setting(
        "what will be made is granted beforehand",
        50,
        ("grants",),
        "ALTER DEFAULT PRIVILEGES FOR ROLE {db}_owner GRANT SELECT ON TABLES TO {db}_citizen",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {db}_owner REVOKE SELECT ON TABLES FROM {db}_citizen",
    ),
    _setting(
        "another role's collection in the list",
        1,
        ("answers",),
        "INSERT INTO citizen.collection SELECT * FROM administration.collection WHERE name = 'kanalschaechte'",
        "DELETE FROM citizen.collection WHERE name = 'kanalschaechte'",
    ),
    _setting(
        "statements logged with their values",
        39,
        ("grants", "logs"),
        "ALTER ROLE {db}_writer SET log_statement = 'all'",
        "ALTER ROLE {db}_writer RESET log_statement",
    ),
    Planted(
        "distance from the stored geometry",
        12,
        ("masks",),
        after=each(run(_STORED), view("council", "kanalschaechte", _geometry=_STORED_HERE)),
        undo=each(view("council", "kanalschaechte", _geometry="t._geometry"), run(_NOT_STORED)),
        role="council",
    ),
    Planted(
        "filter on the stored geometry",
        11,
        ("answers", "masks"),
        after=each(run(_STORED), view("council", "kanalschaechte", _mercator=_STORED_PLACE)),
        undo=each(view("council", "kanalschaechte", _mercator="t._mercator"), run(_NOT_STORED)),
        role="council",
    ),
    Planted("view pointing at another role's table", 50, ("answers", "grants"), after=view("citizen", "baeume", "{all}"), undo=view("citizen", "baeume")),
    Planted(
        "hidden rows passed over on reading",
        35,
        ("grants",),
        after=view("citizen", "baeume", "(SELECT o.* FROM {all} JOIN {own} o USING (id))"),
        undo=view("citizen", "baeume"),
    ),
)  # fmt: skip
