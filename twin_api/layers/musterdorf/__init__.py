"""Musterdorf, the sample town: a generated small place, and the same inspections invented for a real extract of OpenStreetMap."""

from twin_api.layers.musterdorf.place import write_generated
from twin_api.layers.musterdorf.real import RealPlace, write_real

__all__ = ["RealPlace", "write_generated", "write_real"]
