"""Whether Python and the database transform coordinates alike, grids included."""

from __future__ import annotations

from collections.abc import Iterator

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault
from twin_api.cli.doctor.patient import Patient
from twin_api.imports.places.agreement import find_disagreements
from twin_api.imports.places.grids import offer_grids
from twin_api.texts import Text

_APART = Text(
    "was eingelesen wird, läge daneben, ohne dass es jemand merkt", "what is imported would lie beside its place, and nobody would notice"
)


def look(patient: Patient) -> Iterator[Finding]:
    offer_grids(patient.settings.proj_data)
    policies = patient.policies
    targets = {policies.town.epsg} | {layer.geometry.epsg for layer in policies.layers.values() if layer.geometry is not None}
    for found in find_disagreements(patient.owner, targets, policies.town.extent):
        yield fault(found.what, _APART, found.remedy)


CHECK = Check(
    "coordinates",
    Text("Koordinaten: Python und Datenbank rechnen gleich", "Coordinates: Python and database transform alike"),
    Text(
        "Gitter und Koordinatensysteme hier und in der Datenbank, auf den Millimeter",
        "grids and coordinate systems here and in the database, to the millimetre",
    ),
    look,
)
