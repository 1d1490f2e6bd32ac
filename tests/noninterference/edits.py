"""Changes of the policies: of what the role is granted, in both towns alike, and of what others are granted, in one of them alone.

Whether an edit concerns the role is read from the loaded documents: what its open grants and their layers say about what it sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.approving import approve_all
from tests.noninterference.rows import grants_of
from tests.towns import DAY
from twin_api.identity.subject import CITIZEN
from twin_api.policy.approvals import APPROVALS
from twin_api.policy.documents import Grant, Layer, Policies
from twin_api.policy.finding import PolicyInvalid
from twin_api.policy.load import load

Files = Mapping[str, str]  # all but the approvals
Edit = tuple[str, str, tuple[str, ...]]  # file, what to find, what to put instead

ADDED: Final = "KNRYzusatz".lower()
NEW_LAYER: Final = """layer: notbrunnen
title: {de: Notbrunnen, en: Emergency wells}
owner: wasser
source: {holder: Markt Zwillingen, licence: dl-de/by-2-0, terms: own}
purpose: Erprobung
classified: {by: wasser, on: 2026-11-20, review: 2027-11-30}
existence: kritis
geometry: {type: Point, epsg: 25832, class: kritis}
attributes:
  brunnen_nr: {title: {de: Brunnennummer, en: Well number}, type: text, class: kritis, key: true}
