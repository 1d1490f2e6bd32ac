"""The small town, changed a line at a time and approved again."""

from __future__ import annotations

from pathlib import Path

from tests.approving import approve_all
from twin_api.policy.documents import Policies
from twin_api.policy.load import load

COUNTING = """\
  zahlen:
    from: baeume
    title: {de: Baumzahlen, en: Numbers of trees}
    rows: all
    group_by: art
    figures: {anzahl: count, runde: {count: all, round: 10, title: Rund}, hohe: {share: {art: [Linde]}}, summe: {sum: stamm_cm}, mittel: {mean: stamm_cm}}
    at_least: 5
    refresh: yearly
"""
AREAS = """\
layer: ortsteile
title: Ortsteile
owner: bauhof
source: {holder: Kleinstadt, licence: dl-de/by-2-0, terms: own}
purpose: Einteilung
classified: {by: bauhof, on: 2026-01-01, review: 2028-01-01}
existence: public
geometry: {type: Polygon, epsg: 25832, class: public}
attributes:
  ortsteil: {title: Ortsteil, type: text, class: public, key: true}
"""


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in {file}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


def reload(folder: Path) -> Policies:
    approve_all(folder)
    return load(folder)


def use_every_word(small: Path) -> Path:
    """The small town, using every word of the language."""
    (small / "layers/ortsteile.yaml").write_text(AREAS, encoding="utf-8")
    edit(
        small,
        "town.yaml",
        "languages: [de, en]",
        "languages: [de, en], time_zone: Europe/Berlin, extent: [674000, 5536000, 682000, 5544000]",
    )
    edit(small, "town.yaml", "classes:", "themes: {gruen: {de: Grün, en: Green}}\nclasses:")
    edit(
        small,
        "town.yaml",
        "seen_by: [administration, administration/wasser]",
        "seen_by: [administration, administration/wasser], audited: true",
    )
    edit(small, "layers/baeume.yaml", "datetime: gepflanzt", "datetime: gepflanzt\ntheme: gruen\ngroup: natur\ndropped: [alt]")
    edit(small, "layers/baeume.yaml", "free_text: true}", "free_text: {reviewed: gesund}, was: notizen}")
    edit(small, "citizen.yaml", "access: anonymous", "access: anonymous\nannounce: [{de: Es gibt mehr, en: There is more}]")
    edit(small, "citizen.yaml", "  baeume:\n", "  baeume:\n    embargo: {attribute: gepflanzt}\n    announce: Mehr auf Anfrage\n")
    edit(small, "citizen.yaml", "  satzungen:\n", COUNTING + "  satzungen:\n")
    edit(
        small,
        "citizen.yaml",
        "rows: {art: [Linde]}",
        "rows: {art: [Linde], stamm_cm: {from: 1, to: 900}, inside: {layer: ortsteile, ortsteil: [Nord, Mitte]}}",
    )
    edit(small, "citizen.yaml", "{grid_m: 10}", "{area: ortsteile}")
    edit(small, "citizen.yaml", "hoehe_m: {round: 5}", "hoehe_m: {round: 5}, stamm_cm: {band: [50, 100]}, gepflanzt: {truncate: year}")
    edit(small, "council.yaml", "approve: [wasser], until", "approve: [wasser], heard: [isb], until")
    edit(
        small, "council.yaml", "{art: keep, hoehe_m: keep}", "{art: keep, hoehe_m: keep, stamm_cm: keep, gepflanzt: keep, notiz: reviewed}"
    )
    return small
