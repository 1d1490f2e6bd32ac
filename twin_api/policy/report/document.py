"""The report as plain values: what whoever prints it needs, and nothing else.

Must never hold a value of a row: it retells policies, not data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from twin_api.texts import Text

State = Literal["open", "waiting", "over"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what is said under it, a sentence each."""

    label: Text
    said: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One collection as a role sees it, would see it once approved, or saw it."""

    title: Text
    state: State
    facts: tuple[Fact, ...]
    written_at: str  # file and line, for whoever wants to look it up


@dataclass(frozen=True, slots=True)
class RoleSection:
    anchor: str
    title: Text
    access: Text
    included: tuple[Text, ...]  # titles of what it sees exactly as citizens do
    shown: tuple[Shown, ...]
    announced: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Unseen:
    """What nobody sees of a layer; nothing named: nobody sees the layer at all."""

    title: Text
    named: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One layer's fields for a record of processing activities (Art. 30 GDPR)."""

    title: Text
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Report:
    town: str
    day: date
    fingerprint: str  # of the policy files, so that two prints can be told apart
    roles: tuple[RoleSection, ...]
    unseen: tuple[Unseen, ...]
    records: tuple[Record, ...]
