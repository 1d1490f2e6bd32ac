"""Whether what we stand on is supported and holds no known hole: Python, PostgreSQL, PostGIS with its libraries, Python's packages."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import metadata
from typing import Final

import pyogrio
import pyproj
import shapely

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, note, warning
from twin_api.cli.doctor.patient import Connection, Patient
from twin_api.texts import Text

# the last day on which holes are mended, as the makers say
PYTHON: Final[Mapping[int, date]] = {11: date(2027, 10, 31), 12: date(2028, 10, 31), 13: date(2029, 10, 31), 14: date(2030, 10, 31)}
POSTGRES: Final[Mapping[int, date]] = {15: date(2027, 11, 11), 16: date(2028, 11, 9), 17: date(2029, 11, 8), 18: date(2030, 11, 14)}
SOON_DAYS: Final = 180
# below these there are known holes; a package that is not installed has none
FLOORS: Final[Mapping[str, tuple[str, str]]] = {
    "certifi": ("2024.7.4", "CVE-2024-39689"),
    "cryptography": ("44.0.1", "CVE-2024-12797"),
    "h11": ("0.16.0", "CVE-2025-43859"),
    "idna": ("3.7", "CVE-2024-3651"),
    "jinja2": ("3.1.6", "CVE-2025-27516"),
    "lxml": ("6.0.0", "libxml2"),
    "python-jose": ("3.5.0", "CVE-2024-33663, CVE-2024-33664"),
    "python-multipart": ("0.0.27", "CVE-2026-40347, CVE-2026-42561"),
    "starlette": ("1.3.1", "CVE-2025-62727, CVE-2026-48710"),
    "urllib3": ("2.5.0", "CVE-2025-50181"),
}
_GEO: Final = (
    "SELECT extversion, default_version, postgis.postgis_geos_version(), postgis.postgis_proj_version() "
    "FROM pg_extension JOIN pg_available_extensions ON name = extname WHERE extname = 'postgis'"
)
_HOLES = Text("Lücken werden nicht mehr geschlossen", "holes are no longer mended")


def look(patient: Patient) -> Iterator[Finding]:
    today = patient.clock().date()
    python = ".".join(map(str, sys.version_info[:3]))
    yield note(
        f"twin-api {installed('twin-api')}, Python {python}, GDAL {pyogrio.__gdal_version_string__}, "
        f"PROJ {pyproj.proj_version_str}, GEOS {shapely.geos_version_string}"
    )
    yield from _supported("Python", sys.version_info[1], f"3.{sys.version_info[1]}", PYTHON, today)
    yield from _packages()
    yield from _database(patient.administrator, today)


def _packages() -> Iterator[Finding]:
    for name, (floor, holes) in FLOORS.items():
        found = installed(name)
        if found is not None and numbers(found) < numbers(floor):
            yield fault(
                Text(f"`{name}` {found} ist zu alt", f"`{name}` {found} is too old"),
                Text(f"bekannte Lücken: {holes}", f"known holes: {holes}"),
                f"{sys.executable} -m pip install '{name}>={floor}'",
            )
    if installed("python-jose") is not None and installed("cryptography") is None:
        yield fault(
            Text(
                "`python-jose` rechnet mit `ecdsa`, denn `cryptography` fehlt",
                "`python-jose` computes with `ecdsa`, as `cryptography` is missing",
            ),
            Text("`ecdsa` verrät Schlüssel durch seine Laufzeit (CVE-2024-23342)", "`ecdsa` betrays keys by its timing (CVE-2024-23342)"),
            f"{sys.executable} -m pip install 'python-jose[cryptography]>=3.5'",
        )


def _database(connection: Connection, today: date) -> Iterator[Finding]:
    said = connection.info.parameter_status("server_version") or ""
    yield from _supported("PostgreSQL", connection.info.server_version // 10000, said, POSTGRES, today)
    row = connection.execute("SELECT to_regnamespace('postgis') IS NOT NULL").fetchone()
    found = connection.execute(_GEO).fetchone() if row and row[0] else None
    if found is None:
        yield fault(
            Text("PostGIS fehlt in der Datenbank", "the database lacks PostGIS"),
            Text("ohne PostGIS keine Karten", "no maps without PostGIS"),
            "twin migrate",
        )
        return
    version, newest, geos, proj = found
    yield note(f"PostgreSQL {said}, PostGIS {version}, GEOS {geos}, PROJ {str(proj).split()[0]}")
    if numbers(version) < (3, 3):
        yield fault(
            Text(f"PostGIS {version} ist älter als 3.3", f"PostGIS {version} is older than 3.3"),
            Text("damit ist nichts geprüft", "nothing has been tested with it"),
            "ALTER EXTENSION postgis UPDATE;",
        )
    elif version != newest:
        yield warning(
            Text(
                f"PostGIS {version} steht in der Datenbank, {newest} auf dem Rechner",
                f"the database has PostGIS {version}, the machine {newest}",
            ),
            Text("Programm und Funktionen passen nicht zusammen", "library and functions do not fit together"),
            "psql -c 'ALTER EXTENSION postgis UPDATE' && twin migrate",
        )


def _supported(name: str, major: int, said: str, ends: Mapping[int, date], today: date) -> Iterator[Finding]:
    if major > max(ends):
        yield warning(
            Text(f"{name} {said} ist neuer als alles, womit geprüft wurde", f"{name} {said} is newer than anything tested"),
            Text("ob die Trennung hält, hat dort niemand gemessen", "nobody has measured there whether the separation holds"),
            Text("die Prüfungen darauf laufen lassen: make leaks", "run the tests on it: make leaks"),
        )
        return
    last = ends.get(major)
    if last is None or today > last:
        yield fault(Text(f"{name} {said} wird nicht mehr gepflegt", f"{name} {said} is no longer maintained"), _HOLES, _newer(name))
    elif (last - today).days <= SOON_DAYS:
        yield warning(
            Text(f"{name} {said} wird nur noch bis {last} gepflegt", f"{name} {said} is maintained until {last} only"), _HOLES, _newer(name)
        )


def _newer(name: str) -> Text:
    return Text(f"eine neuere Fassung von {name} einrichten, vorher `twin backup`", f"install a newer {name}, `twin backup` first")


def installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def numbers(version: str) -> tuple[int, ...]:
    """`1.10.0rc1` as (1, 10, 0): enough to compare with a floor."""
    return tuple(int(number) for number in re.findall(r"\d+", re.split(r"[a-z+]", version)[0]))


CHECK = Check(
    "versions",
    Text("Versionen: gepflegt und ohne bekannte Lücken", "Versions: maintained, without known holes"),
    Text(
        "Python und seine Pakete, PostgreSQL, PostGIS, GEOS, PROJ, GDAL", "Python and its packages, PostgreSQL, PostGIS, GEOS, PROJ, GDAL"
    ),
    look,
)