"""
EDITS: Final[tuple[Edit, ...]] = (
    ("citizen.yaml", r"hoehe_m: \{round: \d+\}", ("hoehe_m: {round: 1}", "hoehe_m: {round: 2}", "hoehe_m: {round: 5}")),
    ("citizen.yaml", r"band: \[.*?\]", ("band: [50, 100, 200]", "band: [100]", "band: [40, 80, 120, 160]")),
    ("citizen.yaml", r"truncate: \w+", ("truncate: year", "truncate: month")),
    ("citizen.yaml", r"name: (Nord|Ost|Mitte)\b", ("name: Nord", "name: Ost", "name: Mitte")),
    ("citizen.yaml", r"titel: keep, beginn: keep|titel: keep", ("titel: keep", "titel: keep, beginn: keep")),
    ("council.yaml", r"grid_m: \d+", ("grid_m: 50", "grid_m: 100", "grid_m: 200")),
    ("council.yaml", r"zustand: \[mittel, schlecht\]|zustand: \[schlecht\]", ("zustand: [mittel, schlecht]", "zustand: [schlecht]")),
    ("council.yaml", r"baujahr: \{round: \d+\}", ("baujahr: {round: 10}", "baujahr: {round: 20}", "baujahr: {round: 50}")),
    ("council.yaml", r"medium: \[.*?\]", ("medium: [Wasser, Gas]", "medium: [Strom]", "medium: [Gas]")),
    ("council.yaml", r"hoehe_m > -?\d+", ("hoehe_m > 5", "hoehe_m > -3", "hoehe_m > 700")),
    ("council.yaml", r", vermerk: keep|(?<=cm: keep, geschuetzt: keep)(?=\})", ("", ", vermerk: keep")),
    ("administration.yaml", r"sohle_m: \{round: [\d.]+\}", ("sohle_m: {round: 0.5}", "sohle_m: {round: 2}")),
    ("administration.yaml", r"kanalschaechte: \{rows: \{zustand: \[.*?\]\}", ("kanalschaechte: {rows: {zustand: [gut]}", "kanalschaechte: {rows: {zustand: [schlecht]}")),
    ("administration.yaml", r"geometry: xy", ("geometry: keep",)),
    ("administration.yaml", r"\Z", ("  feuerwehr: {leitungen: {rows: all, geometry: keep, attributes: {medium: keep}}}\n",)),
    ("layers/bauantraege.yaml", r"de: Baua?n?\w*, en", ("de: Bauanträge, en", "de: Bauanfragen, en")),
    ("layers/leitungen.yaml", r"de: Betreiber\w*", ("de: Betreiber", "de: Betreiberfirma")),
    ("layers/kanalschaechte.yaml", r"en: Remark\w*", ("en: Remark", "en: Remarks")),
    ("layers/baeume.yaml", r"(?<=Sponsor\}, type: text, class: )\w+", ("personal", "kritis", "unreviewed")),
    ("layers/baeume.yaml", r"\Z", (f"  {ADDED}: {{title: {{de: Zusatz, en: Extra}}, type: text, class: kritis}}\n",)),
    ("layers/denkmale.yaml", r"\Z", (f"  {ADDED}: {{title: {{de: Zusatz, en: Extra}}, type: text, class: personal}}\n",)),
    ("town.yaml", r"§ 4\w*", ("§ 4", "§ 4a", "§ 4b")),
    ("layers/notbrunnen.yaml", r"\A\Z", (NEW_LAYER,)),
)  # fmt: skip


def edited(files: Files, random: Random) -> dict[str, str]:
    file, found, instead = random.choice(EDITS)
    text = files.get(file, "")
    if found == r"\Z" and instead[0] in text:
        return dict(files)
    return (
        {**files, file: re.sub(found, random.choice(instead).replace("\\", r"\\"), text, count=1)}
        if re.search(found, text)
        else dict(files)
    )


def loaded(files: Files) -> Policies | None:
    """The policies of these files with all approvals; None where they do not load. Reading YAML takes most of a run: they are remembered."""
    return _loaded(tuple(sorted(files.items())))


_approved: list[str] = []  # the approvals given so far


@lru_cache(maxsize=512)
def _loaded(files: tuple[tuple[str, str], ...]) -> Policies | None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (*files, *((APPROVALS, text) for text in _approved)):
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        try:
            policies = load(folder)
            if not any(grant.missing for role in policies.roles.values() for grants in role.grants.values() for grant in grants):
                return policies
            approve_all(folder)
            _approved[:] = [(folder / APPROVALS).read_text(encoding="utf-8")]
            return load(folder)
        except PolicyInvalid:
            return None


def unseen_edit(files: Files, role: str, random: Random) -> dict[str, str] | None:
    """The files with something changed that does not concern the role."""
    before = loaded(files)
    assert before is not None
    for _ in range(12):
        changed = edited(files, random)
        after = loaded(changed) if changed != files else None
        if after is not None and view(after, role) == view(before, role):
            return changed
    return None


def variation(files: Files, random: Random) -> dict[str, str]:
    """The files with some changes, whomever they concern."""
    for _ in range(random.randrange(3)):
        changed = edited(files, random)
        files = changed if loaded(changed) is not None else files
    return dict(files)


def restored(founded: Files, left: Files, right: Files) -> dict[str, str]:
    """The files of the beginning for both towns; what either got in addition, a layer or an attribute, both have from now on."""
    grown = {name: text for now in (left, right) for name, text in now.items() if name not in founded or ADDED in text}
    return {**founded, **grown}


def view(policies: Policies, role: str) -> Any:
    """All that the documents say about what the role sees, at its own address and at that of the citizens, which is everybody's."""
    return policies.town.pages, [(each, policies.roles[each].announce, _granted_to(policies, each)) for each in sorted({role, CITIZEN})]


def _granted_to(policies: Policies, role: str) -> Any:
    return {name: _granted(grant, policies.layers[grant.layer]) for name, grant in grants_of(policies, role, DAY).items()}


def _granted(grant: Grant, layer: Layer) -> Any:
    told = (grant.layer, grant.shown_rows, grant.geometry, dict(grant.attributes), grant.title, grant.announce, grant.figures)
    until = grant.release and grant.release.until
    mine = {name: (a.title, a.type, a.unit, a.enum) for name, a in layer.attributes.items() if name in grant.attributes}
    return told, until, (layer.title, layer.holder, layer.licence, layer.theme, layer.geometry, layer.datetime), mine
