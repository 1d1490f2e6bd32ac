"""Musterdorf, the sample town: an invented place in 22 layers, of any size. No place and no person of the real world."""

from twin_api.layers.musterdorf.write import LAYERS, write_town

__all__ = ["LAYERS", "write_town"]
