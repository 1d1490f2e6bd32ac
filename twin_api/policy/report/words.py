"""How roles are called when people speak of them.

Must never be read back: names here are for paper only.
"""

from __future__ import annotations

from typing import Final

from twin_api.policy.documents import Town
from twin_api.texts import Text

ROLES: Final = {
    "citizen": Text("Die Bürgerinnen und Bürger", "Citizens"),
    "council": Text("Der Rat", "The council"),
    "administration": Text("Die Verwaltung im Ganzen", "The administration as a whole"),
}
ACCESS: Final = {
    "anonymous": Text("Ohne Anmeldung, für alle.", "Without login, for everybody."),
    "login": Text("Nur nach Anmeldung.", "After login only."),
    "token": Text("Nur mit persönlichem Schlüssel (Token).", "With a personal token only."),
}


def role_title(name: str, town: Town) -> Text:
    role, _, part = name.partition("/")
    if not part:
        return ROLES[role]
    title = town.departments.get(part) if role == "administration" else None
    return Text(f"Amt: {title}", f"Department: {title}") if title else Text(f"Ausschuss: {_spelt(part)}", f"Committee: {_spelt(part)}")


def _spelt(part: str) -> str:
    return " ".join(word.capitalize() for word in part.split("_"))
